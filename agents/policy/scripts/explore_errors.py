"""Where a model is right and wrong on validation.

Usage: explore_errors.py --split DIR --predictions CSV --classes JSON --sequences JSON --numeric JSON
DIR is a split folder; ``--sequences`` maps columns to dna, rna or protein; ``--classes`` is [] for regression.
"""

# ruff: noqa: T201 - a program that is read by its output
import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import matthews_corrcoef, roc_auc_score

from agents.recipes.sources.whole_inputs import read_whole

PARTS = 4
SMALLEST = 20
ENOUGH = 10
"""Errors below which nothing is said of parts of the rows: fewer lie anywhere by chance."""
FEW = 5
"""Rows of a class below which nothing is said of it."""
MANY = 10
EXAMPLES = 4
SHOWN = 30
"""Letters of a sequence in an example."""
CLEAR = 2.5
"""Standard errors above the overall error; several parts are looked at, so two would be too few."""


@dataclass
class Judged:
    """Validation rows with their labels, predictions and errors, all in one order."""

    inputs: pd.DataFrame
    label: pd.Series
    prediction: pd.Series
    confidence: pd.Series | None
    """Probability of the predicted class; None for regression."""
    group: pd.Series | None
    classes: list[str]
    probabilities: pd.DataFrame | None = None
    """One column for each class."""

    @property
    def error(self) -> pd.Series:
        """1 for a wrong class; the absolute error of a number."""
        if self.classes:
            return (self.prediction != self.label).astype(float)
        return (self.prediction - self.label).abs()


def read_judged(split: Path, predictions: Path, classes: list[str]) -> Judged:
    def read(path: Path) -> pd.DataFrame:
        return pd.read_csv(path, dtype={"id": str}, low_memory=False).set_index("id")

    label = read(split / "labels.csv")["numeric_label"]
    inputs = read_whole(split, label.index, low_memory=False)
    label = label.reindex(inputs.index)
    predicted = read(predictions).reindex(inputs.index)
    group = split / "groups.csv"
    probabilities = predicted.filter(regex=r"^probability_\d+$")
    return Judged(
        inputs,
        label,
        predicted["prediction"],
        probabilities.max(axis=1) if classes else None,
        read(group)["group"].reindex(inputs.index) if group.is_file() else None,
        classes,
        probabilities,
    )


# --- figures ---------------------------------------------------------------------------------------------------------


def class_figures(judged: Judged) -> dict[str, Any]:
    """Error rate and MCC, recall and shares of each class, confidence of right and wrong predictions."""
    wrong = judged.error == 1
    figures: dict[str, Any] = {"rows": len(wrong), "errors": int(wrong.sum()), "error_rate": rounded(wrong.mean())}
    figures["mcc"] = rounded(matthews_corrcoef(judged.label.astype(int), judged.prediction.astype(int)))
    if len(judged.classes) == 2 and judged.probabilities is not None and judged.label.nunique() == 2:
        figures["auroc"] = rounded(roc_auc_score(judged.label == 1, judged.probabilities["probability_1"]))
    figures |= views_by_class(judged)
    if judged.confidence is not None:
        figures["confidence_right"] = rounded(judged.confidence[~wrong].mean())
        figures["confidence_wrong"] = rounded(judged.confidence[wrong].mean())
        figures["overconfidence"] = rounded(judged.confidence.mean() - (1 - wrong.mean()))
        figures["confident_errors"] = int((wrong & (judged.confidence > 0.9)).sum())
    return figures


def views_by_class(judged: Judged) -> dict[str, Any]:
    """How often each class is true, predicted and found; of many classes, those that are found least."""
    views: list[dict[str, Any]] = []
    for number, name in enumerate(judged.classes):
        true, predicted = judged.label == number, judged.prediction == number
        if true.any():
            view = {"name": name, "rows": int(true.sum()), "recall": rounded(predicted[true].mean())}
            views.append(view | {"true": rounded(true.mean()), "predicted": rounded(predicted.mean())})
    views.sort(key=lambda view: view["recall"])
    enough = [view for view in views if view["rows"] >= FEW]
    never = [view["name"] for view in enough if view["predicted"] == 0]
    figures: dict[str, Any] = {}
    if never:
        figures |= {"classes_never_predicted": len(never), "never_predicted": ", ".join(never[:MANY])}
    if enough:
        worst = enough[0]
        figures |= {"least_found": worst["name"]}
        figures |= {f"least_found_{what}": worst[what] for what in ("recall", "true", "predicted")}
    for view in views[:MANY]:
        figures[f"recall_{view['name']}"] = view["recall"]
        figures[f"true_share_{view['name']}"] = view["true"]
        figures[f"predicted_share_{view['name']}"] = view["predicted"]
    return figures


def number_figures(judged: Judged) -> dict[str, Any]:
    """Size, bias and shape of the residuals."""
    residual = judged.prediction - judged.label
    low, high = judged.label.quantile([0.1, 0.9])
    spread = float(judged.label.std() or 0.0)
    return {
        "rows": len(residual),
        "mean_absolute_error": rounded(residual.abs().mean()),
        "median_absolute_error": rounded(residual.abs().median()),
        "error_of_the_median": rounded((judged.label - judged.label.median()).abs().mean()),
        "bias": rounded(residual.mean()),
        "bias_lowest_tenth": rounded(residual[judged.label <= low].mean()),
        "bias_highest_tenth": rounded(residual[judged.label >= high].mean()),
        "spread_of_predictions": rounded(float(judged.prediction.std() or 0.0) / spread) if spread else None,
        "spearman": rounded(judged.prediction.rank().corr(judged.label.rank())),
    }


