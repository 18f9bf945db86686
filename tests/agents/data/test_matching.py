"""Inputs of the folder form and the ids of their labels: what is held against them, and what is only told."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data.dataset import Dataset, load_dataset
from agents.data.tables import read_columns
from agents.data.workspace import facts_of, import_dataset, write_test_inputs
from agents.errors import UserError

from .conftest import MakeFolder, binary_rows, write_csv

IDS = [f"s{number:03d}" for number in range(20)]


def write_labels(folder: Path, ids: list[str]) -> None:
    write_csv(folder / "labels.csv", ["id", "label"], [[name, "ab"[place % 2]] for place, name in enumerate(ids)])


def tabled(root: Path, labelled: list[str], inputs: list[str], split: str = "train") -> Path:
    write_labels(root / split, labelled)
    write_csv(root / split / "input" / "data.csv", ["x", "id"], [[place, name] for place, name in enumerate(inputs)])
    return root


def fastaed(root: Path, labelled: list[str], headers: list[str], split: str = "train", name: str = "seq.fa") -> Path:
    write_labels(root / split, labelled)
    (root / split / "input").mkdir(exist_ok=True)
    (root / split / "input" / name).write_text("".join(f">{header} said\nACGT\nACGT\n" for header in headers))
    return root


def refusal(root: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_dataset(root)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{root}/", "")


def told(root: Path) -> list[str]:
    """What is said of the inputs of train and validation."""
    return [finding for finding in load_dataset(root).findings if "/input" in finding]


def imported(dataset: Dataset, tmp_path: Path) -> Path:
    import_dataset(dataset, tmp_path / "data")
    return tmp_path / "data" / "train" / "input"


class TestTable:
    def test_labelled_ids_without_a_row_are_refused_with_the_first_their_number_and_what_is_there(
        self, tmp_path: Path
    ) -> None:
        assert refusal(tabled(tmp_path, IDS, [*IDS[:3], *IDS[5:]])) == (
            "train/input/data.csv: no row for 2 of the 20 ids in labels.csv, the first is 's003' (labels.csv, line 5); "
            "every labelled id needs its input, and the ids there are such as s000"
        )

    def test_a_table_of_other_ids_is_refused_also_in_a_test_split(self, tmp_path: Path) -> None:
        tabled(tmp_path, IDS, IDS)
        tabled(tmp_path, ["t1", "t2"], ["1", "2"], "test")
        assert refusal(tmp_path).startswith("test/input/data.csv: no row for 2 of the 2 ids in labels.csv")

    def test_an_id_that_stands_twice_is_refused_with_both_lines(self, tmp_path: Path) -> None:
        assert refusal(tabled(tmp_path, IDS, [*IDS, "s003", "s003"])) == (
            "train/input/data.csv, line 22, column 'id': id 's003' stands in line 5 already, and 1 further one like "
            "it; every id needs an input of its own"
        )

    def test_a_row_without_an_id_is_refused(self, tmp_path: Path) -> None:
        assert (
            refusal(tabled(tmp_path, IDS, [*IDS, " "]))
            == "train/input/data.csv, line 22, column 'id': the id is missing"
        )

    def test_rows_without_a_label_are_told_and_left_out(self, tmp_path: Path) -> None:
        tabled(tmp_path, IDS, ["s900", *IDS])
        tabled(tmp_path, ["t1", "t4"], ["t1", "t2", "t3", "t4"], "test")
        dataset = load_dataset(tmp_path)
        assert told(tmp_path) == ["train/input/data.csv: 1 row has no label and is left out, such as s900"]
        assert dataset.test_findings[-1] == "test/input/data.csv: 2 rows have no label and are left out, such as t2"
        assert read_columns(imported(dataset, tmp_path) / "data.csv", ["id"]).values["id"] == IDS
        write_test_inputs(dataset, "test", tmp_path / "hidden")
        assert (tmp_path / "hidden" / "data.csv").read_text() == "id,x\nt1,0\nt4,3\n"

    def test_a_table_without_the_id_column_is_told_with_the_column_that_may_be_meant(self, tmp_path: Path) -> None:
        write_labels(tmp_path / "train", IDS)
        write_csv(tmp_path / "train" / "input" / "data.csv", ["sample", "x"], [[name, 1] for name in IDS])
        assert told(tmp_path) == [
            "train/input/data.csv has no column 'id': its rows cannot be matched to the ids of labels.csv, and it is "
            "not looked into (column 'sample' begins with one of them: call it 'id')"
        ]

    @pytest.mark.parametrize("name", ["data", "genes"])
    @pytest.mark.parametrize("split", ["validation", "test"])
    def test_a_column_of_train_that_another_split_lacks_is_named(self, tmp_path: Path, name: str, split: str) -> None:
        self.with_columns(tmp_path, name, {"train": "id,a,b", split: "c,a,id"})
        assert refusal(tmp_path) == f"{split}/input/{name}.csv, line 1: no column 'b'; the columns are: c, a, id"
        self.with_columns(tmp_path, name, {"train": "id,a,b", split: "a,b"})
        assert refusal(tmp_path) == f"{split}/input/{name}.csv, line 1: no column 'id'; the columns are: a, b"

    def test_a_table_with_another_separator_is_told_with_it(self, tmp_path: Path) -> None:
        write_labels(tmp_path / "train", IDS)
        (tmp_path / "train" / "input").mkdir()
        (tmp_path / "train" / "input" / "data.csv").write_text("id;x\n" + "".join(f"{name};1\n" for name in IDS))
        [finding] = told(tmp_path)
        assert finding.endswith("not looked into (it looks as if columns were separated by ';', not by commas)")

    def test_a_further_column_is_left_out_of_a_table_that_is_looked_into_and_else_refused(self, tmp_path: Path) -> None:
        self.with_columns(tmp_path / "one", "data", {"train": "id,a,b", "test": "c,b,a,id"})
        dataset = load_dataset(tmp_path / "one")
        assert dataset.input_columns == ("a", "b")
        write_test_inputs(dataset, "test", tmp_path / "hidden")
        assert (tmp_path / "hidden" / "data.csv").read_text().startswith("id,a,b\n")
        self.with_columns(tmp_path / "two", "genes", {"train": "id,a,b", "test": "c,b,a,id"})
        assert refusal(tmp_path / "two") == (
            "test/input/genes.csv, line 1: column 'c' is not in train; all splits need the same ones"
        )

    def test_tables_whose_columns_are_the_rows_may_differ(self, tmp_path: Path) -> None:
        for split, ids in (("train", IDS), ("test", ["t1", "t2"])):
            write_labels(tmp_path / split, ids)
            write_csv(tmp_path / split / "input" / "data.csv", ["gene", *ids], [["TP53", *ids]])
        assert load_dataset(tmp_path).train.frame is None

    @staticmethod
    def with_columns(root: Path, name: str, headers: dict[str, str]) -> None:
        for split, header in headers.items():
            ids = IDS if split == "train" else ["t1", "t2"]
            write_labels(root / split, ids)
            columns = header.split(",")
            rows = [
                [row if column == "id" else n % (ord(column) - 90) for column in columns] for n, row in enumerate(ids)
            ]
            write_csv(root / split / "input" / f"{name}.csv", columns, rows)

    def test_a_table_of_another_name_is_held_against_the_labels_where_it_is_the_only_file(self, tmp_path: Path) -> None:
        write_labels(tmp_path / "train", IDS)
        table = tmp_path / "train" / "input" / "genes.tsv"
        table.parent.mkdir()
        table.write_text("id\tx\n" + "".join(f"{name}\t1\n" for name in [*IDS, "s900"]))
        assert told(tmp_path) == ["train/input/genes.tsv: 1 row has no label and is left out, such as s900"]
        assert read_columns(imported(load_dataset(tmp_path), tmp_path) / "genes.tsv", ["id"]).values["id"] == IDS
        table.write_text("id\tx\ns000\t1\n")
        assert refusal(tmp_path).startswith("train/input/genes.tsv: no row for 19 of the 20 ids")


def test_a_labelled_id_of_two_splits_is_told_with_both_folders(tmp_path: Path) -> None:
    tabled(tmp_path, IDS, IDS)
    tabled(tmp_path, ["s000", "t1"], ["s000", "t1"], "test")
    assert refusal(tmp_path).startswith(
        "test/labels.csv, line 2, column 'id': id 's000' stands in train/labels.csv, line 2 already"
    )


class TestFasta:
    def test_labelled_ids_without_a_sequence_are_refused(self, tmp_path: Path) -> None:
        assert refusal(fastaed(tmp_path, IDS, IDS[:3])) == (
            "train/input/seq.fa: no sequence for 17 of the 20 ids in labels.csv, the first is 's003' (labels.csv, "
            "line 5); every labelled id needs its input, and the ids there are such as s000"
        )

    def test_a_header_that_stands_twice_is_refused(self, tmp_path: Path) -> None:
        assert refusal(fastaed(tmp_path, IDS, [*IDS, "s001"])).startswith(
            "train/input/seq.fa, line 61, header: id 's001' stands in line 4 already"
        )

    def test_where_headers_name_the_rows_of_train_they_must_in_every_split(self, tmp_path: Path) -> None:
        fastaed(tmp_path, IDS, IDS)
        fastaed(tmp_path, ["t1", "t2"], ["u1", "u2"], "test")
        assert refusal(tmp_path).startswith("test/input/seq.fa: no sequence for 2 of the 2 ids in labels.csv")

    def test_sequences_without_a_label_are_told_and_left_out(self, tmp_path: Path) -> None:
        fastaed(tmp_path, IDS, ["x1", *IDS, "x2"])
        dataset = load_dataset(tmp_path)
        assert told(tmp_path) == ["train/input/seq.fa: 2 sequences have no label and are left out, such as x1"]
        assert facts_of(dataset).fasta_ids
        lines = (imported(dataset, tmp_path) / "seq.fa").read_text().splitlines()
        assert [line for line in lines if line.startswith(">")] == [f">{name} said" for name in IDS]
        assert len(lines) == 3 * len(IDS)

    def test_rows_of_two_sequences_may_stand_in_two_files(self, tmp_path: Path) -> None:
        fastaed(tmp_path, IDS, IDS)
        fastaed(tmp_path, IDS, IDS, name="other.fa")
        assert told(tmp_path) == []

    def test_headers_of_which_none_is_an_id_are_refused_where_nothing_else_is_there(self, tmp_path: Path) -> None:
        assert refusal(fastaed(tmp_path, IDS, ["chr1", "chr2"])) == (
            "train/input/seq.fa: no sequence for 20 of the 20 ids in labels.csv, the first is 's000' (labels.csv, "
            "line 2); every labelled id needs its input, and the ids there are such as chr1"
        )

    def test_a_part_of_the_headers_that_is_an_id_is_named(self, tmp_path: Path) -> None:
        assert refusal(fastaed(tmp_path, IDS, [f"sp|{name}|X_HUMAN" for name in IDS])).endswith(
            "the ids there are such as sp|s000|X_HUMAN; 's000' in 'sp|s000|X_HUMAN' is an id: leave only that in the "
            "header, as '>s000'"
        )

    def test_headers_that_are_no_ids_beside_other_files_are_told_and_not_refused(self, tmp_path: Path) -> None:
        fastaed(tmp_path, IDS, ["chr1", "chr2"])
        (tmp_path / "train" / "input" / "regions.bed").write_text("chr1 1 2")
        assert told(tmp_path) == [
            "train/input/seq.fa: no header is an id of labels.csv, so its sequences cannot be matched to the labels "
            "(headers such as chr1, ids such as s000)"
        ]

    def test_files_that_are_named_after_the_ids_may_have_any_headers(self, tmp_path: Path) -> None:
        for name in IDS:
            fastaed(tmp_path, IDS, ["contig1", "contig2"], name=f"{name}.fa")
        assert told(tmp_path) == []

    def test_sequences_that_are_all_empty_are_refused(self, tmp_path: Path) -> None:
        file = fastaed(tmp_path, IDS, IDS) / "train" / "input" / "seq.fa"
        file.write_text("".join(f">{name}\n" for name in IDS))
        assert refusal(tmp_path) == (
            "train/input/seq.fa: no letter below any of the 20 headers; a sequence belongs there"
        )

    def test_sequences_beside_other_files_need_not_be_complete(self, tmp_path: Path) -> None:
        fastaed(tmp_path, IDS, IDS[:3])
        (tmp_path / "train" / "input" / "slide.png").write_bytes(b"png")
        assert told(tmp_path) == ["train/input/seq.fa: no sequence for 17 of the 20 ids in labels.csv, such as s003"]


class TestOtherFiles:
    @pytest.mark.parametrize("pattern", ["{}.png", "{}.nii.gz", "{}/slide.tif", "{}"])
    def test_files_that_are_named_after_every_id_need_no_words(self, tmp_path: Path, pattern: str) -> None:
        write_labels(tmp_path / "train", IDS)
        for name in IDS:
            path = tmp_path / "train" / "input" / pattern.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("pixels")
        (tmp_path / "train" / "input" / ".DS_Store").write_text("")
        assert told(tmp_path) == []

    def test_an_id_with_dots_is_found(self, tmp_path: Path) -> None:
        ids = [f"ENSG{number}.{number}" for number in range(12)]
        write_labels(tmp_path / "train", ids)
        (tmp_path / "train" / "input").mkdir()
        for name in ids:
            (tmp_path / "train" / "input" / f"{name}.npy").write_text("")
        assert told(tmp_path) == []

    def test_an_id_without_a_file_and_a_file_without_an_id_are_told(self, make_folder: MakeFolder) -> None:
        root = make_folder()
        inputs = root / "train" / "input"
        (inputs / "notes.txt").write_text("")
        assert told(root) == ["train/input: 1 file is named after no id of train/labels.csv, such as notes.txt"]
        (inputs / "s004.txt").unlink()
        assert told(root) == [
            "train/input: no file is named after 1 of the 20 ids in train/labels.csv, such as s004; whether these have "
            "inputs is not known"
        ]

    def test_files_that_cannot_be_matched_are_told(self, tmp_path: Path) -> None:
        write_labels(tmp_path / "train", IDS)
        (tmp_path / "train" / "input").mkdir()
        (tmp_path / "train" / "input" / "matrix.h5").write_bytes(b"h5")
        assert told(tmp_path) == [
            "train/input: no file is named after an id of train/labels.csv (files such as matrix.h5, ids such as "
            "s000); whether all have inputs is not known"
        ]

    def test_what_is_odd_in_a_test_split_stays_with_the_person(self, make_folder: MakeFolder) -> None:
        root = make_folder()
        (root / "test" / "input" / "s021.txt").unlink()
        dataset = load_dataset(root)
        assert not any("/input" in finding for finding in dataset.findings)
        assert any("test/input: no file is named after 1 of the 6 ids" in finding for finding in dataset.test_findings)


@given(inputs=st.lists(st.sampled_from([*IDS[:4], "x", "y"]), max_size=7), is_table=st.booleans())
def test_a_dataset_is_accepted_only_with_one_input_for_each_label_and_nothing_else_arrives(
    inputs: list[str], is_table: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = (tabled if is_table else fastaed)(Path(folder), IDS, [*IDS[4:], *inputs])
        complete = len(set(inputs)) == len(inputs) and set(IDS[:4]) <= set(inputs)
        if not complete:
            refusal(root)
            return
        dataset = load_dataset(root)
        import_dataset(dataset, root / "data")
        written = root / "data" / "train" / "input"
        if is_table:
            arrived = read_columns(written / "data.csv", ["id"]).values["id"]
        else:
            arrived = [line.split()[0][1:] for line in (written / "seq.fa").read_text().splitlines() if line[0] == ">"]
        assert sorted(arrived) == IDS


def test_a_table_beside_labels_in_another_order_stays_aligned(make_folder: MakeFolder) -> None:
    root = make_folder(table=True)
    extra = [*binary_rows(20)[::-1], ["s900", "1", "a", "ill"]]
    write_csv(root / "train" / "input" / "data.csv", ["id", "x", "kind"], [row[:3] for row in extra])
    frame = load_dataset(root).train.frame
    assert frame is not None
    assert frame["x"].tolist() == [float(str(row[1])) for row in binary_rows(20)]
