"""Metrics under counts of rows: the same as scoring the repeated rows, which the oracles of ``test_scoring`` judge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.evaluation.metrics import metrics_for
from agents.evaluation.predictions import Predictions
from agents.evaluation.scoring import compute_scores
from agents.evaluation.weighted import Rows, weighted_score
from agents.vocabulary import TaskType

CLASSES = {TaskType.BINARY: 2, TaskType.MULTICLASS: 4, TaskType.REGRESSION: 1}


def drawn(task: TaskType, seed: int, rows: int, *, ties: bool) -> tuple[Rows, Predictions]:
    """Labels and predictions of any quality; with ``ties`` many of them are equal."""
    random = np.random.default_rng(seed)
    classes = CLASSES[task]
    if task is TaskType.REGRESSION:
        truth = random.normal(50, 3, rows).round(0 if ties else 9)
        guess = (truth + random.normal(0, 3, rows)).round(0 if ties else 9)
        return Rows(task, truth, classes), Predictions(guess, None)
    truth = random.integers(0, classes, rows).astype(float)
    probabilities = random.dirichlet(np.ones(classes), rows)
    if ties:
        probabilities = np.maximum(probabilities.round(1), 0.1)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Rows(task, truth, classes), Predictions(probabilities.argmax(axis=1).astype(float), probabilities)


def repeated(rows: Rows, predictions: Predictions, counts: np.ndarray) -> dict[str, float | None]:
    picked = np.repeat(np.arange(len(rows)), counts)
    probabilities = None if predictions.probabilities is None else predictions.probabilities[picked]
    return compute_scores(
        rows.task_type, rows.truth[picked], Predictions(predictions.values[picked], probabilities), rows.n_classes
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(TaskType)), st.integers(0, 100_000), st.integers(2, 40), st.booleans())
def test_counts_score_like_the_repeated_rows(task: TaskType, seed: int, size: int, ties: bool) -> None:
    rows, predictions = drawn(task, seed, size, ties=ties)
    counts = np.random.default_rng(seed + 1).multinomial(size, np.full(size, 1 / size), 3)
    for metric in metrics_for(task):
        found = weighted_score(metric.name, rows, predictions)(counts.astype(float))
        for value, row in zip(found, counts, strict=True):
            expected = repeated(rows, predictions, row)[metric.name]
            if expected is None:
                assert not np.isfinite(value), metric.name
            else:
                assert value == pytest.approx(expected, abs=1e-9), metric.name


@pytest.mark.parametrize("task", list(TaskType))
def test_each_row_once_is_the_score_itself(task: TaskType) -> None:
    rows, predictions = drawn(task, 3, 60, ties=False)
    expected = compute_scores(task, rows.truth, predictions, rows.n_classes)
    for metric in metrics_for(task):
        [value] = weighted_score(metric.name, rows, predictions)(np.ones((1, 60)))
        assert value == pytest.approx(expected[metric.name])


def test_a_metric_of_the_other_task_is_refused() -> None:
    for task, metric in ((TaskType.REGRESSION, "AUROC"), (TaskType.BINARY, "MAE")):
        with pytest.raises(ValueError, match=f"{metric} is no metric of a"):
            weighted_score(metric, *drawn(task, 0, 10, ties=False))
