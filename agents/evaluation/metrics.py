"""The one table of metrics: names, direction, range. Imports nothing heavy, so that screens may use it."""

import math
from dataclasses import dataclass
from typing import Final

from agents.errors import UserError
from agents.vocabulary import TaskType


@dataclass(frozen=True)
class Metric:
    """A score in the field's terms."""

    name: str
    title: str
    higher_is_better: bool
    for_regression: bool
    bounds: tuple[float, float | None]
    """Best value, then the worst one; None where there is no worst."""
    about: str
    """One line: what it says, and how it is formed where several classes or undefined values make a difference."""

    @property
    def direction(self) -> str:
        return "higher is better" if self.higher_is_better else "lower is better"


_TABLE: Final = (
    Metric("ACC", "accuracy", True, False, (1.0, 0.0), "Share of rows whose predicted class is right."),
    Metric(
        "AUROC",
        "area under the ROC curve",
        True,
        False,
        (1.0, 0.0),
        "Chance that a positive row is ranked above a negative one; several classes: mean of one against the rest.",
    ),
    Metric(
        "AUPRC",
        "average precision",
        True,
        False,
        (1.0, 0.0),
        "Precision averaged over recall; a guess scores the share of positives; several classes: mean of one "
        "against the rest.",
    ),
    Metric(
        "F1",
        "F1 score",
        True,
        False,
        (1.0, 0.0),
        "Harmonic mean of precision and recall of the positive class; several classes: their plain mean.",
    ),
    Metric(
        "MCC",
        "Matthews correlation coefficient",
        True,
        False,
        (1.0, -1.0),
        "Correlation of predicted and true classes; 0 for a guess, also with unequal classes.",
    ),
    Metric(
        "LOG_LOSS",
        "logarithmic loss",
        False,
        False,
        (0.0, None),
        "Mean of -ln of the probability given to the true class; punishes confident errors.",
    ),
    Metric("MSE", "mean squared error", False, True, (0.0, None), "Mean of the squared errors, in the label's unit²."),
    Metric("RMSE", "root mean squared error", False, True, (0.0, None), "Root of MSE, in the label's unit."),
    Metric("MAE", "mean absolute error", False, True, (0.0, None), "Mean size of the errors, in the label's unit."),
    Metric(
        "MAPE",
        "mean absolute percentage error",
        False,
        True,
        (0.0, None),
        "Mean of |error| / |label| as a fraction; undefined where a label is 0.",
    ),
    Metric(
        "R2",
        "coefficient of determination",
        True,
        True,
        (1.0, None),
        "Share of the labels' variance that is explained; 0 for always guessing their mean.",
    ),
    Metric(
        "PEARSON",
        "Pearson correlation",
        True,
        True,
        (1.0, -1.0),
        "How well a straight line relates predictions and labels.",
    ),
    Metric(
        "SPEARMAN",
        "Spearman rank correlation",
        True,
        True,
        (1.0, -1.0),
        "How well predictions put the labels into their order.",
    ),
)

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _TABLE}
"""Every metric by its name."""


def metrics_for(task_type: TaskType) -> tuple[Metric, ...]:
    """The metrics that a task of this type is scored with, in the table's order."""
    return tuple(metric for metric in _TABLE if metric.for_regression is not task_type.is_classification)


def default_metric(task_type: TaskType) -> Metric:
    """The metric of a dataset that names none: AUROC, or MAE for regression."""
    return METRICS["AUROC" if task_type.is_classification else "MAE"]


def metric_named(name: str, task_type: TaskType | None = None) -> Metric:
    """The metric that a person means, in any case of letters.

    ``task_type`` None stands for a task that is not known yet. Raises :class:`UserError`, with the allowed names,
    where there is no such metric or it does not fit the task.
    """
    metric = METRICS.get(name.strip().upper().replace("-", "_").replace(" ", "_"))
    allowed = _TABLE if task_type is None else metrics_for(task_type)
    if metric in allowed:
        return metric
    names = ", ".join(each.name for each in allowed)
    if metric is None:
        raise UserError(f"metric {name!r} is not known; use one of: {names}")
    task = "regression" if task_type is TaskType.REGRESSION else "classification"
    raise UserError(f"metric {metric.name} is not for {task}; use one of: {names}")


def is_better(metric: Metric, candidate: float | None, incumbent: float | None) -> bool:
    """Whether ``candidate`` beats ``incumbent``.

    Only a finite value can win; a finite value beats None, NaN and infinity; equal values do not replace each other.
    """
    if candidate is None or not math.isfinite(candidate):
        return False
    if incumbent is None or not math.isfinite(incumbent):
        return True
    return candidate > incumbent if metric.higher_is_better else candidate < incumbent
