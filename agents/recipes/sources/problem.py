"""What a model is fitted to, how its progress is reported, and the fits that several families share."""

# ruff: noqa: T201
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import rankdata
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.metrics import average_precision_score, f1_score, matthews_corrcoef, roc_auc_score
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from agents.recipes.sources.prediction import predicted

FOLDS = 3
TOO_LARGE = 1e300
"""Stands for any larger loss, so that losses can be compared and averaged; no report tells it."""
ABSOLUTE = ("MAE", "MAPE")
"""Metrics of absolute errors; the loss follows them."""


@dataclass
class Problem:
    """Features and labels of train and validation, and everything that a family may use to fit a model.

    Validation rows serve to stop early and to report, never to fit.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    raw_train: np.ndarray
    """``x_train`` before ``prepare``, so that each fold is prepared from its own rows only."""
    prepare: Callable[[tuple[int, int]], Any] | None
    """Makes the unfitted steps between features and model; None where there are none."""
    classes: int
    """0 for regression."""
    metric: str
    seed: int
    threads: int
    groups: np.ndarray | None = None
    """Group of each training row; a group never straddles two folds."""
    title: str = ""
    """Goes in front of every message."""
    reports: list[dict[str, Any]] = field(default_factory=list)
    balanced: bool = False
    """All classes weigh the same in sum, whatever the metric."""
    epochs_before: int = 0
    """Epochs of the members that were fitted before, so that no two points of a curve share an epoch."""

    @property
    def absolute(self) -> bool:
        """Is the error of a regression measured by its size instead of its square?"""
        return self.metric in ABSOLUTE

    @property
    def class_weight(self) -> dict[int, float] | None:
        """Weight of each class, all classes the same in sum, where that is set or the metric is about rare ones."""
        if not self.classes or not (self.balanced or self.metric in ("F1", "MCC")):
            return None
        labels, counts = np.unique(self.y_train, return_counts=True)
        weights = len(self.y_train) / (len(labels) * counts)
        return {int(label): float(weight) for label, weight in zip(labels, weights, strict=True)}

    def report(self, epoch: int, of: int, model: Any, message: str) -> float:
        """Print where ``model`` stands as a TRAINING_REPORT line; gives the validation loss."""
        on_train = predicted(model, self.x_train, self.classes)
        on_validation = predicted(model, self.x_validation, self.classes)
        before = self.epochs_before
        line = {"epoch": before + epoch, "of": before + of, **self.figures(on_train, on_validation)}
        line["message"] = f"{self.title}{message}"
        self.reports.append(line)
        print(f"TRAINING_REPORT: {json.dumps(line)}", flush=True)
        return self.loss(self.y_validation, on_validation)

    def figures(self, on_train: np.ndarray, on_validation: np.ndarray) -> dict[str, Any]:
        """Both losses, None where one is too large to be a number, and the metric on validation where it is defined."""
        losses = {
            "train_loss": self.loss(self.y_train, on_train),
            "validation_loss": self.loss(self.y_validation, on_validation),
        }
        found: dict[str, Any] = {name: loss if loss < TOO_LARGE else None for name, loss in losses.items()}
        with np.errstate(over="ignore", invalid="ignore"):
            value = score(self.metric, self.y_validation, on_validation)
        if value is not None and np.isfinite(value):
            found[self.metric] = float(value)
        return found

    def loss(self, y: np.ndarray, prediction: np.ndarray) -> float:
        """Log loss of probabilities; mean absolute or squared error of numbers. At most ``TOO_LARGE``, never NaN."""
        if self.classes:
            return float(-np.log(np.maximum(prediction[np.arange(len(y)), y], 1e-7)).mean())
        with np.errstate(over="ignore", invalid="ignore"):
            error = np.abs(prediction - y)
            loss = float((error if self.absolute else error**2).mean())
        return loss if loss < TOO_LARGE else TOO_LARGE

    def folds(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Folds of the training rows; none where a class or the groups are too few."""
        rows = np.arange(len(self.y_train))
        smallest = int(np.unique(self.y_train, return_counts=True)[1].min()) if self.classes else len(rows)
        units = smallest if self.groups is None else min(smallest, len(np.unique(self.groups)))
        if units < FOLDS:
            return []
        if self.groups is None:
            plain = StratifiedKFold if self.classes else KFold
            return list(plain(FOLDS, shuffle=True, random_state=self.seed).split(rows, self.y_train))
        grouped = StratifiedGroupKFold(FOLDS) if self.classes else GroupKFold(FOLDS)
        folds = list(grouped.split(rows, self.y_train, self.groups))
        enough = not self.classes or all(
            len(counts) == len(np.unique(self.y_train)) and counts.min() >= max(smallest // 2, 2)
            for counts in (np.unique(self.y_train[fit], return_counts=True)[1] for fit, _ in folds)
        )
        return folds if enough else []


Fit = Callable[[Problem, dict[str, Any]], Any]
FAMILIES: dict[str, Fit] = {}


def family(name: str) -> Callable[[Fit], Fit]:
    """Enter a fitting function under the name of its model family."""

    def enter(fit: Fit) -> Fit:
        FAMILIES[name] = fit
        return fit

    return enter


def fit_model(problem: Problem, name: str, settings: dict[str, Any]) -> Any:
    """Fit the family ``name``; where the training rows have one class only, a model that always says so."""
    if problem.classes and len(np.unique(problem.y_train)) == 1:
        constant = DummyClassifier(strategy="prior").fit(problem.x_train, problem.y_train)
        problem.report(1, 1, constant, "only one class in train")
        return constant
    problem.balanced = settings.get("class_weight") == "balanced"
    return FAMILIES[name](problem, settings)


def fit_best_of(problem: Problem, values: Sequence[Any], make: Callable[[Any], Any], name: str) -> Any:
    """The model of the value with the least cross-validated loss on train, which is tried in the order given.

    ``values`` run from simple to complex; after two in a row that were no better the rest is left out. With rows
    too few for folds, the middle value is taken.
    """
    folds = problem.folds()
    if not folds or len(values) == 1:
        value = values[len(values) // 2]
        model = make(value).fit(problem.x_train, problem.y_train)
        problem.report(1, 1, model, f"{name} {value:g}")
        return model
    prepared = [_prepare_fold(problem, fit, held) for fit, held in folds]
    best, least, since = None, np.inf, 0
    for step, value in enumerate(values, start=1):
        losses = [_fold_loss(problem, make(value), *fold) for fold in prepared]
        model = make(value).fit(problem.x_train, problem.y_train)
        figure = f"{np.mean(losses):.4g}" if max(losses) < TOO_LARGE else "too large for a number"
        problem.report(step, len(values), model, f"{name} {value:g}: cross-validated loss {figure}")
        if np.mean(losses) < least:
            best, least, since = model, float(np.mean(losses)), 0
        else:
            since += 1
            if since == 2:
                break
    return best


Fold = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _prepare_fold(problem: Problem, fit: np.ndarray, held: np.ndarray) -> Fold:
    """Features and labels to fit to and to hold out, selected and scaled by the rows to fit to alone."""
    x_fit, x_held = problem.raw_train[fit], problem.raw_train[held]
    if problem.prepare:
        steps = problem.prepare(x_fit.shape).fit(x_fit, problem.y_train[fit])
        x_fit, x_held = steps.transform(x_fit), steps.transform(x_held)
    return x_fit, problem.y_train[fit], x_held, problem.y_train[held]


def _fold_loss(
    problem: Problem, model: Any, x_fit: np.ndarray, y_fit: np.ndarray, x_held: np.ndarray, y_held: np.ndarray
) -> float:
    return problem.loss(y_held, predicted(model.fit(x_fit, y_fit), x_held, problem.classes))


def calibrated(machine: Any, labels: np.ndarray) -> Any:
    """``machine`` with probabilities by Platt scaling on held-out folds of the rows that it is fitted to.

    ``labels`` are theirs; the base rate is predicted where a class has too few rows to hold any out.
    """
    smallest = int(np.unique(labels, return_counts=True)[1].min())
    if smallest < 2 or len(np.unique(labels)) < 2:
        return DummyClassifier(strategy="prior")
    return CalibratedClassifierCV(machine, cv=min(max(smallest // 2, 2), FOLDS), ensemble=False)


def fit_on_growing_rows(problem: Problem, make: Callable[[np.ndarray], Any], most: int) -> Any:
    """Fit to a tenth, a third and all of the rows (at most ``most``), so that a learning curve shows; gives the last.

    ``make`` gets the labels of the rows that the model is going to be fitted to.
    """
    model = None
    for step, rows in enumerate(_growing_rows(problem, most), start=1):
        labels = problem.y_train[rows]
        model = make(labels).fit(problem.x_train[rows], labels)
        problem.report(step, 3, model, f"{len(rows):,} rows")
    return model


def _growing_rows(problem: Problem, most: int) -> Iterator[np.ndarray]:
    """Rows in a random order in which each class is spread evenly, cut at a tenth, a third and all of ``most``."""
    order = np.random.default_rng(problem.seed).permutation(len(problem.y_train))
    if problem.classes:
        place = np.empty(len(order))
        for label in np.unique(problem.y_train):
            members = order[problem.y_train[order] == label]
            place[members] = np.arange(len(members)) / len(members)
        order = np.argsort(place, kind="stable")
    whole = min(len(order), most)
    for share in (10, 3, 1):
        yield np.sort(order[: max(-(-whole // share), min(whole, 20))])


def score(metric: str, y: np.ndarray, prediction: np.ndarray) -> float | None:
    """The value of ``metric``; None where it is undefined. Classes are averaged without weights (macro)."""
    if prediction.ndim == 1:
        return _regression_score(metric, y, prediction)
    label = prediction.argmax(axis=1)
    if metric in ("ACC", "F1", "MCC"):
        averaging = "binary" if prediction.shape[1] == 2 else "macro"
        return {
            "ACC": lambda: float((label == y).mean()),
            "F1": lambda: float(f1_score(y, label, average=averaging, zero_division=0)),
            "MCC": lambda: float(matthews_corrcoef(y, label)),
        }[metric]()
    if metric == "LOG_LOSS":
        return float(-np.log(np.maximum(prediction[np.arange(len(y)), y], 1e-15)).mean())
    present = [1] if prediction.shape[1] == 2 else range(prediction.shape[1])
    if metric not in ("AUROC", "AUPRC") or any(len(np.unique(y == one)) < 2 for one in present):
        return None
    area = roc_auc_score if metric == "AUROC" else average_precision_score
    return float(np.mean([area(y == one, prediction[:, one]) for one in present]))


def _regression_score(metric: str, y: np.ndarray, prediction: np.ndarray) -> float | None:
    error = prediction - y
    squared = float((error**2).mean())
    if metric in ("PEARSON", "SPEARMAN"):
        first, second = (rankdata(y), rankdata(prediction)) if metric == "SPEARMAN" else (y, prediction)
        return float(np.corrcoef(first, second)[0, 1]) if np.ptp(first) > 0 and np.ptp(second) > 0 else None
    if metric == "R2":
        return 1 - squared / float(y.var()) if y.var() > 0 else None
    if metric == "MAPE":
        return float(np.mean(np.abs(error) / np.maximum(np.abs(y), np.finfo(float).eps)))
    return {"MSE": squared, "RMSE": squared**0.5, "MAE": float(np.abs(error).mean())}.get(metric)
