"""Every metric of a task from labels and predictions. Nothing here knows of files or models."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as sk

from agents.evaluation.metrics import metrics_for
from agents.evaluation.predictions import Predictions
from agents.vocabulary import TaskType

Floats = NDArray[np.float64]


def compute_scores(
    task_type: TaskType, labels: NDArray[Any], predictions: Predictions, n_classes: int
) -> dict[str, float | None]:
    """Score predictions with every metric of the task, in the table's order.

    ``labels`` has shape (rows,): class numbers, or measured values. None stands for what is not defined: AUROC, AUPRC
    and MCC where the labels have one class only, correlations of something constant, R2 of constant labels, MAPE where
    a label is 0, anything that is not finite. A classifier that always says the same has MCC 0.

    Several classes: AUROC and AUPRC are means over the classes, each against the rest; a class that no label has (or
    that all have) has no such curve and is left out of the mean. F1 is the mean over the classes that occur among
    labels or predictions. LOG_LOSS counts every class of the task, whether it occurs or not.

    Raises :class:`ValueError` where the lengths differ or there are no rows.
    """
    truth = np.asarray(labels, dtype=np.float64)
    if len(truth) != len(predictions) or len(truth) == 0:
        raise ValueError(f"{len(truth)} labels, {len(predictions)} predictions; expected the same number above 0")
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if task_type is TaskType.REGRESSION:
            found = _regression(truth, predictions.values)
        else:
            found = _classification(task_type, truth.astype(int), predictions, n_classes)
    return {metric.name: found[metric.name] for metric in metrics_for(task_type)}


def _classification(
    task_type: TaskType, truth: NDArray[np.int_], predictions: Predictions, n_classes: int
) -> dict[str, float | None]:
    if predictions.probabilities is None or predictions.probabilities.shape[1] != n_classes:
        raise ValueError(f"expected probabilities of {n_classes} classes")
    guess = predictions.values.astype(int)
    ranked, probabilities = predictions.probabilities, normalised(predictions.probabilities)
    scored = [1] if task_type is TaskType.BINARY else list(range(n_classes))
    return {
        "ACC": _finite(sk.accuracy_score(truth, guess)),
        "AUROC": _mean_over(scored, truth, ranked, sk.roc_auc_score),
        "AUPRC": _mean_over(scored, truth, ranked, sk.average_precision_score),
        "F1": _f1(task_type, truth, guess),
        "MCC": _finite(sk.matthews_corrcoef(truth, guess)) if _varies(truth) else None,
        "LOG_LOSS": _finite(sk.log_loss(truth, probabilities, labels=list(range(n_classes)))),
    }


def normalised(probabilities: Floats) -> Floats:
    """Rows that sum to 1 as the logarithm wants it, where they did within a tolerance.

    For ranking they stay as they are: a division would tell apart by its rounding what is equal.
    """
    clipped = np.clip(probabilities, 0, 1)
    whole: Floats = clipped / clipped.sum(axis=1, keepdims=True)
    return whole


def _mean_over(
    classes: list[int], truth: NDArray[np.int_], probabilities: Floats, score: Callable[[Any, Any], float]
) -> float | None:
    """Mean over classes of a score of one class against the rest (Hand and Till 2001 discuss the alternatives)."""
    defined = [number for number in classes if 0 < int((truth == number).sum()) < len(truth)]
    values = [float(score(truth == number, probabilities[:, number])) for number in defined]
    return _finite(math.fsum(values) / len(values)) if values else None


def _f1(task_type: TaskType, truth: NDArray[np.int_], guess: NDArray[np.int_]) -> float | None:
    """2 TP / (2 TP + FP + FN) of class 1; its mean over the occurring classes where there are several."""
    if task_type is not TaskType.BINARY:
        return _finite(sk.f1_score(truth, guess, average="macro", zero_division=0))
    if not (truth == 1).any() and not (guess == 1).any():
        return None
    return _finite(sk.f1_score(truth, guess, pos_label=1, zero_division=0))


def _regression(truth: Floats, guess: Floats) -> dict[str, float | None]:
    mse = _finite(sk.mean_squared_error(truth, guess))
    related = len(truth) > 1 and _varies(truth) and _varies(guess)
    return {
        "MSE": mse,
        "RMSE": None if mse is None else math.sqrt(mse),
        "MAE": _finite(sk.mean_absolute_error(truth, guess)),
        "MAPE": _finite(np.mean(np.abs(guess - truth) / np.abs(truth))) if (truth != 0).all() else None,
        "R2": _finite(sk.r2_score(truth, guess)) if len(truth) > 1 and _varies(truth) else None,
        "PEARSON": _finite(stats.pearsonr(truth, guess).statistic) if related else None,
        "SPEARMAN": _finite(stats.spearmanr(truth, guess).statistic) if related else None,
    }


def _varies(values: NDArray[Any]) -> bool:
    return bool((values != values[0]).any())


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
