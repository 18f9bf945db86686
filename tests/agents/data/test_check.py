"""The one screen that says what was understood."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.data.check import HEIGHT, WIDTH, as_json, describe, main
from agents.data.dataset import load_dataset
from agents.data.labels import why_undefined
from agents.errors import UserError
from agents.evaluation.metrics import METRICS
from agents.evaluation.predictions import Predictions
from agents.evaluation.scoring import compute_scores
from agents.vocabulary import TaskType

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


HEADER = ("id", "x", "kind", "label")
ONE_CLASS = [row for row in binary_rows(20, 50) if row[3] == "ill"]


@pytest.mark.parametrize("metric", ["AUROC", "AUPRC", "MCC", "F1"])
def test_a_validation_split_by_which_no_model_can_be_chosen_is_refused_in_one_line(
    make_csv: MakeCsv, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = {"label_column": "label", "positive_class": "well", "metric": metric}
    root = make_csv(HEADER, metadata, train=binary_rows(40), validation=ONE_CLASS)
    assert main([str(root)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    [line] = printed.err.splitlines()
    assert line.startswith(f"{root / 'validation.csv'}: no model can be chosen by this validation split: {metric} is")
    assert line.endswith("another metric: ACC or LOG_LOSS")


def test_a_test_split_that_leaves_the_metric_undefined_is_told_to_the_person_alone(make_csv: MakeCsv) -> None:
    root = make_csv(HEADER, {"label_column": "label"}, train=binary_rows(40), test=ONE_CLASS)
    dataset = load_dataset(root)
    told = "AUROC will be undefined on test: only one class (ill)"
    assert told in dataset.test_findings and told not in dataset.findings
    assert any("AUROC will be undefined on test" in line for line in describe(dataset))
    assert not any("undefined" in finding for finding in load_dataset(root, metric="ACC").test_findings)


@pytest.mark.parametrize("metric", ["ACC", "LOG_LOSS"])
def test_one_class_is_enough_where_the_metric_is_defined_for_it(make_csv: MakeCsv, metric: str) -> None:
    metadata = {"label_column": "label", "metric": metric}
    assert load_dataset(make_csv(HEADER, metadata, train=binary_rows(40), validation=ONE_CLASS)).brings_validation


@pytest.mark.parametrize(("metric", "values"), [("R2", [2.5] * 9), ("SPEARMAN", [2.5] * 9), ("MAPE", [0, 1.5, 2.5])])
def test_measured_labels_by_which_no_model_can_be_chosen_are_refused(
    make_csv: MakeCsv, metric: str, values: list[float]
) -> None:
    train, given = ([[n % 7, value] for n, value in enumerate(v)] for v in ([n / 3 for n in range(30)], values))
    metadata = {"label_column": "label", "task_type": "regression", "metric": metric}
    root = make_csv(("x", "label"), metadata, train=train, validation=given)
    with pytest.raises(UserError, match=f"{metric} is not defined: .*MAE, MSE or RMSE"):
        load_dataset(root)


def test_a_class_that_cannot_be_on_both_sides_of_a_split_is_refused_where_the_score_needs_it(make_csv: MakeCsv) -> None:
    rows = [[n * 3 % 7, f"g{n // 8}", "ill" if n < 8 else "well"] for n in range(40)]
    metadata = {"label_column": "label", "group_column": "g"}
    root = make_csv(("x", "g", "label"), metadata, train=rows)
    with pytest.raises(UserError, match=r"all rows of class ill are one group, .* so AUROC would not be defined"):
        load_dataset(root)
    assert load_dataset(root, metric="ACC").metric.name == "ACC"
    third = [[n, f"h{n}", "dead"] for n in range(8)]
    root = make_csv(("x", "g", "label"), metadata, train=[*rows, *third])
    assert load_dataset(root).classes == ("dead", "ill", "well")


@given(st.sampled_from(TaskType), st.lists(st.integers(0, 2), min_size=1, max_size=8), st.integers(0, 99))
def test_a_metric_that_is_said_to_be_undefined_has_no_value_and_any_other_has_one(
    task: TaskType, labels: list[int], seed: int
) -> None:
    rng, classes = np.random.default_rng(seed), {TaskType.BINARY: 2, TaskType.MULTICLASS: 3}.get(task, 1)
    truth = np.array(labels, dtype=float) % classes if task.is_classification else np.array(labels, dtype=float)
    if task.is_classification:
        chances = rng.dirichlet(np.ones(classes), len(truth))
        # Where no row is positive F1 depends on the guesses: to guess none is then right.
        guess = chances.argmax(axis=1) if truth.any() else np.zeros(len(truth))
        predictions = Predictions(guess.astype(float), chances)
    else:
        predictions = Predictions(rng.normal(size=len(truth)), None)
    for name, value in compute_scores(task, truth, predictions, classes).items():
        said = why_undefined(METRICS[name], task, truth, ["a", "b", "c"])
        assert (value is None) == bool(said), (name, said)


@pytest.mark.parametrize(
    "name",
    ["AGO2_CLASH_Hejret", "breast_cancer", "antimicrobial_peptides", "breast_expression_er", "hla_a0201_affinity"],
)
def test_real_data_fit_on_one_screen(shared: Path, name: str) -> None:
    assert on_one_screen(describe(load_dataset(shared / name)))
