"""Scripts of a candidate keep the contract of train.py and inference.py, as real processes."""

import dataclasses
import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from agents.recipes.catalogue import Candidate, InputKind, candidates, ensemble
from agents.recipes.sources.problem import Problem, fit_best_of
from agents.vocabulary import TaskType
from tests.agents.recipes.recipe_runs import METRIC, Dataset, Workspace, assert_is_a_prediction, make
from tests.support.scripts import run_interpreter, run_script

TABLE = (InputKind.TABLE, TaskType.MULTICLASS, "protein")
PAIR = (InputKind.SEQUENCE_PAIR, TaskType.BINARY, "dna")


def combination(dataset: Dataset, family: str) -> Candidate:
    return next(one for one in candidates(dataset.profile) if one.family == family)


def trained(folder: Path, dataset: Dataset, candidate: Candidate, seed: int = 5) -> tuple[Workspace, str]:
    """The candidate trained on all but the last 30 rows, and what it printed."""
    train = dataset.write(folder / "train", slice(0, 60))
    validation = dataset.write(folder / "validation", slice(60, 90))
    workspace = Workspace.write(folder / "iteration", dataset, candidate, seed)
    return workspace, workspace.train(train, validation)


def test_predictions_have_one_row_for_each_id_and_the_label_column_name_is_no_trap(tmp_path: Path) -> None:
    dataset = make(*TABLE)
    workspace, printed = trained(tmp_path, dataset, combination(dataset, "hist_gradient_boosting"))
    unlabelled = dataset.write(tmp_path / "new", slice(60, 90), labels=False)
    table = workspace.predict(unlabelled, tmp_path / "out" / "predictions.csv")
    assert_is_a_prediction(table, list(dataset.inputs.index[60:90]), classes=3)
    assert np.mean(table["prediction"] == dataset.labels[60:90]) > 0.6
    assert printed.count("TRAINING_REPORT: ") >= 5


def test_reports_are_finite_json_with_losses_and_the_metric(tmp_path: Path) -> None:
    dataset = make(*TABLE)
    _, printed = trained(tmp_path, dataset, combination(dataset, "logistic"))
    *lines, saved = printed.splitlines()
    lines = [line.removeprefix("TRAINING_REPORT: ") for line in lines]
    reports = [json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} in a report")) for line in lines]
    for report in reports:
        assert {"epoch", "of", "train_loss", "validation_loss", "MCC", "message"} == set(report)
        assert 1 <= report["epoch"] <= report["of"]
    assert {"train_loss", "validation_loss", "MCC"} == set(json.loads(saved.removeprefix("SAVED: ")))


@pytest.mark.parametrize(("size", "told"), [(1e100, True), (1e155, False)])
def test_a_loss_that_is_too_large_for_a_number_is_left_out_and_no_other_is_cut(
    size: float, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(90, 2))
    y = size * (x[:, 0] + 3)
    problem = Problem(
        x_train=x[:60],
        y_train=y[:60],
        x_validation=x[60:],
        y_validation=y[60:],
        raw_train=x[:60],
        prepare=None,
        classes=0,
        metric="RMSE",
        seed=0,
        threads=1,
    )
    model = fit_best_of(problem, [100, 10, 1], lambda alpha: Ridge(alpha=alpha), "alpha")
    assert model is not None
    assert "Infinity" not in capsys.readouterr().out
    for report in problem.reports:
        for name in ("train_loss", "validation_loss"):
            assert (report[name] is not None) is told
            assert report[name] is None or report[name] > 1e190
        assert ("too large for a number" in report["message"]) is not told


def epochs(printed: str) -> list[int]:
    marker = "TRAINING_REPORT: "
    lines = [line.removeprefix(marker) for line in printed.splitlines() if line.startswith(marker)]
    return [json.loads(line)["epoch"] for line in lines]


def test_no_two_points_of_a_curve_share_an_epoch(tmp_path: Path) -> None:
    dataset = make(*TABLE)
    alone, other = (combination(dataset, family) for family in ("elastic_net", "logistic"))
    for number, candidate in enumerate((alone, ensemble(dataset.profile, [alone, other]))):
        _, printed = trained(tmp_path / str(number), dataset, candidate)
        assert epochs(printed) == list(range(1, len(epochs(printed)) + 1))


def test_class_weights_make_a_rare_class_predicted(tmp_path: Path) -> None:
    dataset = make(InputKind.TABLE, TaskType.BINARY)
    rare = dataset.labels * (np.arange(90) % 5 == 0)
    dataset = dataclasses.replace(dataset, labels=rare)
    plain = Candidate("standardised", "logistic", {"C": 0.003})
    predicted = []
    for number, settings in enumerate(({}, {"class_weight": "balanced"})):
        candidate = dataclasses.replace(plain, hyperparameters={**plain.hyperparameters, **settings})
        workspace, _ = trained(tmp_path / str(number), dataset, candidate)
        table = workspace.predict(tmp_path / str(number) / "validation", tmp_path / f"{number}.csv")
        predicted.append(int(table["prediction"].sum()))
    assert predicted[0] == 0 < predicted[1]


