"""Scores against hand-computed values, scikit-learn and SciPy."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn import metrics as sk

from agents.evaluation.metrics import METRICS, is_better, metrics_for
from agents.evaluation.predictions import Predictions
from agents.evaluation.scoring import compute_scores
from agents.vocabulary import TaskType

KINDS = [(TaskType.BINARY, 2), (TaskType.MULTICLASS, 4)]


def classified(probabilities: object) -> Predictions:
    given = np.asarray(probabilities, dtype=float)
    return Predictions(given.argmax(axis=1).astype(float), given)


def guessed(positive: list[float]) -> Predictions:
    return classified([[1 - p, p] for p in positive])


def measured(values: object) -> Predictions:
    return Predictions(np.asarray(values, dtype=float), None)


def drawn(seed: int, rows: int, classes: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which each class has one, and probabilities; with ``ties`` many of them are equal."""
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), random.integers(0, classes, rows - classes)])
    probabilities = random.dirichlet(np.ones(classes), rows)
    if ties:
        probabilities = np.maximum(probabilities.round(1), 0.05)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    return labels, probabilities


def test_binary_scores_by_hand() -> None:
    found = compute_scores(TaskType.BINARY, np.array([0, 0, 1, 1]), guessed([0.1, 0.6, 0.4, 0.8]), 2)
    assert found["ACC"] == 0.5
    assert found["AUROC"] == 0.75  # of four pairs only (0.4, 0.6) is in the wrong order
    assert found["AUPRC"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found["F1"] == 0.5
    assert found["MCC"] == 0.0
    assert found["LOG_LOSS"] == pytest.approx(-sum(map(math.log, (0.9, 0.4, 0.4, 0.8))) / 4)


def test_regression_scores_by_hand() -> None:
    found = compute_scores(TaskType.REGRESSION, np.array([1.0, 2.0, 4.0]), measured([1, 3, 2]), 0)
    assert found["MSE"] == pytest.approx(5 / 3)
    assert found["RMSE"] == pytest.approx(math.sqrt(5 / 3))
    assert found["MAE"] == 1
    assert found["MAPE"] == pytest.approx((0 + 1 / 2 + 1 / 2) / 3)
    assert found["R2"] == pytest.approx(1 - 5 / (14 / 3))
    assert found["SPEARMAN"] == pytest.approx(0.5)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 100_000), st.integers(4, 80), st.booleans())
