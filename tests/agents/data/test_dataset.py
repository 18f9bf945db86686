"""Understanding a dataset: task, classes, ids, groups, and every way in which a file can be wrong."""

from pathlib import Path

import numpy as np
import pytest

from agents.data.dataset import load_dataset
from agents.data.tables import read_header
from agents.data.workspace import facts_of, prepare_predict_input
from agents.errors import UserError
from agents.vocabulary import TaskType

from .conftest import MakeCsv, MakeFolder, binary_rows, write_csv

HEADER = ("x", "label")


def labelled(labels: list[object]) -> list[list[object]]:
    return [[(n * 7) % 11, label] for n, label in enumerate(labels)]


def refusal(root: Path, **options: str) -> str:
    with pytest.raises(UserError) as caught:
        load_dataset(root, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{root}/", "")


def test_a_sound_dataset(make_csv: MakeCsv) -> None:
    found = load_dataset(make_csv())
    assert found.task_type is TaskType.BINARY
    assert found.classes == ("ill", "well")
    assert found.metric.name == "AUROC"
    assert found.input_columns == ("x", "kind")
    assert found.train.ids[:2] == ["s000", "s001"]
    assert found.train.labels[:3].tolist() == [0, 1, 0]
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 40, "test": 10}
    assert found.withheld == {}


def test_the_positive_class_is_number_one(make_csv: MakeCsv) -> None:
    for metadata in ({"positive_class": "ill"}, {"negative_class": "well"}):
        found = load_dataset(make_csv(metadata={"label_column": "label", **metadata}))
        assert found.classes == ("well", "ill")
        assert found.train.labels[0] == 1


@pytest.mark.parametrize(
    ("names", "positive"),
    [
        (["case", "control"], "case"),
        (["Malignant", "benign"], "Malignant"),
        (["1", "2"], "2"),
        (["-1", "1"], "1"),
        (["tumor", "disease"], "tumor"),
        (["a", "b"], "b"),
    ],
)
def test_a_positive_class_that_nobody_named_is_taken_by_convention_and_told(
    make_csv: MakeCsv, names: list[object], positive: str
) -> None:
    found = load_dataset(make_csv(HEADER, train=labelled(names * 8)))
    assert found.classes[1] == positive
    told = [finding for finding in found.findings if finding.startswith("positive_class is not named")]
    assert told == [
        f"positive_class is not named; {positive!r} is taken as positive (AUPRC, F1 and recall are about it); "
        "metadata.json can name it"
    ]


def test_a_named_class_is_no_assumption(make_csv: MakeCsv) -> None:
    for key in ("positive_class", "negative_class"):
        found = load_dataset(make_csv(HEADER, {"label_column": "label", key: "a"}, train=labelled(["a", "b"] * 8)))
        assert not any("positive_class" in finding for finding in found.findings)


