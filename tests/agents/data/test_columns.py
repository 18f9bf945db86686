"""What each column is for, by metadata and, where it is silent, by name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data.columns import ColumnRoles, assign_roles
from agents.data.metadata import Metadata
from agents.errors import UserError

TABLE = Path("train.csv")


def roles(header: list[str], *, folder_form: bool = False, **metadata: object) -> ColumnRoles:
    return assign_roles(TABLE, header, Metadata.model_validate(metadata), folder_form)


def refusal(header: list[str], **metadata: object) -> str:
    with pytest.raises(UserError) as caught:
        roles(header, **metadata)
    return str(caught.value)


def test_everything_but_label_id_and_group_is_an_input_in_file_order() -> None:
    found = roles(["z", "id", "donor", "y", "a"], label_column="y", group_column="donor")
    assert (found.label, found.id, found.group) == ("y", "id", "donor")
    assert (found.inputs, found.others) == (("z", "a"), ())
    assert found.needed == ("y", "id", "donor", "z", "a")
    assert found.findings == ("column 'id' is taken as the rows' id",)


def test_named_inputs_leave_the_others_without_a_role() -> None:
    found = roles(["a", "b", "c", "y"], label_column="y", input_columns=["c", "a"])
    assert (found.inputs, found.others) == (("a", "c"), ("b",))


def test_a_column_called_id_that_is_the_label_or_an_input_names_no_rows() -> None:
    assert roles(["id", "x"], label_column="id").id is None
    assert roles(["id", "x", "y"], label_column="y", input_columns=["id", "x"]).inputs == ("id", "x")


def test_an_id_or_group_that_is_named_as_an_input_is_told_and_is_none() -> None:
    found = roles(["s", "x", "y"], label_column="y", id_column="s", input_columns=["s", "x"])
    assert found.inputs == ("x",)
    assert "input_columns names 's', which is the id column; it is not an input" in found.findings


def test_the_folder_form_has_its_own_names_and_no_input_columns() -> None:
    found = roles(["id", "label", "batch"], folder_form=True, input_columns=["id"])
    assert (found.label, found.id, found.inputs) == ("label", "id", ())
    assert found.others == ("batch",)
    assert any("means nothing in the folder form" in finding for finding in found.findings)


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({}, "train.csv: which column is the label? Name it with --label-column"),
        ({"label_column": "status"}, "train.csv, line 1: no column 'status'; the columns are: id, x, y"),
        ({"label_column": "y", "group_column": "id"}, "train.csv: one column cannot be two of label, id and group"),
        ({"label_column": "y", "input_columns": ["y", "id"], "id_column": "id"}, "train.csv: no input column is left"),
        ({"label_column": "y", "input_columns": ["gene"]}, "train.csv, line 1: no column 'gene'"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_file(metadata: dict[str, object], told: str) -> None:
    assert refusal(["id", "x", "y"], **metadata).startswith(told)


def test_a_split_that_lacks_a_column_of_train_is_refused() -> None:
    with pytest.raises(UserError, match=r"test\.csv, line 1: no column 'x'; the columns are: id, y"):
        roles(["id", "x", "y"], label_column="y").check_header(Path("test.csv"), ["id", "y"])


@given(st.lists(st.text(min_size=1, max_size=4), min_size=3, max_size=8, unique=True), st.data())
def test_every_column_has_exactly_one_role(header: list[str], data: st.DataObject) -> None:
    label, group = data.draw(st.sampled_from(header)), data.draw(st.sampled_from([*header, None]))
    if group == label or group == "id":
        group = None
    found = roles(header, label_column=label, group_column=group)
    parts = [found.label, *filter(None, [found.id, found.group]), *found.inputs, *found.others]
    assert sorted(parts) == sorted(header)