def test_input_may_be_a_folder_its_parent_a_csv_or_one_row(tmp_path: Path) -> None:
    dataset = make(*PAIR)
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "logistic"))
    new = dataset.write(tmp_path / "new", slice(60, 90))
    tables = [
        workspace.predict(source, tmp_path / "a.csv") for source in (new, new / "input", new / "input" / "data.csv")
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    single = dataset.write(tmp_path / "single", slice(70, 71), labels=False)
    alone = workspace.predict(single, tmp_path / "b.csv")
    assert_is_a_prediction(alone, ["0070"], classes=2)
    assert alone["probability_1"][0] == pytest.approx(tables[0]["probability_1"][10])


def test_rows_are_predicted_whatever_their_order(tmp_path: Path) -> None:
    dataset = make(InputKind.SEQUENCE, TaskType.REGRESSION)
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "ridge"))
    forwards = workspace.predict(dataset.write(tmp_path / "f", slice(0, 90)), tmp_path / "f.csv")
    backwards = workspace.predict(dataset.write(tmp_path / "b", slice(None, None, -1)), tmp_path / "b.csv")
    assert list(backwards["id"]) == list(forwards["id"])[::-1]
    assert np.allclose(backwards["prediction"][::-1], forwards["prediction"])


def test_unseen_categories_missing_values_and_strange_numbers_are_predicted(tmp_path: Path) -> None:
    dataset = make(InputKind.TABLE, TaskType.BINARY)
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "logistic"))
    odd = dataset.inputs.iloc[:5].astype(object)
    odd["cat"] = ["never seen", "", "NA", "low", "high"]
    odd["near"] = ["", "inf", "-1e300", "not a number", "0.1"]
    odd.to_csv(tmp_path / "odd.csv", index_label="id")
    table = workspace.predict(tmp_path / "odd.csv", tmp_path / "out.csv")
    assert_is_a_prediction(table, list(dataset.inputs.index[:5]), classes=2)


def test_training_on_few_rows_makes_the_same_files(tmp_path: Path) -> None:
    dataset = make(*TABLE)
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "logistic"))
    one_class_is_rare = (
        np.flatnonzero(dataset.labels < 2)[:19].tolist() + np.flatnonzero(dataset.labels == 2)[:1].tolist()
    )
    small = Dataset(dataset.profile, dataset.inputs.iloc[one_class_is_rare], dataset.labels[one_class_is_rare])
    mini = small.write(tmp_path / "mini", slice(None))
    workspace.train(mini, mini, tmp_path / "clean")
    workspace.predict(mini, tmp_path / "out.csv", "--artifacts-dir", tmp_path / "clean")
    names = {path.name for path in (tmp_path / "clean").iterdir()}
    assert (
        names
        == {path.name for path in workspace.artifacts.iterdir()}
        == {"model.joblib", "features.py", "training.json"}
    )


def test_a_class_that_train_lacks_has_probability_zero(tmp_path: Path) -> None:
    dataset = make(*TABLE)
    dataset.labels[dataset.labels == 1] = 0
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "extra_trees"))
    table = workspace.predict(dataset.write(tmp_path / "new", slice(0, 9)), tmp_path / "out.csv")
    assert_is_a_prediction(table, list(dataset.inputs.index[:9]), classes=3)
    assert (table["probability_1"] == 0).all()


def test_one_class_only_is_no_crash(tmp_path: Path) -> None:
    dataset = make(*PAIR)
    dataset.labels[:] = 1
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "logistic"))
    table = workspace.predict(dataset.write(tmp_path / "new", slice(0, 3)), tmp_path / "out.csv")
    assert (table["prediction"] == 1).all()


def test_the_snapshot_works_elsewhere_and_stays_as_it_is(tmp_path: Path) -> None:
    dataset = make(InputKind.EXPRESSION, TaskType.BINARY)
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "logistic"))
    moved = Workspace(workspace.root.rename(tmp_path / "best"), run_interpreter)
    (moved.root / "model_training" / "features.py").unlink()  # the artifacts need nothing beside them
    before = sorted(path.name for path in moved.artifacts.iterdir())
    table = moved.predict(dataset.write(tmp_path / "new", slice(60, 90)), tmp_path / "out.csv")
    assert_is_a_prediction(table, list(dataset.inputs.index[60:90]), classes=2)
    assert sorted(path.name for path in moved.artifacts.iterdir()) == before