def rounded(value: float) -> float | None:
    """Four decimals, or as many digits where that would leave nothing of a small figure."""
    if not np.isfinite(value):
        return None
    return round(float(value), 4) if abs(value) >= 1 else float(f"{value:.4g}")


# --- parts of validation ---------------------------------------------------------------------------------------------


def views(judged: Judged, sequences: dict[str, str], numeric: list[str]) -> dict[str, pd.Series]:
    """Figures by which the rows can be parted: name to values."""
    found: dict[str, pd.Series] = {}
    for name, alphabet in sequences.items():
        text = judged.inputs[name].fillna("").astype(str).str.upper()
        found[f"length:{name}"] = text.str.len().astype(float)
        if alphabet != "protein":
            found[f"GC:{name}"] = text.str.count("[GC]") / text.str.len().clip(lower=1)
    found |= {name: judged.inputs[name].astype(float) for name in numeric}
    if judged.group is not None:
        found["group size"] = judged.group.map(judged.group.value_counts()).astype(float)
    return found


def enough_errors(judged: Judged) -> bool:
    return int((judged.error > 0).sum()) >= ENOUGH


def parts(judged: Judged, by: dict[str, pd.Series]) -> pd.DataFrame:
    """Quarters of each view: rows, mean error, its ratio to the overall one, and how many standard errors above it.

    None where there are fewer than ``ENOUGH`` errors.
    """
    error = judged.error
    overall, spread = error.mean(), error.std()
    rows = []
    for view, values in by.items() if enough_errors(judged) else ():
        if values.nunique() < 2:
            continue
        for bin_, inside in error.groupby(pd.qcut(values, PARTS, duplicates="drop"), observed=True):
            if len(inside) < max(SMALLEST, len(error) // 20) or len(inside) == len(error):
                continue
            above = (inside.mean() - overall) / max(spread / len(inside) ** 0.5, 1e-12)
            rows.append(
                (view, bin_.left, bin_.right, len(inside), inside.mean(), inside.mean() / max(overall, 1e-12), above)
            )
    return pd.DataFrame(rows, columns=["view", "low", "high", "rows", "error", "ratio", "above"])


def part_words(part: pd.Series) -> str:
    what, _, column = part["view"].partition(":")
    name = f"{what} of {column}" if column else what
    return f"rows with {name} above {part['low']:.4g}, up to {part['high']:.4g}"


# --- sentences -------------------------------------------------------------------------------------------------------


def confusions(judged: Judged) -> list[str]:
    """The commonest mistakes between classes."""
    wrong = judged.error == 1
    pairs = Counter(zip(judged.label[wrong].astype(int), judged.prediction[wrong].astype(int), strict=True))
    name = dict(enumerate(judged.classes))
    return [f"{name.get(a, a)} taken for {name.get(b, b)}: {count}" for (a, b), count in pairs.most_common(4)]


def shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def examples(judged: Judged, sequences: dict[str, str]) -> list[str]:
    """The worst rows: confident mistakes, or the largest errors."""
    rank = judged.error * judged.confidence if judged.confidence is not None else judged.error
    said = []
    for row in rank[judged.error > 0].nlargest(EXAMPLES).index:
        shown = ", ".join(f"{name} {shortened(str(judged.inputs.at[row, name]))}" for name in sequences)
        confidence = f" with probability {judged.confidence[row]:.2f}" if judged.confidence is not None else ""
        label, prediction = judged.label[row], judged.prediction[row]
        if judged.classes:
            label, prediction = judged.classes[int(label)], judged.classes[int(prediction)]
        else:
            label, prediction = f"{label:.4g}", f"{prediction:.4g}"
        said.append(f"id {row}: {label}, predicted {prediction}{confidence}{f' ({shown})' if shown else ''}")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description="Explore the errors on a split.")
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, required=True)
    parser.add_argument("--classes", type=json.loads, required=True)
    parser.add_argument("--sequences", type=json.loads, default={})
    parser.add_argument("--numeric", type=json.loads, default=[])
    options = parser.parse_args()
    judged = read_judged(options.split, options.predictions, options.classes)
    statistics = class_figures(judged) if judged.classes else number_figures(judged)
    found = parts(judged, views(judged, options.sequences, options.numeric)).sort_values("ratio", kind="stable")
    result: dict[str, Any] = {"statistics": statistics, "confusions": confusions(judged) if judged.classes else []}
    clear = found[found["above"] > CLEAR]
    if len(clear):
        worst = clear.iloc[-1]
        statistics |= {
            "worst_part": part_words(worst),
            "worst_part_by": str(worst["view"]),
            "worst_part_ratio": rounded(worst["ratio"]),
        }
    low = found[found["above"] < -CLEAR]
    if len(low):
        statistics |= {"easy_part": part_words(low.iloc[0]), "easy_part_ratio": rounded(low.iloc[0]["ratio"])}
    if len(found):
        statistics |= {
            "highest_ratio": rounded(found.iloc[-1]["ratio"]),
            "lowest_ratio": rounded(found.iloc[0]["ratio"]),
        }
    result["too_few_errors"] = not enough_errors(judged)
    result["examples"] = examples(judged, options.sequences)
    for line in (
        *(f"{name}: {value}" for name, value in statistics.items()),
        *result["confusions"],
        *result["examples"],
    ):
        print(line)
    print("RESULT: " + json.dumps(result))


if __name__ == "__main__":
    main()