def test_the_gravest_findings_come_first(make_csv: MakeCsv) -> None:
    rows = [[n % 7, 1, ("case", "control")[n // 10]] for n in range(20)]
    found = load_dataset(make_csv(("x", "one", "label"), train=rows, validation=rows[7:13], test=rows[:6]))
    starts = ["6 of 6 rows of test", "6 of 6 rows of validation", "rows of train are sorted", "13 rows of train repeat"]
    starts += ["positive_class is not named", "task_type is not given", "1 column with one value"]
    places = [next(n for n, told in enumerate(found.all_findings) if told.startswith(start)) for start in starts]
    assert places == sorted(places)
    assert found.all_findings[0].endswith("the test score will be too good")
    assert not any(" test " in finding for finding in found.findings)


def test_classes_that_are_numbers_are_ordered_as_numbers(make_csv: MakeCsv) -> None:
    root = make_csv(HEADER, train=labelled(["10", "9", "2"] * 5))
    found = load_dataset(root)
    assert found.task_type is TaskType.MULTICLASS
    assert found.classes == ("2", "9", "10")


@pytest.mark.parametrize("name", ["NA", "None", "nan", "null"])
def test_a_class_that_is_called_like_a_missing_value_survives(make_csv: MakeCsv, name: str) -> None:
    found = load_dataset(make_csv(HEADER, train=labelled([name, "grade 1"] * 8)))
    assert set(found.classes) == {name, "grade 1"}
    assert f"{name} is a class here, not a missing label" in found.findings


@pytest.mark.parametrize(
    ("labels", "task", "why"),
    [
        (["a", "b"] * 8, TaskType.BINARY, "the labels are text"),
        (["0", "1"] * 8, TaskType.BINARY, "the labels are 2 whole numbers"),
        ([str(n % 5) for n in range(20)], TaskType.MULTICLASS, "the labels are 5 whole numbers"),
        ([str(n) for n in range(40)], TaskType.REGRESSION, "the labels are 40 different numbers"),
        (["0.5", "1"] * 8, TaskType.REGRESSION, "the labels are 2 different numbers"),
    ],
)
def test_the_task_is_inferred_and_the_reason_told(
    make_csv: MakeCsv, labels: list[object], task: TaskType, why: str
) -> None:
    found = load_dataset(make_csv(HEADER, train=labelled(labels)))
    assert found.task_type is task
    assert any(why in finding for finding in found.findings)


def test_a_metric_tells_the_task(make_csv: MakeCsv) -> None:
    found = load_dataset(make_csv(HEADER, train=labelled(["0", "1"] * 8)), metric="rmse")
    assert found.task_type is TaskType.REGRESSION
    assert found.metric.name == "RMSE"


def test_rows_without_an_id_are_numbered_in_file_order(make_csv: MakeCsv) -> None:
    rows = labelled(["a", "b"] * 8)
    found = load_dataset(make_csv(HEADER, train=rows, validation=rows[:4], test=rows[:2], test_b=rows[:1]))
    assert found.train.ids[-1] == "train-15"
    assert found.splits["validation"].ids == [f"validation-{n}" for n in range(4)]
    assert found.splits["test_b"].ids == ["test_b-0"]


def test_an_id_keeps_its_zeros(make_csv: MakeCsv) -> None:
    rows = [[f"{n:04d}", n % 3, "ab"[n % 2]] for n in range(12)]
    found = load_dataset(make_csv(("id", "x", "label"), train=rows))
    assert found.train.ids[1] == "0001"


def test_the_label_on_the_command_line_overrides_the_file(make_csv: MakeCsv) -> None:
    root = make_csv(metadata={"label_column": "label", "positive_class": "ill", "metric": "ACC"})
    found = load_dataset(root, label_column="kind", metric="MCC")
    assert found.classes == ("a", "b")
    assert found.metric.name == "MCC"
    assert any("instead of 'label'" in finding for finding in found.findings)


def test_without_a_test_split_it_is_said_that_no_test_score_will_be_known(make_csv: MakeCsv) -> None:
    found = load_dataset(make_csv(train=binary_rows(20)))
    assert "no test split: no test score will be known" in found.findings


def test_byte_order_mark_windows_line_ends_and_quoted_line_ends(make_csv: MakeCsv) -> None:
    root = make_csv(metadata={"label_column": "label"})
    lines = ["id,note,label", *[f'{n},"first\r\nsecond, ""{n}""",{"ab"[n % 2]}' for n in range(12)]]
    (root / "train.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    (root / "test.csv").unlink()
    found = load_dataset(root)
    assert found.train.frame is not None
    assert found.train.frame["note"].iloc[3].splitlines() == ["first", 'second, "3"']


def test_twenty_thousand_columns(make_csv: MakeCsv) -> None:
    random = np.random.default_rng(0)
    header = ["label", *[f"g{n}" for n in range(20_000)]]
    rows = [["ab"[row % 2], *random.integers(0, 99, 20_000).tolist()] for row in range(12)]
    assert len(load_dataset(make_csv(header, train=rows)).input_columns) == 20_000


def test_groups_are_no_input_and_rows_without_one_stand_alone(make_csv: MakeCsv) -> None:
    rows = [[n % 5, ["g1", "g2", ""][n % 3], "ab"[n % 2]] for n in range(18)]
    root = make_csv(("x", "g", "label"), {"label_column": "label", "group_column": "g"}, train=rows, test=rows[:2])
    found = load_dataset(root)
    assert found.input_columns == ("x",)
    assert found.train.groups is not None
    assert len(set(found.train.groups)) == 2 + 6
    assert "6 rows of train have no group and stand alone" in found.findings
    assert "2 groups of test also in train, such as g1" in found.test_findings


def test_a_class_of_one_row_is_allowed_and_told(make_csv: MakeCsv) -> None:
    found = load_dataset(make_csv(HEADER, train=labelled(["a", "b"] * 8 + ["c"])))
    assert "one row only of class c: validation cannot have any" in found.findings


@pytest.mark.parametrize(
    ("splits", "metadata", "told"),
    [
        ({"train": ["a", "b"] * 4}, {}, "train.csv: 8 rows; at least 10 are needed"),
        ({"train": []}, {}, "train.csv: 0 rows; at least 10 are needed"),
        ({"train": ["a", "b"] * 6, "test": []}, {}, "test.csv: 0 rows; at least 1 are needed"),
        ({"train": ["a", "b"] * 5 + [" "]}, {}, "train.csv, line 12, column 'label': the label is missing"),
        ({"train": ["a"] * 12}, {}, "train.csv, column 'label': only one class, a; at least 2 are needed"),
        (
            {"train": [f"name {n}" for n in range(12)]},
            {},
            "train.csv, column 'label': 12 different classes in 12 rows; name the right label column",
        ),
        (
            {"train": ["a", "b"] * 6, "test": ["a", "c"]},
            {},
            "test.csv, line 3, column 'label': class 'c' is not among the classes of train: a, b",
        ),
        (
            {"train": ["1", "x"] * 6},
            {"task_type": "regression"},
            "train.csv, line 3, column 'label': expected a finite number as the label of a regression, found 'x'",
        ),
        (
            {"train": ["1", "2"] * 6, "test": ["inf"]},
            {"task_type": "regression"},
            "test.csv, line 2, column 'label': expected a finite number",
        ),
        ({"train": ["a", "b"] * 6}, {"positive_class": "B"}, "metadata.json: positive_class: no row has class 'B'"),
        ({"train": ["a", "b"] * 6}, {"metric": "RMSE", "task_type": "classification"}, "metric RMSE is not for"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(
    make_csv: MakeCsv, splits: dict[str, list[object]], metadata: dict[str, str], told: str
) -> None:
    rows = {name: labelled(labels) for name, labels in splits.items()}
    assert refusal(make_csv(HEADER, {"label_column": "label", **metadata}, **rows)).startswith(told)


def test_an_id_that_stands_twice_is_told_with_both_lines(make_csv: MakeCsv) -> None:
    rows = binary_rows(20)
    assert refusal(make_csv(train=[*rows, rows[2]])).startswith(
        "train.csv, line 22, column 'id': id 's002' stands in line 4"
    )
    assert refusal(make_csv(train=rows, test=rows[:1])).startswith(
        "test.csv, line 2, column 'id': id 's000' stands in train.csv, line 2"
    )


def test_a_missing_id_is_told(make_csv: MakeCsv) -> None:
    assert refusal(make_csv(train=[*binary_rows(20), ["", 1, "a", "ill"]])) == (
        "train.csv, line 22, column 'id': the id is missing"
    )


def test_a_column_that_is_text_in_one_split_only_is_text_in_all(make_csv: MakeCsv) -> None:
    test = binary_rows(4, 40)
    test[1][1] = "n/d"
    found = load_dataset(make_csv(train=binary_rows(40), test=test))
    assert found.train.frame is not None
    assert found.train.frame["x"].dtype == "str"
    assert found.train.frame["x"].iloc[0] == "0.50"


def test_words_among_numbers_are_found(make_csv: MakeCsv) -> None:
    rows = binary_rows(40)
    rows[3][1] = "below limit"
    found = load_dataset(make_csv(train=rows))
    assert "column 'x' holds numbers but 1 cell, such as 'below limit'" in found.findings


def test_the_folder_form_hands_over_any_files(make_folder: MakeFolder) -> None:
    found = load_dataset(make_folder())
    assert found.train.frame is None
    assert found.input_columns == ()
    assert found.train.source.name == "input"
    assert found.classes == ("well", "ill")


def test_a_table_in_the_folder_form_is_looked_into_and_aligned_to_the_labels(make_folder: MakeFolder) -> None:
    root = make_folder(table=True)
    rows = binary_rows(20)
    write_csv(root / "train" / "labels.csv", ["id", "label"], [[row[0], row[3]] for row in reversed(rows)])
    found = load_dataset(root)
    assert found.input_columns == ("x", "kind")
    assert found.train.ids[0] == "s019"
    assert found.train.frame is not None
    assert found.train.frame["kind"].iloc[0] == rows[19][2]


def test_a_fingerprint_changes_with_a_file(make_csv: MakeCsv, make_folder: MakeFolder) -> None:
    for root, file in ((make_csv(), "train.csv"), (make_folder(), "train/input/s000.txt")):
        before = load_dataset(root).fingerprint
        with (root / file).open("a") as out:
            out.write("\n")
        after = load_dataset(root).fingerprint
        assert before["train"] != after["train"]
        assert before["test"] == after["test"]


@pytest.mark.parametrize(
    ("name", "task", "metric", "classes", "rows", "inputs"),
    [
        ("AGO2_CLASH_Hejret", TaskType.BINARY, "AUPRC", ("0", "1"), (8193, 965), 2),
        ("breast_cancer", TaskType.BINARY, "AUROC", ("B", "M"), (398, 114), 30),
        ("antimicrobial_peptides", TaskType.BINARY, "AUPRC", ("non-AMP", "AMP"), (3688, 932), 1),
        ("breast_expression_er", TaskType.BINARY, "AUROC", ("negative", "positive"), (169, 29), 76),
        ("hla_a0201_affinity", TaskType.REGRESSION, "SPEARMAN", (), (668, 163), 1),
    ],
)
def test_real_data(
    shared: Path,
    name: str,
    task: TaskType,
    metric: str,
    classes: tuple[str, ...],
    rows: tuple[int, int],
    inputs: int,
) -> None:
    found = load_dataset(shared / name)
    assert (found.task_type, found.metric.name, found.classes) == (task, metric, classes)
    assert (len(found.train), len(found.splits["test"])) == rows
    assert len(found.input_columns) == inputs


def test_numeric_label_is_the_label_in_one_real_set_and_a_copied_feature_in_another(
    shared: Path, tmp_path: Path
) -> None:
    ago = load_dataset(shared / "AGO2_CLASH_Hejret")
    assert ago.withheld == {"numeric_label": "equals the label in every row"}
    breast = load_dataset(shared / "breast_cancer")
    assert breast.withheld == {"numeric_label": "equals column 'fractal_dimension_worst' in every row"}
    new = shared / "breast_cancer" / "infer.csv"
    assert "numeric_label" not in read_header(new)
    assert prepare_predict_input(new, facts_of(breast), tmp_path / "input")