def test_fasta_is_read_in_place_of_a_table(tmp_path: Path) -> None:
    dataset = make(InputKind.SEQUENCE, TaskType.BINARY)
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "logistic"))
    lines = [f">{name} some words\n{text}\n" for name, text in dataset.inputs["seq"].items()]
    (tmp_path / "new.fasta").write_text("".join(lines), encoding="utf-8")
    from_fasta = workspace.predict(tmp_path / "new.fasta", tmp_path / "a.csv")
    from_table = workspace.predict(dataset.write(tmp_path / "new", slice(None)), tmp_path / "b.csv")
    assert from_fasta.equals(from_table)


def test_the_same_seed_gives_the_same_predictions(tmp_path: Path) -> None:
    dataset = make(*PAIR)
    candidate = combination(dataset, "extra_trees")
    tables = []
    for name in ("first", "second"):
        workspace, _ = trained(tmp_path / name, dataset, candidate)
        new = dataset.write(tmp_path / name / "new", slice(None))
        tables.append(workspace.predict(new, tmp_path / name / "out.csv"))
    assert tables[0].equals(tables[1])


def test_an_ensemble_averages_its_members(tmp_path: Path) -> None:
    dataset = make(InputKind.TABLE, TaskType.BINARY)
    members = [combination(dataset, family) for family in ("logistic", "extra_trees")]
    tables = []
    for number, candidate in enumerate([*members, ensemble(dataset.profile, members)]):
        workspace, _ = trained(tmp_path / str(number), dataset, candidate)
        new = dataset.write(tmp_path / str(number) / "new", slice(60, 90))
        tables.append(workspace.predict(new, tmp_path / str(number) / "out.csv"))
    mean = (tables[0]["probability_1"] + tables[1]["probability_1"]) / 2
    assert np.allclose(tables[2]["probability_1"], mean)


def test_a_missing_column_label_or_model_is_one_clear_line(tmp_path: Path) -> None:
    dataset = make(InputKind.TABLE, TaskType.BINARY)
    workspace, _ = trained(tmp_path, dataset, combination(dataset, "logistic"))
    dataset.inputs.drop(columns="near").to_csv(tmp_path / "short.csv", index_label="id")
    inference = workspace.root / "model_inference" / "inference.py"
    short = run_interpreter(inference, "--input", tmp_path / "short.csv", "--output", tmp_path / "out.csv")
    no_model = run_script(inference, "--input", tmp_path, "--output", tmp_path / "o.csv", "--artifacts-dir", tmp_path)
    pd.DataFrame({"id": ["0000"], "numeric_label": [1]}).to_csv(tmp_path / "train" / "labels.csv", index=False)
    folders = ["--train-data", tmp_path / "train", "--validation-data", tmp_path / "validation"]
    unlabelled = run_script(workspace.root / "model_training" / "train.py", *folders, "--artifacts-dir", tmp_path / "a")
    for done, word in ((short, "'near'"), (no_model, "model.joblib"), (unlabelled, "'0001'")):
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert word in done.stderr


def every_candidate() -> list[object]:
    """Each pair that a kind offers for two classes and for numbers; each family for more classes."""
    cases: dict[object, object] = {}
    for kind, task, alphabet in product(InputKind, TaskType, ("protein", "dna")):
        for number, one in enumerate(candidates(make(kind, task, alphabet).profile)):
            pair = (kind, task, one.representation, one.family)
            key = (task, one.family) if task is TaskType.MULTICLASS else pair
            name = f"{kind}-{task}-{alphabet}-{one.representation}-{one.family}"
            cases.setdefault(key, pytest.param(kind, task, alphabet, number, id=name))
    return list(cases.values())


def with_few_trees(candidate: Candidate) -> Candidate:
    """The candidate, where it is a forest a small one: how many trees there are is no part of the contract."""
    if candidate.family not in ("extra_trees", "random_forest"):
        return candidate
    return dataclasses.replace(candidate, hyperparameters={**candidate.hyperparameters, "n_estimators": 40})


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "task", "alphabet", "number"), every_candidate())
def test_every_candidate_trains_on_all_and_on_few_rows_and_predicts(
    tmp_path: Path, kind: InputKind, task: TaskType, alphabet: str, number: int
) -> None:
    dataset = make(kind, task, alphabet)
    candidate = with_few_trees(candidates(dataset.profile)[number])
    workspace, printed = trained(tmp_path, dataset, candidate)
    assert printed.count("TRAINING_REPORT: ") >= 2
    assert METRIC[task] in printed
    table = workspace.predict(dataset.write(tmp_path / "new", slice(60, 90), labels=False), tmp_path / "out.csv")
    assert_is_a_prediction(table, list(dataset.inputs.index[60:90]), dataset.profile.classes)
    mini = dataset.write(tmp_path / "mini", slice(0, 12))
    workspace.train(mini, mini, tmp_path / "clean")
    assert {path.name for path in (tmp_path / "clean").iterdir()} == {
        path.name for path in workspace.artifacts.iterdir()
    }
