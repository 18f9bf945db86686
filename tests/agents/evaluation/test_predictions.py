"""Reading predictions that anything could have written."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.evaluation.predictions import PredictionError, read_predictions
from agents.vocabulary import TaskType

BINARY = "id,prediction,probability_0,probability_1\n"
IDS = ["a", "b", "c"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "predictions.csv"


def refusal(file: Path, text: str, ids: list[str] = IDS, task: TaskType = TaskType.BINARY, classes: int = 2) -> str:
    file.write_text(text)
    with pytest.raises(PredictionError) as caught:
        read_predictions(file, ids, task, classes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_rows_are_put_into_the_order_of_the_ids(file: Path) -> None:
    file.write_text(BINARY + "c,1,0.25,0.75\na,0,0.9,0.1\nb,1.0,0.5,0.5\n")
    found = read_predictions(file, IDS, TaskType.BINARY, 2)
    assert found.values.tolist() == [0, 1, 1]
    assert found.probabilities is not None
    assert found.probabilities[:, 1].tolist() == [0.1, 0.5, 0.75]


def test_regression_needs_no_probabilities_and_further_columns_do_no_harm(file: Path) -> None:
    file.write_text("comment,id,prediction\nx,b,-2e-3\ny,a,7\n")
    found = read_predictions(file, ["a", "b"], TaskType.REGRESSION, 0)
    assert found.values.tolist() == [7, -0.002]
    assert found.probabilities is None


def test_missing_extra_and_repeated_ids_are_counted_with_examples(file: Path) -> None:
    told = refusal(file, "id,prediction\nb,1\nb,2\nz,3\n", ["a", "b", "c", "d", "e"], TaskType.REGRESSION)
    assert "4 of 5 ids have no prediction (a, c, d and more)" in told
    assert "1 ids were not asked for (z)" in told
    assert "1 ids stand there more than once (b)" in told


def test_ids_that_were_read_as_numbers_are_recognised(file: Path) -> None:
    told = refusal(file, "id,prediction\n7,1\n8,2\n", ["007", "008"], TaskType.REGRESSION)
    assert "read the id column as text" in told


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "", "high"])
def test_a_number_that_is_not_finite_is_refused(file: Path, cell: str) -> None:
    told = refusal(file, f"id,prediction\na,1\nb,{cell}\nc,2\n", task=TaskType.REGRESSION)
    assert f"1 cells are no finite number ('{cell}' for id b)" in told


@pytest.mark.parametrize("cell", ["0.5", "2", "-1"])
def test_a_prediction_that_is_no_class_number_is_refused(file: Path, cell: str) -> None:
    told = refusal(file, BINARY + f"a,{cell},1,0\nb,0,1,0\nc,0,1,0\n")
    assert "no class number from 0 to 1" in told
    assert f"{cell} for id a" in told


def test_probabilities_outside_their_range_are_refused(file: Path) -> None:
    assert "1 rows have a probability outside 0 to 1 (id b)" in refusal(
        file, BINARY + "a,0,1,0\nb,0,1.2,-0.2\nc,0,1,0\n"
    )


def test_probabilities_must_sum_to_one_within_the_tolerance(file: Path) -> None:
    file.write_text(BINARY + "a,0,0.9995,0\nb,0,0.5,0.5008\nc,0,1,0\n")
    read_predictions(file, IDS, TaskType.BINARY, 2)
    assert "1 rows of probabilities do not sum to 1 (0.9 for id a)" in refusal(
        file, BINARY + "a,0,0.9,0\nb,0,1,0\nc,0,1,0\n"
    )


def test_missing_columns_are_named(file: Path) -> None:
    told = refusal(file, "id,prediction,probability_0\na,0,1\n", task=TaskType.MULTICLASS, classes=3)
    assert "no column probability_1, probability_2; the columns are: id, prediction, probability_0" in told


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xff\xfe\x00\x01", b"id,prediction\na,1,2\n", b'id,prediction\n"a,1\n', b"\x89PNG\r\n"]
)
def test_a_file_that_is_no_table_is_refused_in_one_line(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(PredictionError) as caught:
        read_predictions(file, IDS, TaskType.REGRESSION, 0)
    assert str(caught.value).startswith("predictions.csv")
    assert str(file.parent) not in str(caught.value)


def test_a_missing_file_is_refused(file: Path) -> None:
    with pytest.raises(PredictionError, match="no such file"):
        read_predictions(file, IDS, TaskType.REGRESSION, 0)


def test_a_huge_file_is_refused_unread(file: Path) -> None:
    with file.open("wb") as out:
        out.truncate(5_000_000_000)
    with pytest.raises(PredictionError, match="5000 MB is too large for the predictions of 3 rows"):
        read_predictions(file, IDS, TaskType.REGRESSION, 0)


@given(
    values=st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1).filter(str.strip),
        st.floats(allow_nan=False, allow_infinity=False),
        min_size=1,
    ),
    seed=st.randoms(use_true_random=False),
)
def test_what_was_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, values, seed) -> None:  # type: ignore[no-untyped-def]
    from agents.data.tables import write_table

    file = tmp_path_factory.mktemp("predictions") / "predictions.csv"
    rows = list(values.items())
    seed.shuffle(rows)
    write_table(file, ["id", "prediction"], [(identity, repr(value)) for identity, value in rows])
    found = read_predictions(file, list(values), TaskType.REGRESSION, 0)
    assert np.array_equal(found.values, np.array(list(values.values())))