def test_binary_scores_agree_with_scikit_learn(seed: int, rows: int, ties: bool) -> None:
    labels, probabilities = drawn(seed, rows, 2, ties=ties)
    found = compute_scores(TaskType.BINARY, labels, classified(probabilities), 2)
    guess = probabilities.argmax(axis=1)
    assert found == pytest.approx(
        {
            "ACC": sk.accuracy_score(labels, guess),
            "AUROC": sk.roc_auc_score(labels, probabilities[:, 1]),
            "AUPRC": sk.average_precision_score(labels, probabilities[:, 1]),
            "F1": sk.f1_score(labels, guess),
            "MCC": sk.matthews_corrcoef(labels, guess),
            "LOG_LOSS": sk.log_loss(labels, probabilities),
        }
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 100_000), st.integers(8, 80), st.booleans())
def test_multiclass_scores_agree_with_scikit_learn(seed: int, rows: int, ties: bool) -> None:
    labels, probabilities = drawn(seed, rows, 4, ties=ties)
    found = compute_scores(TaskType.MULTICLASS, labels, classified(probabilities), 4)
    guess = probabilities.argmax(axis=1)
    assert found == pytest.approx(
        {
            "ACC": sk.accuracy_score(labels, guess),
            "AUROC": sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"),
            "AUPRC": sk.average_precision_score(np.eye(4)[labels], probabilities, average="macro"),
            "F1": sk.f1_score(labels, guess, average="macro"),
            "MCC": sk.matthews_corrcoef(labels, guess),
            "LOG_LOSS": sk.log_loss(labels, probabilities),
        }
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 100_000), st.integers(3, 80), st.booleans())
def test_regression_scores_agree_with_scikit_learn_and_scipy(seed: int, rows: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    labels = random.normal(50, 10, rows).round(0 if ties else 12) + np.r_[100, np.zeros(rows - 1)]
    guess = (labels + random.normal(0, 10, rows)).round(0 if ties else 12) + np.r_[100, np.zeros(rows - 1)]
    found = compute_scores(TaskType.REGRESSION, labels, measured(guess), 0)
    assert found == pytest.approx(
        {
            "MSE": sk.mean_squared_error(labels, guess),
            "RMSE": sk.root_mean_squared_error(labels, guess),
            "MAE": sk.mean_absolute_error(labels, guess),
            "MAPE": sk.mean_absolute_percentage_error(labels, guess),
            "R2": sk.r2_score(labels, guess),
            "PEARSON": stats.pearsonr(labels, guess).statistic,
            "SPEARMAN": stats.spearmanr(labels, guess).statistic,
        }
    )


def test_a_class_that_no_label_has_is_left_out_of_the_curves_and_kept_in_the_loss() -> None:
    labels, probabilities = drawn(0, 40, 3)
    wider = np.column_stack([probabilities * 0.9, np.full(len(labels), 0.1)])
    found = compute_scores(TaskType.MULTICLASS, labels, classified(wider), 4)
    known = compute_scores(TaskType.MULTICLASS, labels, classified(probabilities), 3)
    assert found["AUROC"] == pytest.approx(known["AUROC"])
    assert found["AUPRC"] == pytest.approx(known["AUPRC"])
    assert found["LOG_LOSS"] == pytest.approx(known["LOG_LOSS"] - math.log(0.9))


def test_one_class_leaves_undefined_what_compares_classes() -> None:
    found = compute_scores(TaskType.BINARY, np.array([0, 0]), guessed([0.2, 0.3]), 2)
    assert [name for name, value in found.items() if value is None] == ["AUROC", "AUPRC", "F1", "MCC"]
    assert found["ACC"] == 1


def test_a_classifier_that_always_says_the_same_has_mcc_zero() -> None:
    assert compute_scores(TaskType.BINARY, np.array([0, 1, 1]), guessed([0.9, 0.9, 0.9]), 2)["MCC"] == 0


def test_correlations_of_a_constant_are_undefined() -> None:
    found = compute_scores(TaskType.REGRESSION, np.array([1.0, 2.0, 3.0]), measured([2, 2, 2]), 0)
    assert found["PEARSON"] is None
    assert found["SPEARMAN"] is None
    assert found["R2"] == 0
    constant = compute_scores(TaskType.REGRESSION, np.array([2.0, 2.0]), measured([1, 2]), 0)
    assert constant["R2"] is None
    assert constant["PEARSON"] is None


def test_a_label_of_zero_leaves_the_percentage_error_undefined() -> None:
    assert compute_scores(TaskType.REGRESSION, np.array([0.0, 1.0]), measured([1, 1]), 0)["MAPE"] is None


def test_a_single_row_and_an_overflow_are_no_error() -> None:
    assert compute_scores(TaskType.REGRESSION, np.array([3.0]), measured([1]), 0)["MAE"] == 2
    assert compute_scores(TaskType.REGRESSION, np.array([3.0, 1.0]), measured([1e200, 1]), 0)["MSE"] is None


def test_certainty_that_is_wrong_gives_a_large_but_finite_loss() -> None:
    found = compute_scores(TaskType.BINARY, np.array([0, 1]), guessed([1.0, 0.0]), 2)
    assert found["LOG_LOSS"] is not None
    assert found["LOG_LOSS"] > 10


def test_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 labels, 1 predictions"):
        compute_scores(TaskType.REGRESSION, np.array([1.0, 2.0]), measured([1]), 0)


@pytest.mark.parametrize(("task", "classes"), KINDS)
def test_no_warning_of_a_library_gets_out(task: TaskType, classes: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compute_scores(task, np.zeros(5), classified(np.full((5, classes), 1 / classes)), classes)
        compute_scores(task, np.arange(5) % classes, classified(np.full((5, classes), 1 / classes) * 1.0005), classes)
        compute_scores(TaskType.REGRESSION, np.zeros(5), measured(np.zeros(5)), 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(KINDS))
def test_the_order_of_the_rows_does_not_matter(seed: int, kind: tuple[TaskType, int]) -> None:
    task, classes = kind
    labels, probabilities = drawn(seed, 30, classes)
    order = np.random.default_rng(seed).permutation(30)
    before = compute_scores(task, labels, classified(probabilities), classes)
    after = compute_scores(task, labels[order], classified(probabilities[order]), classes)
    assert after == pytest.approx(before)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(KINDS))
def test_noise_never_beats_the_truth_in_a_classification(seed: int, kind: tuple[TaskType, int]) -> None:
    task, classes = kind
    labels, probabilities = drawn(seed, 30, classes)
    truth = compute_scores(task, labels, classified(np.eye(classes)[labels]), classes)
    noise = compute_scores(task, labels, classified(probabilities), classes)
    for metric in metrics_for(task):
        assert truth[metric.name] == pytest.approx(metric.bounds[0], abs=1e-12)
        assert not is_better(metric, noise[metric.name], truth[metric.name])


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(float, 12, elements=st.floats(-100, 100), unique=True), st.integers(0, 10_000))
def test_noise_never_beats_the_truth_in_a_regression(labels: np.ndarray, seed: int) -> None:
    truth = compute_scores(TaskType.REGRESSION, labels, measured(labels), 0)
    noise = compute_scores(TaskType.REGRESSION, labels, measured(np.random.default_rng(seed).normal(0, 50, 12)), 0)
    for name, value in truth.items():
        if value is not None:
            assert not is_better(METRICS[name], noise[name], value + (1e-9 if METRICS[name].higher_is_better else 0))
