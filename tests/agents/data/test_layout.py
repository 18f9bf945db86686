"""Recognising a dataset, and the checks before a run."""

import json
import os
from pathlib import Path

import pytest

from agents.data.layout import DatasetForm, find_layout, preflight
from agents.errors import UserError

from .conftest import MakeCsv, MakeFolder, binary_rows, write_csv


def test_the_csv_form_may_have_several_test_splits_and_mixed_suffixes(make_csv: MakeCsv) -> None:
    root = make_csv(train=binary_rows(20))
    for name in ("test.csv", "test_external.tsv", "validation.csv.gz", "infer.csv"):
        (root / name).write_text("")
    layout = find_layout(root)
    assert layout.form is DatasetForm.CSV
    assert list(layout.splits) == ["train", "validation", "test", "test_external"]
    assert layout.tests == ["test", "test_external"]
    assert layout.ignored == ("infer.csv",)


def test_the_folder_form(make_folder: MakeFolder) -> None:
    root = make_folder()
    (root / "supplementary").mkdir()
    (root / "dataset_description.md").write_text("x")
    layout = find_layout(root)
    assert layout.form is DatasetForm.FOLDER
    assert list(layout.splits) == ["train", "test"]
    assert layout.supplementary is not None
    assert layout.description is not None
    assert layout.ignored == ()


def test_a_folder_without_train_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "train.CSV").write_text("a\n")
    with pytest.raises(UserError, match=r"not a dataset: neither train.csv nor train/ is there"):
        find_layout(tmp_path)


def test_a_missing_folder_and_a_file_are_told_apart(make_csv: MakeCsv) -> None:
    root = make_csv()
    with pytest.raises(UserError, match="no such folder"):
        find_layout(root / "nowhere")
    with pytest.raises(UserError, match="is a file; name the folder"):
        find_layout(root / "train.csv")


def test_two_files_that_claim_one_split_are_refused(make_csv: MakeCsv) -> None:
    root = make_csv()
    (root / "train.tsv").write_text("")
    with pytest.raises(UserError, match=r"both train.csv and train.tsv exist"):
        find_layout(root)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_folder_and_a_pipe_with_the_name_of_a_table_are_refused(make_csv: MakeCsv, split: str) -> None:
    root = make_csv()
    table = root / f"{split}.csv"
    table.unlink(missing_ok=True)
    table.mkdir()
    with pytest.raises(UserError, match=rf"{split}.csv: is a folder; a split is a table"):
        find_layout(root)
    table.rmdir()
    os.mkfifo(table)
    with pytest.raises(UserError, match=rf"{split}.csv: is no file that can be read again"):
        find_layout(root)


def test_two_forms_at_once_are_refused(make_csv: MakeCsv) -> None:
    root = make_csv()
    (root / "train").mkdir()
    with pytest.raises(UserError, match=r"both train/ and train.csv exist"):
        find_layout(root)


def test_a_split_folder_without_input_is_refused(make_folder: MakeFolder) -> None:
    root = make_folder()
    for file in (root / "test" / "input").iterdir():
        file.unlink()
    with pytest.raises(UserError, match="test/input: the folder is empty"):
        find_layout(root)
    (root / "test" / "input").rmdir()
    with pytest.raises(UserError, match="test: no folder input/"):
        find_layout(root)


def test_a_sound_dataset_passes_the_preflight(make_csv: MakeCsv, make_folder: MakeFolder) -> None:
    preflight(make_csv())
    preflight(make_folder())


def test_the_preflight_reads_no_further_than_the_header(make_csv: MakeCsv) -> None:
    root = make_csv()
    (root / "train.csv").write_text("id,x,kind,label\n1,2\n")
    preflight(root)


@pytest.mark.parametrize(
    ("metadata", "label", "metric", "told"),
    [
        ({}, None, None, "which column is the label. Name it with --label-column"),
        ({"label_column": "y"}, None, None, "no column 'y'; the columns are: id, x, kind, label"),
        ({"label_column": "label"}, "z", None, "no column 'z'"),
        ({"label_column": "label", "group_column": "g"}, None, None, "no column 'g'"),
        ({"label_column": "label", "input_columns": ["q"]}, None, None, "no column 'q'"),
        ({"label_column": "label", "input_columns": ["label"]}, None, None, "no input column is left"),
        ({"label_column": "label"}, None, "AUK", "metric 'AUK' is not known"),
        ({"label_column": "label", "metric": "nope"}, None, None, "metric 'nope' is not known"),
        ({"label_column": "label", "task_type": "regression"}, None, "AUROC", "AUROC is not for regression"),
        ({"label_column": "label", "task_type": "classification"}, None, "MSE", "MSE is not for classification"),
        ({"label_column": "id"}, None, None, ""),
    ],
)
def test_slips_are_told_before_a_run(
    make_csv: MakeCsv, metadata: dict[str, object], label: str | None, metric: str | None, told: str
) -> None:
    root = make_csv(metadata=metadata)
    if told:
        with pytest.raises(UserError, match=told):
            preflight(root, label, metric)
    else:
        preflight(root, label, metric)


def test_a_split_that_lacks_a_column_of_train_is_told(make_csv: MakeCsv) -> None:
    root = make_csv()
    write_csv(root / "test.csv", ["id", "x", "label"], [])
    with pytest.raises(UserError, match=r"test.csv, line 1: no column 'kind'"):
        preflight(root)


def test_a_table_may_name_its_label_on_the_command_line_only(make_csv: MakeCsv) -> None:
    root = make_csv()
    (root / "metadata.json").unlink()
    preflight(root, "label")


def test_a_wrong_separator_is_told_whether_the_label_is_named_or_not(make_csv: MakeCsv) -> None:
    root = make_csv(metadata={})
    (root / "train.csv").write_text("id;x;label\n1;2;a\n")
    for label in (None, "label"):
        with pytest.raises(UserError, match=r"train.csv, line 1: .*it looks as if columns were separated by ';'"):
            preflight(root, label)


def test_metadata_that_does_not_parse_stops_the_preflight(make_csv: MakeCsv) -> None:
    root = make_csv()
    (root / "metadata.json").write_text(json.dumps({"task_type": "guess"}))
    with pytest.raises(UserError, match="task_type"):
        preflight(root)
