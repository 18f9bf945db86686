"""What an agent gets to see, and what it never does."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.data.dataset import load_dataset
from agents.data.tables import read_columns, read_header, write_table
from agents.data.workspace import (
    DatasetFacts,
    import_dataset,
    prepare_predict_input,
    read_facts,
    read_groups,
    read_labels,
    write_inputs_only,
    write_labels,
    write_test_inputs,
)
from agents.errors import UserError
from agents.vocabulary import TaskType

from .conftest import MakeCsv, MakeFolder, binary_rows, write_csv


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def imported(root: Path, tmp_path: Path) -> tuple[Path, DatasetFacts]:
    return tmp_path / "data", import_dataset(load_dataset(root), tmp_path / "data")


def test_a_table_becomes_the_folder_form_cell_by_cell(make_csv: MakeCsv, tmp_path: Path) -> None:
    data, facts = imported(make_csv(), tmp_path)
    assert rows_of(data / "train" / "input" / "data.csv")[:3] == [
        ["id", "x", "kind"],
        ["s000", "0.50", "a"],
        ["s001", "1.50", "a"],
    ]
    assert rows_of(data / "train" / "labels.csv")[:3] == [["id", "numeric_label"], ["s000", "0"], ["s001", "1"]]
    assert facts.rows == {"train": 40}
    assert read_facts(data) == facts


def test_nothing_of_the_test_split_or_of_the_dataset_s_place_is_there(make_csv: MakeCsv, tmp_path: Path) -> None:
    test = [["secret-id", "77.25", "secret-kind", "ill"], ["s999", "78.25", "b", "well"]]
    root = make_csv(train=binary_rows(40), test=test)
    data, _ = imported(root, tmp_path)
    written = {path: path.read_text() for path in data.rglob("*") if path.is_file()}
    assert {str(path.relative_to(data)) for path in written} == {
        "train/input/data.csv",
        "train/labels.csv",
        "dataset.json",
        "dataset_description.md",
    }
    for text in written.values():
        for secret in ("secret", "77.25", "s999", str(root), "test"):
            assert secret not in text


def test_a_finding_about_the_test_split_stays_with_the_person(make_csv: MakeCsv, tmp_path: Path) -> None:
    dataset = load_dataset(make_csv(train=binary_rows(40), test=[[f"t{row[0]}", *row[1:]] for row in binary_rows(2)]))
    assert dataset.test_findings == [
        "2 of 2 rows of test have the inputs of a row of train: the test score will be too good"
    ]
    assert import_dataset(dataset, tmp_path / "data").findings == dataset.findings


def test_groups_and_a_given_validation_split_come_along(make_csv: MakeCsv, tmp_path: Path) -> None:
    rows = [[n % 5, f"g{n % 4}", "ab"[n % 2]] for n in range(20)]
    root = make_csv(
        ("x", "g", "label"), {"label_column": "label", "group_column": "g"}, train=rows, validation=rows[:6]
    )
    (root / "supplementary").mkdir()
    (root / "supplementary" / "genes.txt").write_text("more")
    data, facts = imported(root, tmp_path)
    assert facts.brings_validation
    assert facts.has_groups
    assert read_groups(data / "train") == {f"train-{n}": f"g{n % 4}" for n in range(20)}
    assert read_labels(data / "validation")[0] == [f"validation-{n}" for n in range(6)]
    assert (data / "supplementary" / "genes.txt").read_text() == "more"
    assert read_groups(data / "supplementary") is None


def test_an_input_that_is_called_id_makes_way(make_csv: MakeCsv, tmp_path: Path) -> None:
    rows = [[f"r{n}", n % 3, n % 5, "ab"[n % 2]] for n in range(20)]
    header = ("name", "id", "id_input", "label")
    root = make_csv(header, {"label_column": "label", "id_column": "name"}, train=rows)
    data, facts = imported(root, tmp_path)
    assert read_header(data / "train" / "input" / "data.csv") == ["id", "id_input_2", "id_input"]
    assert facts.renamed == {"id_input_2": "id"}
    ids = prepare_predict_input(root / "train.csv", facts, tmp_path / "predict")
    assert ids[:2] == ["r0", "r1"]
    assert rows_of(tmp_path / "predict" / "data.csv") == rows_of(data / "train" / "input" / "data.csv")


def test_test_inputs_have_no_labels_and_the_order_of_the_labels(make_csv: MakeCsv, tmp_path: Path) -> None:
    dataset = load_dataset(make_csv())
    ids = write_test_inputs(dataset, "test", tmp_path / "in")
    assert ids == dataset.splits["test"].ids
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["data.csv"]
    assert read_header(tmp_path / "in" / "data.csv") == ["id", "x", "kind"]


def test_the_folder_form_is_copied_without_labels(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder()
    data, facts = imported(root, tmp_path)
    assert not facts.is_table
    assert (data / "train" / "input" / "s000.txt").read_text() == "0.50 a"
    write_inputs_only(data / "train", tmp_path / "in")
    assert len(list((tmp_path / "in").iterdir())) == 20
    assert not list((tmp_path / "in").glob("labels*"))
    write_test_inputs(load_dataset(root), "test", tmp_path / "test")
    assert sorted(path.stem for path in (tmp_path / "test").iterdir()) == [f"s{n:03d}" for n in range(20, 26)]


def test_an_import_that_broke_off_is_begun_anew(make_csv: MakeCsv, tmp_path: Path) -> None:
    (tmp_path / ".data.part" / "train").mkdir(parents=True)
    data, _ = imported(make_csv(), tmp_path)
    assert (data / "dataset.json").is_file()
    assert not (tmp_path / ".data.part").exists()


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(str.strip),
        st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
    )
)
def test_labels_survive_to_the_last_digit(tmp_path_factory: pytest.TempPathFactory, values: dict[str, float]) -> None:
    folder = tmp_path_factory.mktemp("labels")
    write_labels(folder, list(values), np.array(list(values.values())), TaskType.REGRESSION)
    ids, labels = read_labels(folder)
    assert dict(zip(ids, labels.tolist(), strict=True)) == values


def test_a_label_that_is_no_number_is_told(tmp_path: Path) -> None:
    write_table(tmp_path / "labels.csv", ["id", "numeric_label"], [["a", "1"], ["b", "ill"]])
    with pytest.raises(UserError, match=r"labels.csv, line 3, column 'numeric_label': expected a number, found 'ill'"):
        read_labels(tmp_path)


class TestPredictInput:
    """Inputs that a person brings."""

    @pytest.fixture
    def facts(self, make_csv: MakeCsv, tmp_path: Path) -> DatasetFacts:
        return imported(make_csv(), tmp_path)[1]

    def test_further_columns_are_dropped_and_ids_kept(self, facts: DatasetFacts, tmp_path: Path) -> None:
        source = write_csv(
            tmp_path / "new.csv", ["kind", "extra", "id", "x"], [["a", 9, "007", 1], ["b", 9, "008", ""]]
        )
        assert prepare_predict_input(source, facts, tmp_path / "in") == ["007", "008"]
        assert rows_of(tmp_path / "in" / "data.csv") == [["id", "x", "kind"], ["007", "1", "a"], ["008", "", "b"]]

    def test_rows_without_an_id_are_numbered(self, facts: DatasetFacts, tmp_path: Path) -> None:
        source = write_csv(tmp_path / "new.csv", ["x", "kind"], [[1, "a"], [2, "b"]])
        assert prepare_predict_input(source, facts, tmp_path / "in") == ["row-0", "row-1"]

    @pytest.mark.parametrize(
        ("header", "rows", "told"),
        [
            (["id", "x"], [[1, 2]], "no column 'kind'"),
            (["id", "x", "kind"], [], "no rows to predict"),
            (["id", "x", "kind"], [[1, 2, 3], [1, 2, 3]], "id '1' stands there twice"),
            (["id", "x", "kind"], [["", 2, 3]], "a row has no id"),
        ],
    )
    def test_what_is_wrong_is_told(
        self, facts: DatasetFacts, tmp_path: Path, header: list[str], rows: list[list[object]], told: str
    ) -> None:
        source = write_csv(tmp_path / "new.csv", header, rows)
        with pytest.raises(UserError, match=told):
            prepare_predict_input(source, facts, tmp_path / "in")

    def test_a_split_folder_of_a_run_can_be_given(self, facts: DatasetFacts, tmp_path: Path) -> None:
        ids = prepare_predict_input(tmp_path / "data" / "train", facts, tmp_path / "in")
        assert len(ids) == 40
        assert [path.name for path in (tmp_path / "in").iterdir()] == ["data.csv"]

    def test_a_missing_source_and_a_folder_without_a_table_are_told(self, facts: DatasetFacts, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="no such file or folder"):
            prepare_predict_input(tmp_path / "nowhere", facts, tmp_path / "in")
        (tmp_path / "empty").mkdir()
        with pytest.raises(UserError, match=r"no data.csv"):
            prepare_predict_input(tmp_path / "empty", facts, tmp_path / "in")

    def test_files_of_a_folder_model_are_copied(self, make_folder: MakeFolder, tmp_path: Path) -> None:
        facts = import_dataset(load_dataset(make_folder()), tmp_path / "files")
        source = tmp_path / "new"
        (source / "input").mkdir(parents=True)
        (source / "input" / "p1.txt").write_text("1 a")
        with pytest.raises(UserError, match=r"Put ids.csv with a column 'id' beside input/"):
            prepare_predict_input(source, facts, tmp_path / "in")
        write_csv(source / "ids.csv", ["id"], [["p1"]])
        assert prepare_predict_input(source, facts, tmp_path / "in") == ["p1"]
        assert [path.name for path in (tmp_path / "in").iterdir()] == ["p1.txt"]
        with pytest.raises(UserError, match="not a table"):
            prepare_predict_input(source / "ids.csv", facts, tmp_path / "in2")


PEPTIDES = ["GLWSKIKEVGK", "YVPLPNVPQPG", "DGVKLCDVPSG", "FLPIIAKLLSGLL", "KWKLFKKIGAV", "GIGKFLHSAKKF"]


class TestFamiliarity:
    """New cells are compared with those of train."""

    @pytest.fixture
    def peptides(self, make_csv: MakeCsv, tmp_path: Path) -> DatasetFacts:
        rows = [[PEPTIDES[n % 6] + "ACDEFGHIKLMN"[n % 11 :], ("no", "yes")[n % 2]] for n in range(40)]
        return imported(make_csv(("sequence", "label"), train=rows), tmp_path)[1]

    @pytest.mark.parametrize(
        ("cell", "told"),
        [
            ("12345", "with '1' at position 1"),
            ("hello world!", "with ' ' at position 6"),
            ("", "found an empty cell; train has none"),
        ],
    )
    def test_what_is_no_sequence_is_refused(self, peptides: DatasetFacts, tmp_path: Path, cell: str, told: str) -> None:
        source = write_csv(tmp_path / "new.csv", ["id", "sequence"], [["a", "glwskX*"], ["b", cell]])
        with pytest.raises(UserError) as caught:
            prepare_predict_input(source, peptides, tmp_path / "in")
        assert str(caught.value).startswith(f"{source}, line 3, column 'sequence': expected a protein sequence")
        assert told in str(caught.value)

    def test_a_word_among_numbers_is_refused_and_an_unseen_category_told(
        self, make_csv: MakeCsv, tmp_path: Path
    ) -> None:
        facts = read_facts(imported(make_csv(), tmp_path)[0])
        source = write_csv(tmp_path / "new.csv", ["x", "kind"], [[1, "a"], ["NA", "z"], ["-1e3", "y"]])
        told: list[str] = []
        assert len(prepare_predict_input(source, facts, tmp_path / "in", on_warning=told.append)) == 3
        assert told == [
            f"{source}, column 'kind': 2 rows have a value that no row of train has, such as 'z'; train has: a, b"
        ]
        for word in ("abc", "1_0"):
            write_csv(source, ["x", "kind"], [[1, "a"], [word, "a"]])
            with pytest.raises(UserError, match=rf"line 3, column 'x': expected a number, found '{word}'"):
                prepare_predict_input(source, facts, tmp_path / "in")

    def test_facts_of_an_older_file_check_nothing(self, peptides: DatasetFacts, tmp_path: Path) -> None:
        old = DatasetFacts.model_validate(peptides.model_dump(exclude={"columns", "fasta_ids", "fasta_file"}))
        source = write_csv(tmp_path / "new.csv", ["sequence"], [["12345"]])
        assert prepare_predict_input(source, old, tmp_path / "in") == ["row-0"]

    @pytest.mark.parametrize("name", ["new.fasta", "new.txt"])
    def test_a_sequence_model_reads_fasta(self, peptides: DatasetFacts, tmp_path: Path, name: str) -> None:
        source = tmp_path / name
        source.write_text(">a first\nGLWSK\nIKEV\n\n>b\nYVPL\n")
        assert prepare_predict_input(source, peptides, tmp_path / "in") == ["a", "b"]
        assert rows_of(tmp_path / "in" / "data.csv") == [["id", "sequence"], ["a", "GLWSKIKEV"], ["b", "YVPL"]]
        source.write_text(">a\nGLWSK\n>b\n12345\n")
        with pytest.raises(UserError, match=r"line 3, column 'sequence': expected a protein sequence"):
            prepare_predict_input(source, peptides, tmp_path / "in")

    def test_a_model_of_more_columns_does_not(self, make_csv: MakeCsv, tmp_path: Path) -> None:
        facts = imported(make_csv(), tmp_path)[1]
        (tmp_path / "new.fa").write_text(">a\nGLW\n")
        with pytest.raises(UserError, match=r"is FASTA, but this model reads .* x, kind"):
            prepare_predict_input(tmp_path / "new.fa", facts, tmp_path / "in")

    def test_a_folder_model_takes_its_ids_from_the_headers(self, tmp_path: Path) -> None:
        train = tmp_path / "set" / "train"
        write_csv(train / "labels.csv", ["id", "label"], [[f"p{n}", n % 2] for n in range(12)])
        (train / "input").mkdir()
        (train / "input" / "all.fasta").write_text("".join(f">p{n} x\nGLWSK\n" for n in range(12)))
        facts = imported(tmp_path / "set", tmp_path)[1]
        new = tmp_path / "new" / "mine.fa"
        new.parent.mkdir()
        new.write_text(">q1\nGLW\n>q2\nKWK\n")
        for number, source in enumerate((new, new.parent)):
            target = tmp_path / f"in{number}"
            assert prepare_predict_input(source, facts, target) == ["q1", "q2"]
            assert [path.name for path in target.iterdir()] == ["all.fasta"]


def test_real_sequences_arrive_unchanged_and_numeric_label_does_not(shared: Path, tmp_path: Path) -> None:
    data, facts = imported(shared / "AGO2_CLASH_Hejret", tmp_path)
    assert read_header(data / "train" / "input" / "data.csv") == ["id", "gene", "noncodingRNA"]
    names = ["gene", "noncodingRNA"]
    before = read_columns(shared / "AGO2_CLASH_Hejret" / "train.csv", names).values
    assert read_columns(data / "train" / "input" / "data.csv", names).values == before
    assert facts.has_groups


def test_a_read_only_dataset_makes_no_read_only_workspace(tmp_path: Path) -> None:
    source = tmp_path / "split" / "input" / "inner"
    source.mkdir(parents=True)
    (source / "reads.txt").write_text("ACGT")
    (source / "reads.txt").chmod(0o400)
    for folder in (source, source.parent):
        folder.chmod(0o500)
    try:
        write_inputs_only(tmp_path / "split", tmp_path / "copy")
    finally:
        for folder in (source.parent, source):
            folder.chmod(0o700)
    made = tmp_path / "copy"
    assert (made / "inner" / "reads.txt").read_text() == "ACGT"
    assert all(path.stat().st_mode & 0o200 for path in (made, *made.rglob("*")))
