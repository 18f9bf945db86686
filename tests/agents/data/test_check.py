"""The one screen that says what was understood."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agents.data.check import HEIGHT, WIDTH, as_json, describe
from agents.data.dataset import load_dataset

from .conftest import MakeCsv, MakeFolder, binary_rows, write_csv


def on_one_screen(lines: list[str]) -> bool:
    return len(lines) <= HEIGHT and all(len(line) <= WIDTH for line in lines[:-1])


def test_everything_stands_on_one_screen_and_ends_with_the_command(make_csv: MakeCsv) -> None:
    root = make_csv()
    lines = describe(load_dataset(root), ["--metric=MCC"])
    assert on_one_screen(lines)
    assert lines[-1] == f"run it: agentomics-tui run {root} --metric=MCC"
    text = "\n".join(lines)
    assert "0 = ill (negative): train 20 (50%), test 5 (50%)" in text
    assert "AUROC, area under the ROC curve: higher is better" in text
    assert "rows      train 40, test 10, named by column 'id'" in text


def test_a_dataset_with_much_to_say_still_fits(make_csv: MakeCsv) -> None:
    long = [f"{'a very long column name ' * 4}{n}" for n in range(60)]
    header = ["label", "copy", "copy 2", "copy 3", "copy 4", "g", *long]
    rows = [
        [
            f"class {n % 9}",
            n % 9,
            n % 9,
            n % 9,
            n % 9,
            n % 13,
            *[("" if (n + m) % 5 == 0 else (n * m) % 17) for m in range(60)],
        ]
        for n in range(60)
    ]
    metadata = {"label_column": "label", "group_column": "g", "note": 1, "source": 2}
    root = make_csv(header, metadata, train=rows, test=rows[:20], validation=rows[:20])
    lines = describe(load_dataset(root))
    assert on_one_screen(lines)
    assert "and 2 more" in "\n".join(lines)


def test_the_folder_form_and_regression(make_folder: MakeFolder, make_csv: MakeCsv) -> None:
    assert "inputs    20 files in input/ of train, handed over as they are" in describe(load_dataset(make_folder()))
    rows = [[n % 5, n / 10] for n in range(30)]
    lines = describe(load_dataset(make_csv(("x", "label"), train=rows)))
    assert "labels    train 0 to 2.9" in lines
    assert any("MAE" in line and "lower is better" in line for line in lines)


def test_json_holds_everything(make_csv: MakeCsv) -> None:
    told = json.loads(json.dumps(as_json(load_dataset(make_csv()))))
    assert told["task_type"] == "binary"
    assert told["class_rows"]["test"] == {"ill": 5, "well": 5}
    assert told["input_kinds"] == {"x": "numeric", "kind": "category"}


def test_it_runs_as_a_module(make_csv: MakeCsv) -> None:
    root = make_csv()
    write_csv(root / "train.csv", ["id", "x", "kind", "label"], [*binary_rows(20), [1, 2]])
    done = subprocess.run(
        [sys.executable, "-m", "agents.data.check", root], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert (done.stdout, done.stderr) == ("", f"{root}/train.csv, line 22: 2 cells; the header has 4 columns\n")


@pytest.mark.parametrize(
    "name",
    ["AGO2_CLASH_Hejret", "breast_cancer", "antimicrobial_peptides", "breast_expression_er", "hla_a0201_affinity"],
)
def test_real_data_fit_on_one_screen(shared: Path, name: str) -> None:
    assert on_one_screen(describe(load_dataset(shared / name)))
