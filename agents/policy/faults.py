"""What the statistics of a prediction exploration say against a model as a whole, before any part of the rows."""

from collections.abc import Mapping
from typing import Any, Final

NEAR_CHANCE: Final = 0.1
"""Matthews correlation below which the predicted classes hardly follow the true ones."""
RANKS: Final = 0.65
"""AUROC from which the probabilities of a collapsed classifier still tell the classes apart."""
LOW_RECALL: Final = 0.5
FAR_OFF: Final = 1.5
"""Bias of a tenth of the labels, in mean absolute errors, from which it is worth a sentence."""
FLAT: Final = 0.1
"""Spread of predictions, as a share of that of the labels, below which they are all but constant."""


def collapse(statistics: Mapping[str, Any]) -> str | None:
    """Why a model is of no use as it stands, in a sentence; None where it is of some."""
    mcc = _number(statistics, "mcc")
    if never := statistics.get("never_predicted"):
        also = f", MCC {mcc:.2f}" if mcc is not None else ""
        return f"The classifier has collapsed: {never} is never predicted{also}.{_ranking(statistics)}"
    if mcc is not None and mcc < NEAR_CHANCE:
        return f"The predicted classes hardly follow the true ones: MCC {mcc:.2f}.{_ranking(statistics)}"
    error, guess = _number(statistics, "mean_absolute_error"), _number(statistics, "error_of_the_median")
    spread = _number(statistics, "spread_of_predictions")
    if spread is not None and spread < FLAT:
        return f"The predictions are all but constant: they vary {spread:.2f} times as much as the labels."
    if error is not None and guess is not None and error >= guess > 0:
        return f"The model is no better than always saying the median: mean absolute error {error:g} against {guess:g}."
    return None


def faults(statistics: Mapping[str, Any]) -> list[str]:
    """Faults by label, the gravest first; empty where no class and no end of the labels is treated badly."""
    said = [collapsed] if (collapsed := collapse(statistics)) else []
    recall, name = _number(statistics, "least_found_recall"), statistics.get("least_found")
    if name is not None and recall is not None and recall < LOW_RECALL:
        true, predicted = (_number(statistics, f"least_found_{what}") or 0.0 for what in ("true", "predicted"))
        said.append(
            f"Of the rows of {name} {recall:.0%} are found; {true:.1%} of the rows are {name} and {predicted:.1%} are "
            "predicted so."
        )
    return said + _biases(statistics)


def _biases(statistics: Mapping[str, Any]) -> list[str]:
    error = _number(statistics, "mean_absolute_error")
    said = []
    for which in ("lowest", "highest"):
        bias = _number(statistics, f"bias_{which}_tenth")
        if bias is not None and error and abs(bias) > FAR_OFF * error:
            way = "high" if bias > 0 else "low"
            said.append(
                f"The tenth of the rows with the {which} labels is predicted too {way} by {abs(bias):.4g} on average, "
                f"{abs(bias) / error:.1f} times the mean absolute error of {error:.4g}."
            )
    return said


def _ranking(statistics: Mapping[str, Any]) -> str:
    """Whether the threshold alone is at fault."""
    area = _number(statistics, "auroc")
    if area is None:
        return ""
    if area >= RANKS:
        return (
            f" The probabilities still rank the rows (AUROC {area:.3f}), so the threshold of 0.5 is at fault: class "
            "weights or another threshold would mend it."
        )
    return f" The probabilities do not rank the rows either (AUROC {area:.3f})."


def _number(statistics: Mapping[str, Any], name: str) -> float | None:
    value = statistics.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
