"""From label cells to numbers: which kind of task it is, which classes there are and how they are numbered."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agents.data.audit import LARGEST_VALUE
from agents.data.metadata import FILE_NAME, Metadata
from agents.data.tables import Columns, some
from agents.errors import UserError
from agents.evaluation.metrics import METRICS, Metric
from agents.vocabulary import TaskType
from agents.wording import counted

MOST_INFERRED_CLASSES: Final = 20
"""Whole numbers with more different values than this are taken for measurements, not for classes."""

POSITIVE_WORDS: Final = frozenset(
    {
        "1",
        "+",
        "yes",
        "true",
        "positive",
        "pos",
        "present",
        "case",
        "cases",
        "disease",
        "diseased",
        "ill",
        "sick",
        "affected",
        "patient",
        "dead",
        "event",
        "tumor",
        "tumour",
        "cancer",
        "malignant",
        "metastatic",
        "pathogenic",
        "deleterious",
        "mutant",
        "toxic",
        "active",
        "binding",
        "binder",
        "bound",
        "hit",
        "responder",
        "resistant",
    }
)
"""Names, in small letters, by which a class is taken for the positive one where metadata.json names none."""

NO_VALUE_FOR_PREDICTIONS: Final = "the predictions allow none, as where they are all the same"
"""What leaves a metric without a value where the labels would allow one."""

_NEEDS_VARIETY: Final = frozenset({"AUROC", "AUPRC", "MCC", "R2", "PEARSON", "SPEARMAN"})
"""Metrics that compare rows of different labels."""

_LIKE_MISSING: Final = frozenset(
    {"na", "n/a", "#n/a", "<na>", "nan", "-nan", "none", "null", "missing", "unknown", "?", "."}
)
_TINY_SHARE: Final = 0.2
"""Of the usual class. A class that is called like a missing value and has no more rows than that is taken for one."""


@dataclass(frozen=True)
class Labelling:
    """How the label column is read."""

    task_type: TaskType
    classes: tuple[str, ...]
    """Class names in the order of their numbers; empty for regression."""
    problems: tuple[str, ...]
    """What may be wrong with the labels."""
    assumptions: tuple[str, ...]
    """What was decided because nobody said it, the weightiest first."""


def plan_labels(train: Columns, column: str, metadata: Metadata, metric: str | None) -> Labelling:
    """Decide the task by metadata, else by the metric, else by the labels of train.

    Text is a class. Numbers are classes where all are whole and at most :data:`MOST_INFERRED_CLASSES` differ, else
    measurements. The positive class has the number 1: the one that metadata names, else the one of two with a name of
    :data:`POSITIVE_WORDS`, else the larger number or the later in text order.

    Raises :class:`UserError` where labels are missing or do not fit the task. A cell such as ``NA`` is a missing label
    among numbers and where it is rare, else a class.
    """
    _check_present(train, column)
    if metadata.task_type != "regression":
        _check_no_missing_class(train, column, metadata)
    assumptions: list[str] = []
    kind: str | None = metadata.task_type
    if kind is None:
        kind, why = _infer_kind(train.values[column], metadata, metric)
        assumptions.append(f"task_type is not given: taken for {kind}, {why}")
    if kind == "regression":
        named = metadata.positive_class is not None or metadata.negative_class is not None
        problems = ("positive_class and negative_class mean nothing for regression",) if named else ()
        return Labelling(TaskType.REGRESSION, (), problems, tuple(assumptions))
    names = [cell.strip() for cell in train.values[column]]
    classes = _ordered_classes(train.path, column, names, metadata)
    task_type = TaskType.BINARY if len(classes) == 2 else TaskType.MULTICLASS
    if task_type is TaskType.BINARY and metadata.positive_class is None and metadata.negative_class is None:
        assumptions.insert(
            0,
            f"positive_class is not named; {classes[1]!r} is taken as positive "
            f"(AUPRC, F1 and recall are about it); {FILE_NAME} can name it",
        )
    return Labelling(task_type, tuple(classes), _class_problems(Counter(names), metadata), tuple(assumptions))


def encode_labels(columns: Columns, column: str, labelling: Labelling) -> NDArray[np.float64]:
    """Class numbers, or the measured values; raises :class:`UserError` with file, line and column."""
    _check_present(columns, column)
    if labelling.task_type is TaskType.REGRESSION:
        return np.array([_number(columns, column, row) for row in range(len(columns))], dtype=np.float64)
    numbers = {name: number for number, name in enumerate(labelling.classes)}
    codes = np.empty(len(columns), dtype=np.float64)
    for row, cell in enumerate(columns.values[column]):
        number = numbers.get(cell.strip())
        if number is None and _is_like_missing(cell):
            raise UserError(f"{_place(columns, column, row)}: the label is missing ({cell.strip()!r})")
        if number is None:
            raise UserError(
                f"{_place(columns, column, row)}: class {cell.strip()!r} is not among the classes of train: "
                f"{some(labelling.classes, 6)}"
            )
        codes[row] = number
    return codes


def why_undefined(metric: Metric, task_type: TaskType, labels: NDArray[np.float64], classes: Sequence[str]) -> str:
    """That and why ``metric`` has no value for any predictions of rows with these labels; empty where it has one."""
    cause = cause_undefined(metric, task_type, labels, classes)
    return f"{metric.name} is not defined: {cause}" if cause else ""


def cause_undefined(metric: Metric, task_type: TaskType, labels: NDArray[np.float64], classes: Sequence[str]) -> str:
    """What of these labels leaves ``metric`` without a value, whatever is predicted; empty where nothing does.

    ``labels`` has shape (rows,): class numbers, or measured values. The rules are those of ``compute_scores``.
    """
    values = set(labels.tolist())
    if task_type is TaskType.REGRESSION:
        if metric.name in _NEEDS_VARIETY and len(values) < 2:
            return "all labels are the same"
        if metric.name == "MAPE" and 0.0 in values:
            return "a label is 0"
        return ""
    if metric.name in _NEEDS_VARIETY and len(values) < 2:
        return f"only one class ({classes[int(labels[0])]})"
    if metric.name == "F1" and task_type is TaskType.BINARY and 1.0 not in values:
        return f"no row is of the positive class ({classes[1]})"
    return ""


def check_scorable(
    metric: Metric, labelling: Labelling, train: NDArray[np.float64], groups: Sequence[str] | None, source: Path
) -> None:
    """Raise :class:`UserError` where no validation split of ``train`` can have a score.

    A class of one row, or of one group, cannot be in train and in validation.
    """
    if not labelling.task_type.is_classification:
        return
    homes: defaultdict[float, set[str]] = defaultdict(set)
    for row, label in enumerate(train.tolist()):
        homes[label].add(groups[row] if groups else str(row))
    divisible = np.array(sorted(label for label, found in homes.items() if len(found) > 1), dtype=np.float64)
    if not len(divisible) or why_undefined(metric, labelling.task_type, divisible, labelling.classes):
        alone = [labelling.classes[int(label)] for label in sorted(homes) if label not in divisible]
        raise UserError(
            f"{source}: all rows of class {some(alone, 6)} are one {'group' if groups else 'row'}, which cannot be in "
            f"train and in validation, so {metric.name} would not be defined; give a validation split of your own, "
            f"{'other groups, ' if groups else 'more rows '}or another metric: {_always_defined(labelling.task_type)}"
        )


def check_validation(metric: Metric, labelling: Labelling, validation: NDArray[np.float64], source: Path) -> None:
    """Raise :class:`UserError` where a validation split that the dataset brings cannot be scored."""
    if why := why_undefined(metric, labelling.task_type, validation, labelling.classes):
        raise UserError(
            f"{source}: no model can be chosen by this validation split: {why}; give one that has every kind of label, "
            f"none at all, or another metric: {_always_defined(labelling.task_type)}"
        )


def _always_defined(task_type: TaskType) -> str:
    return "ACC or LOG_LOSS" if task_type.is_classification else "MAE, MSE or RMSE"


def sorted_names(names: Iterable[str]) -> list[str]:
    """Numbers by their value where all names are numbers, else plain text order."""
    distinct = sorted(set(names))
    try:
        return sorted(distinct, key=float)
    except ValueError:
        return distinct


def _check_present(columns: Columns, column: str) -> None:
    for row, cell in enumerate(columns.values[column]):
        if not cell.strip():
            raise UserError(f"{_place(columns, column, row)}: the label is missing")


def _place(columns: Columns, column: str, row: int) -> str:
    return f"{columns.path}, line {columns.lines[row]}, column {column!r}"


def _is_like_missing(cell: str) -> bool:
    return cell.strip().lower() in _LIKE_MISSING


def _check_no_missing_class(train: Columns, column: str, metadata: Metadata) -> None:
    """Raise :class:`UserError` where cells such as ``NA`` are no class: among numbers, or where they are rare.

    A class that metadata names is one, whatever it is called.
    """
    named = {metadata.positive_class, metadata.negative_class}
    cells = [cell.strip() for cell in train.values[column]]
    suspects = Counter(cell for cell in cells if _is_like_missing(cell) and cell not in named)
    others = Counter(cell for cell in cells if not _is_like_missing(cell))
    if not suspects or not others:
        return
    usual = sorted(others.values())[len(others) // 2]
    among_numbers = all(_float_or_none(cell) is not None for cell in others)
    for name, count in suspects.items():
        if among_numbers or count <= _TINY_SHARE * usual:
            rows = "this row" if count == 1 else f"this and {counted(count - 1, 'further row')}"
            raise UserError(
                f"{_place(train, column, cells.index(name))}: the label is missing: {name!r} in {rows} is taken for no "
                "value; leave such rows out, or give the class another name"
            )


def _number(columns: Columns, column: str, row: int) -> float:
    cell = columns.values[column][row]
    try:
        value = float(cell) if "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(
            f"{_place(columns, column, row)}: expected a finite number as the label of a regression, found "
            f"{cell.strip()!r}"
        )
    if abs(value) > LARGEST_VALUE:
        raise UserError(
            f"{_place(columns, column, row)}: expected the label of a regression between {-LARGEST_VALUE:g} and "
            f"{LARGEST_VALUE:g}, as its square must be a number too; found {cell.strip()!r}"
        )
    return value


def _infer_kind(cells: list[str], metadata: Metadata, metric: str | None) -> tuple[str, str]:
    named = METRICS.get((metric or metadata.metric or "").strip().upper())
    if named is not None:
        _check_metric_fits(named, cells)
        return ("regression" if named.for_regression else "classification"), f"as {named.name} is its metric"
    if metadata.positive_class is not None or metadata.negative_class is not None:
        return "classification", "as a class is named"
    try:
        values = {float(cell) for cell in cells}
    except ValueError:
        return "classification", "as the labels are text"
    if all(value.is_integer() for value in values) and len(values) <= MOST_INFERRED_CLASSES:
        return "classification", f"as the labels are {len(values)} whole numbers"
    return "regression", f"as the labels are {len(values)} different numbers"


def _float_or_none(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _check_metric_fits(metric: Metric, cells: list[str]) -> None:
    """Raise :class:`UserError` where no reading of the labels goes with the metric, which is then what is wrong."""
    values = [value for cell in cells if (value := _float_or_none(cell)) is not None]
    if metric.for_regression and not values:
        actual, why = "classification", "the labels are text"
    elif (
        not metric.for_regression
        and len(values) == len(cells)
        and len(set(values)) > max(MOST_INFERRED_CLASSES, len(values) / 2)
    ):
        actual, why = "regression", f"the labels are {len(set(values))} different numbers"
    else:
        return
    fitting = ", ".join(each.name for each in METRICS.values() if each.for_regression is (actual == "regression"))
    meant = "regression" if metric.for_regression else "classification"
    raise UserError(f"metric {metric.name} is for {meant}; this dataset is {actual} ({why}): use one of {fitting}")


def _ordered_classes(path: Path, column: str, names: list[str], metadata: Metadata) -> list[str]:
    classes = sorted_names(names)
    if len(classes) < 2:
        raise UserError(f"{path}, column {column!r}: only one class, {some(classes)}; at least 2 are needed")
    if len(classes) > len(names) / 2:
        raise UserError(
            f"{path}, column {column!r}: {len(classes)} different classes in {len(names)} rows; name the right label "
            f'column, or set "task_type": "regression" in {FILE_NAME}'
        )
    for key in ("positive_class", "negative_class"):
        name = getattr(metadata, key)
        if name is not None and name not in classes:
            raise UserError(f"{FILE_NAME}: {key}: no row has class {name!r}; the classes are: {some(classes, 6)}")
    if len(classes) > 2:
        return classes
    positive = metadata.positive_class
    if metadata.negative_class is not None:
        positive = next(name for name in classes if name != metadata.negative_class)
    elif positive is None:
        positive = _conventional_positive(classes)
    return [next(name for name in classes if name != positive), positive]


def _conventional_positive(classes: list[str]) -> str:
    """The only one of two sorted classes with a positive name, else the last: the larger number or the later text."""
    try:
        float(classes[0]), float(classes[1])
    except ValueError:
        positive = [name for name in classes if name.lower() in POSITIVE_WORDS]
    else:
        positive = []
    return positive[0] if len(positive) == 1 else classes[-1]


def _class_problems(counts: Counter[str], metadata: Metadata) -> tuple[str, ...]:
    findings = []
    if len(counts) > 2 and (metadata.positive_class is not None or metadata.negative_class is not None):
        findings.append(f"positive_class and negative_class mean nothing with {len(counts)} classes")
    odd = [name for name in sorted_names(counts) if name.lower() in _LIKE_MISSING]
    if odd:
        findings.append(f"{some(odd)} is a class here, not a missing label")
    single = [name for name in sorted_names(counts) if counts[name] == 1]
    if single:
        findings.append(f"one row only of class {some(single)}: validation cannot have any")
    return tuple(findings)
