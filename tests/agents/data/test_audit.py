"""Columns that give the label away, repeats and copies."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.data.audit import (
    column_findings,
    leaking_columns,
    order_findings,
    repeated_columns,
    repeated_rows,
    shared_rows,
)
from agents.data.dataset import load_dataset
from agents.data.workspace import facts_of, import_dataset, prepare_predict_input
from agents.errors import UserError

from .conftest import MakeCsv, MakeFolder, write_csv

CLASSES = ("healthy", "ill", "worse")
LABELS = np.array([0, 1, 2, 1, 0, 2, 0, 1, 2, 0, 0, 1], dtype=float)


def leaks(values: object, labels: np.ndarray = LABELS, classes: tuple[str, ...] = CLASSES) -> str | None:
    return leaking_columns(pd.DataFrame({"c": values}), labels, classes, None).get("c")


def test_a_copy_of_the_label_is_found() -> None:
    assert leaks([CLASSES[int(label)] for label in LABELS]) == "equals the label in every row"


def test_renamed_classes_are_found() -> None:
    assert leaks(LABELS * 3 - 1) == "is the label under other names (-1.0 = healthy, 2.0 = ill, 5.0 = worse)"


def test_an_empty_cell_may_stand_for_a_class() -> None:
    assert leaks([{0: None, 1: "yes", 2: "very"}[int(label)] for label in LABELS]) is not None


def test_a_copy_with_holes_is_found() -> None:
    holed = [None if n == 3 else CLASSES[int(label)] for n, label in enumerate(LABELS)]
    assert leaks(holed) == "equals the label where it is filled (11 of 12 rows)"


def test_a_coarser_or_finer_column_is_no_copy() -> None:
    assert leaks(["healthy" if label == 0 else "not" for label in LABELS]) is None
    assert leaks([f"{label}{n % 2}" for n, label in enumerate(LABELS)]) is None


def test_one_wrong_row_makes_it_a_feature() -> None:
    names = [CLASSES[int(label)] for label in LABELS]
    names[5] = "ill"
    assert leaks(names) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-1000, 1000).map(lambda value: round(value, 3)), min_size=12, max_size=30, unique=True),
    st.floats(0.01, 100) | st.floats(-100, -0.01),
    st.floats(-100, 100),
)
def test_a_straight_line_through_the_label_is_found(values: list[float], factor: float, offset: float) -> None:
    labels = np.array(values)
    assert leaks(labels * factor + offset, labels, ()) is not None


def test_the_label_on_a_logarithmic_scale_is_found() -> None:
    labels = np.linspace(-1, 2, 15)[np.random.default_rng(0).permutation(15)]
    assert str(leaks(50_000 ** (1 - labels), labels, ())).startswith("is the label on another scale")


def test_a_strong_feature_of_a_regression_is_no_copy() -> None:
    labels = np.linspace(0, 1, 30)
    noisy = labels + np.random.default_rng(0).normal(0, 0.05, 30)
    assert leaks(noisy, labels, ()) is None
    assert leaks(np.where(labels > 0.5, 1.0, 0.0), labels, ()) is None
    assert leaks(["text"] * 30, labels, ()) is None


def test_an_id_under_another_name_is_found_as_text_and_as_number() -> None:
    frame = pd.DataFrame({"name": [f"p{n}" for n in range(12)], "number": range(12)})
    assert leaking_columns(frame, LABELS, CLASSES, [f"p{n}" for n in range(12)]) == {
        "name": "equals the id in every row"
    }
    assert leaking_columns(frame, LABELS, CLASSES, [f"{n:02d}" for n in range(12)]) == {
        "number": "equals the id in every row"
    }


def test_a_copy_is_withheld_also_where_it_is_named_as_an_input(make_csv: MakeCsv) -> None:
    rows = [[n % 5, n % 2, "ab"[n % 2]] for n in range(20)]
    metadata = {"label_column": "label", "input_columns": ["x", "numeric_label"]}
    found = load_dataset(make_csv(("x", "numeric_label", "label"), metadata, train=rows, test=rows[:3]))
    assert list(found.withheld) == ["numeric_label"]
    assert found.input_columns == ("x",)


def test_a_copy_in_a_table_of_the_folder_form_is_withheld_too(make_folder: MakeFolder, tmp_path) -> None:  # type: ignore[no-untyped-def]
    root = make_folder(table=True)
    for split, rows in (("train", range(20)), ("test", range(20, 26))):
        write_csv(root / split / "input" / "data.csv", ["id", "x", "y"], [[f"s{n:03d}", n % 7, n % 2] for n in rows])
    found = load_dataset(root)
    assert list(found.withheld) == ["y"]
    import_dataset(found, tmp_path / "data")
    assert (tmp_path / "data" / "train" / "input" / "data.csv").read_text().startswith("id,x\ns000,0\n")


def test_nothing_to_learn_from_is_an_error(make_csv: MakeCsv) -> None:
    rows = [[n % 2, "ab"[n % 2]] for n in range(20)]
    with pytest.raises(UserError, match="nothing to learn from"):
        load_dataset(make_csv(("x", "label"), train=rows))


def test_constant_and_repeated_columns_are_named() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [1.0, 2.0], "c": [5, 5], "d": [5, 5], "t": ["1", "2"]})
    assert column_findings(frame) == [
        "2 columns with one value only: c, d",
        "1 repeated column, kept: 'b' repeats 'a'",
    ]


NOISE = np.random.default_rng(0).normal(size=30)
EQUALS_A = {"b": "equals column 'a' in every row"}


@pytest.mark.parametrize(
    ("a", "b", "is_copy"),
    [
        (NOISE, NOISE, True),
        (np.where(NOISE > 1, math.nan, NOISE), np.where(NOISE > 1, math.nan, NOISE), True),
        (["left", "right", None] * 10, ["left", "right", None] * 10, True),
        (np.arange(30), np.arange(30.0), True),
        (NOISE, NOISE * (1 + 1e-15), False),
        (NOISE, np.where(np.arange(30) == 7, math.nan, NOISE), False),
        (2**53 + np.arange(30) // 2 * 2, 2**53 + np.arange(30) // 2 * 2 + (np.arange(30) == 0), False),
        (["1"] * 15 + ["2"] * 15, [1] * 15 + [2] * 15, False),
        ([5] * 30, [5] * 30, False),
        ([0] * 26 + [1] * 4, [0] * 26 + [1] * 4, False),
    ],
)
def test_a_column_that_equals_an_earlier_one_cell_by_cell_is_its_copy(a: object, b: object, is_copy: bool) -> None:
    assert repeated_columns(pd.DataFrame({"a": a, "b": b}), None) == (EQUALS_A if is_copy else {})


def test_a_column_that_differs_in_validation_is_no_copy() -> None:
    frame = pd.DataFrame({"a": NOISE, "b": NOISE})
    assert repeated_columns(frame, frame[:3]) == EQUALS_A
    assert repeated_columns(frame, frame[:3].assign(b=1.0)) == {}


def test_of_columns_that_are_alike_the_first_is_an_input_and_predict_asks_for_no_other(
    make_csv: MakeCsv, tmp_path: Path
) -> None:
    rows = [[n % 7, n % 5, n % 7, "ab"[n % 2], n % 7] for n in range(35)]
    root = make_csv(("x", "z", "again", "label", "more"), {"label_column": "label"}, train=rows, test=rows[:3])
    found = load_dataset(root)
    reason = "equals column 'x' in every row"
    assert found.withheld == {"again": reason, "more": reason}
    assert found.input_columns == ("x", "z")
    assert not any("repeat" in finding and "column" in finding for finding in found.findings)
    new = write_csv(tmp_path / "new.csv", ["z", "x"], [[1, 2]])
    assert prepare_predict_input(new, facts_of(found), tmp_path / "input") == ["row-0"]


def test_rows_that_repeat_and_disagree_are_counted() -> None:
    frame = pd.DataFrame({"a": [1, 1, 2, 1, math.nan, math.nan], "b": ["x", "x", "x", "x", "y", "y"]})
    assert repeated_rows(frame, np.array([0.0, 0, 0, 1, 1, 1])) == [
        "3 rows of train repeat the inputs of an earlier one, 1 of them with another label"
    ]
    assert repeated_rows(frame.iloc[1:5], np.zeros(4)) == ["1 row of train repeat the inputs of an earlier one"]
    assert repeated_rows(frame.iloc[2:5], np.zeros(3)) == []


def test_rows_of_test_that_stand_in_train_are_counted() -> None:
    train, test = pd.DataFrame({"a": ["x", "y"]}), pd.DataFrame({"a": ["y", "z", "y"]})
    assert shared_rows(train, test, "test") == [
        "2 of 3 rows of test have the inputs of a row of train: the test score will be too good"
    ]
    assert shared_rows(train, test.iloc[1:2], "test") == []


def test_sorted_labels_are_told() -> None:
    assert order_findings(np.array([0.0] * 5 + [1.0] * 5), ("a", "b"), numbered=True) != []
    assert order_findings(np.array([0.0, 1.0, 0.0, 1.0]), ("a", "b"), numbered=True) == []
    assert order_findings(np.arange(20.0)[::-1], (), numbered=False) != []


def test_values_that_no_model_can_square_are_told() -> None:
    frame = pd.DataFrame({"huge": [1.0, -1e308, 2.0], "fine": [1e150, 0.0, 1.0]})
    assert column_findings(frame) == [
        "1 column with values above 1e+150 in size, huge: their squares are no numbers, and many models fail on them"
    ]
