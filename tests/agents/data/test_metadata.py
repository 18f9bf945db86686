"""metadata.json, well and badly written."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data.metadata import Metadata, read_metadata
from agents.errors import UserError

NAME = st.text(min_size=1, max_size=10)


def refusal(folder: Path, text: str) -> str:
    (folder / "metadata.json").write_text(text)
    with pytest.raises(UserError) as caught:
        read_metadata(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


def test_without_the_file_nothing_is_said(tmp_path: Path) -> None:
    assert read_metadata(tmp_path) == Metadata.model_validate({})


@given(
    st.fixed_dictionaries(
        {"label_column": NAME},
        optional={
            "input_columns": st.lists(NAME, min_size=1, unique=True),
            "task_type": st.sampled_from(["classification", "regression"]),
            "positive_class": st.text(max_size=10),
            "metric": NAME,
        },
    )
)
def test_what_was_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]) -> None:
    folder = tmp_path_factory.mktemp("metadata")
    (folder / "metadata.json").write_text(json.dumps(values))
    assert read_metadata(folder).model_dump(exclude_none=True) == values


def test_a_class_may_be_written_as_a_number(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text('{"positive_class": 1, "negative_class": 0}')
    found = read_metadata(tmp_path)
    assert (found.positive_class, found.negative_class) == ("1", "0")


def test_unknown_keys_are_remembered(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text('{"label_column": "y", "target": "y", "unknown": 3}')
    assert read_metadata(tmp_path).unknown == ("target", "unknown")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"label_column": "y",}', "metadata.json, line 1, column 22: not JSON"),
        ("[]", "metadata.json: expected an object"),
        ('{"label_column": 3}', "metadata.json: label_column: expected a text in quotes"),
        ('{"label_column": ""}', "metadata.json: label_column: "),
        ('{"input_columns": "x"}', "metadata.json: input_columns: expected a list of column names"),
        ('{"input_columns": ["x", "x"]}', "metadata.json: input_columns: named twice: x"),
        ('{"task_type": "binary"}', "metadata.json: task_type: input should be 'classification' or 'regression'"),
        ('{"positive_class": "a", "negative_class": "a"}', "metadata.json: negative_class: the same as positive_class"),
        (f'{{"id_column": {"9" * 5000}}}', "metadata.json: a number there has too many digits"),
        ("[" * 200_000, "metadata.json: brackets are nested too deeply"),
        ('{"label_column": "y", "id_column": "y"}', "metadata.json: id_column: column 'y' is label_column already"),
    ],
)
def test_what_is_wrong_is_told_with_its_key(tmp_path: Path, text: str, told: str) -> None:
    assert refusal(tmp_path, text).startswith(told)


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").mkdir()
    with pytest.raises(UserError, match=r"metadata.json: is a folder; expected a JSON file$"):
        read_metadata(tmp_path)
    (tmp_path / "metadata.json").rmdir()
    os.mkfifo(tmp_path / "metadata.json")
    with pytest.raises(UserError, match=r"metadata.json: is no ordinary file"):
        read_metadata(tmp_path)


def test_another_label_forgets_what_was_said_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(
        '{"label_column": "y", "task_type": "regression", "metric": "R2", "id_column": "name"}'
    )
    metadata = read_metadata(tmp_path)
    assert metadata.for_label("y") == metadata.for_label(None) == metadata
    other = metadata.for_label("z")
    assert (other.label_column, other.task_type, other.metric, other.id_column) == ("z", None, None, "name")
