"""Labels that are missing under a name, and labels that no metric can work with."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data.labels import encode_labels, plan_labels
from agents.data.metadata import Metadata
from agents.data.tables import Columns
from agents.errors import UserError
from agents.vocabulary import TaskType

MISSING = ["NA", "NaN", "nan", "N/A", "<NA>", "None", "null", "?", " NA "]


def column(cells: list[str], name: str = "train") -> Columns:
    return Columns(Path(f"{name}.csv"), list(range(2, len(cells) + 2)), {"label": cells})


def classes(cells: list[str], **metadata: str) -> tuple[str, ...]:
    return plan_labels(column(cells), "label", Metadata.model_validate(metadata), None).classes


def refusal(cells: list[str], **metadata: str) -> str:
    with pytest.raises(UserError) as caught:
        classes(cells, **metadata)
    return str(caught.value)


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("metadata", [{}, {"task_type": "classification"}])
def test_among_numbers_it_is_a_missing_label(missing: str, metadata: dict[str, str]) -> None:
    said = refusal(["0", "1"] * 10 + [missing], **metadata)
    assert said.startswith("train.csv, line 22, column 'label': the label is missing: ")


def test_among_numbers_it_is_a_missing_label_at_any_share() -> None:
    assert refusal(["0", "1", "NA"] * 10).startswith(
        "train.csv, line 4, column 'label': the label is missing: 'NA' in this and 9 further rows is taken for no value"
    )


@pytest.mark.parametrize("missing", MISSING)
def test_a_tiny_share_among_words_is_missing_too(missing: str) -> None:
    assert "line 42, column 'label': the label is missing" in refusal(["case", "control"] * 20 + [missing])


def test_a_class_with_a_share_like_the_others_keeps_its_name_and_is_told() -> None:
    found = plan_labels(column(["mild", "severe", "none"] * 8), "label", Metadata.model_validate({}), None)
    assert found.classes == ("mild", "none", "severe")
    assert found.problems == ("none is a class here, not a missing label",)


def test_a_class_that_metadata_names_is_one_whatever_it_is_called() -> None:
    assert classes(["sick"] * 30 + ["none"] * 3, positive_class="sick", negative_class="none") == ("none", "sick")


@given(
    rows=st.lists(st.sampled_from(["0", "1", "2.0", "-3"]), min_size=10),
    missing=st.lists(st.sampled_from(MISSING), min_size=1, max_size=30),
)
def test_no_share_of_missing_labels_makes_a_class_among_numbers(rows: list[str], missing: list[str]) -> None:
    assert "the label is missing" in refusal([*rows, *missing])


def test_a_missing_label_of_another_split_is_told_as_one() -> None:
    plan = plan_labels(column(["0", "1"] * 10), "label", Metadata.model_validate({}), None)
    with pytest.raises(UserError, match=r"test\.csv, line 3, column 'label': the label is missing \('NaN'\)"):
        encode_labels(column(["1", "NaN"], "test"), "label", plan)


@pytest.mark.parametrize("cell", ["1e308", "-2e150", "1" + "0" * 200])
def test_a_label_whose_square_is_no_number_is_refused_with_its_row(cell: str) -> None:
    cells = [str(number / 7) for number in range(20)]
    plan = plan_labels(column(cells), "label", Metadata.model_validate({"task_type": "regression"}), None)
    assert plan.task_type is TaskType.REGRESSION
    with pytest.raises(UserError, match=r"train\.csv, line 22, column 'label': expected .*1e\+150.*found '-?\d"):
        encode_labels(column([*cells, cell]), "label", plan)


@given(st.floats(min_value=-1e150, max_value=1e150))
def test_any_other_finite_label_is_taken_as_it_is(value: float) -> None:
    plan = plan_labels(column(["0.5", "1"]), "label", Metadata.model_validate({"task_type": "regression"}), None)
    assert encode_labels(column([repr(value)]), "label", plan).tolist() == [value]
