"""What the figures of the built-in policy's prediction exploration mean, for the reader of a report."""

import re
from collections.abc import Mapping
from typing import Any, Final

_LABEL: Final = "in the label's unit"
_MEANINGS: Final = {
    "rows": "Validation rows",
    "errors": "Rows classified wrongly",
    "error_rate": "Share of rows classified wrongly",
    "mcc": "Matthews correlation (1 perfect, 0 a guess)",
    "auroc": "AUROC (1 perfect, 0.5 a guess)",
    "confidence_right": "Mean probability of the predicted class, right predictions",
    "confidence_wrong": "Mean probability of the predicted class, wrong predictions",
    "overconfidence": "Mean probability of the predicted class less the share of right predictions (above 0: too sure)",
    "confident_errors": "Wrong predictions with a probability above 0.9",
    "classes_never_predicted": "Number of classes that are never predicted",
    "never_predicted": "Classes that are never predicted",
    "least_found": "Class of whose rows the smallest share is found",
    "least_found_recall": "Share of that class's rows that are found",
    "least_found_true": "Share of all rows that are of that class",
    "least_found_predicted": "Share of all rows that are predicted to be of that class",
    "mean_absolute_error": f"Mean absolute error, {_LABEL}",
    "median_absolute_error": f"Median absolute error, {_LABEL}",
    "error_of_the_median": f"Mean absolute error of always saying the median, {_LABEL}",
    "bias": f"Mean of prediction less label, {_LABEL}",
    "bias_lowest_tenth": f"Mean of prediction less label over the tenth of the rows with the lowest labels, {_LABEL}",
    "bias_highest_tenth": f"Mean of prediction less label over the tenth of the rows with the highest labels, {_LABEL}",
    "spread_of_predictions": "Standard deviation of the predictions, divided by that of the labels",
    "spearman": "Spearman rank correlation of predictions and labels",
    "worst_part": "Part of the rows with clearly the largest error",
    "worst_part_by": "Input by which that part is told",
    "worst_part_ratio": "Error in the part with the largest one, in times of the overall error",
    "easy_part": "Part of the rows with clearly the smallest error",
    "easy_part_ratio": "Error in the part with the smallest one, in times of the overall error",
    "highest_ratio": "Largest error of a quarter of the rows by an input, in times of the overall error",
    "lowest_ratio": "Smallest error of a quarter of the rows by an input, in times of the overall error",
}
_OF_A_CLASS: Final = {
    "recall": "Share of the rows of {} that are found",
    "true_share": "Share of all rows that are {}",
    "predicted_share": "Share of all rows that are predicted to be {}",
}
_FIGURE_OF_A_CLASS: Final = re.compile(rf"({'|'.join(_OF_A_CLASS)})_(.+)", re.DOTALL)


def meaning(name: str) -> str:
    """The words for one figure; an unknown name stays as it is."""
    if found := _FIGURE_OF_A_CLASS.fullmatch(name):
        return _OF_A_CLASS[found[1]].format(found[2])
    return _MEANINGS.get(name, name)


def in_words(statistics: Mapping[str, Any]) -> dict[str, Any]:
    """The same figures by their meanings."""
    return {meaning(name): value for name, value in statistics.items()}
