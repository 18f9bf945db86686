"""What a constant guess scores: the yardstick beside every score of a model."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.predictions import Predictions
from agents.evaluation.scoring import compute_scores
from agents.vocabulary import TaskType

CONSTANT_GUESS: Final = "constant_guess"
"""Where ``metrics.json`` of a test split holds the score of a constant guess."""
_OF_THE_MEDIAN: Final = ("MAE", "MAPE")
"""Metrics of absolute errors, for which the median is the better guess; the mean is for the others."""


def guess_score(
    metric: str, task_type: TaskType, train: NDArray[Any], labels: NDArray[Any], n_classes: int
) -> float | None:
    """Score on ``labels`` of saying the same of every row, learnt from the labels of ``train``; both of shape (rows,).

    Classes: their shares in train as probabilities, and the commonest class. Numbers: the mean, or for MAE and MAPE the
    median. None where the metric has no value, such as a correlation with something constant.
    """
    if task_type.is_classification:
        shares = np.bincount(train.astype(int), minlength=n_classes) / len(train)
        values = np.full(len(labels), float(shares.argmax()))
        guess = Predictions(values, np.tile(shares, (len(labels), 1)))
    else:
        value = np.median(train) if metric in _OF_THE_MEDIAN else np.mean(train)
        guess = Predictions(np.full(len(labels), float(value)), None)
    return compute_scores(task_type, labels, guess, n_classes)[metric]
