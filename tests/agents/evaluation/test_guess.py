"""What a constant guess scores, by hand."""

import numpy as np
import pytest

from agents.evaluation.guess import guess_score
from agents.vocabulary import TaskType


@pytest.mark.parametrize(
    ("metric", "expected"), [("AUROC", 0.5), ("AUPRC", 0.6), ("ACC", 0.4), ("MCC", 0.0), ("F1", 0.0)]
)
def test_a_guess_of_a_class_follows_the_shares_in_train(metric: str, expected: float) -> None:
    train, labels = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1, 1])
    assert guess_score(metric, TaskType.BINARY, train, labels, 2) == pytest.approx(expected)


@pytest.mark.parametrize(("metric", "expected"), [("MAE", 1.0), ("MSE", 5.0), ("SPEARMAN", None)])
def test_a_guess_of_a_number_is_the_mean_or_the_median_of_train(metric: str, expected: float | None) -> None:
    train, labels = np.array([0.0, 1.0, 8.0]), np.array([0.0, 2.0])
    assert guess_score(metric, TaskType.REGRESSION, train, labels, 1) == expected
