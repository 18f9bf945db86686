"""What a person should know of the inputs before trusting a score: columns that give the label away, repeats, copies.

Pure functions of data frames and label arrays.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype

from agents.data.tables import some
from agents.wording import counted

Labels = NDArray[np.float64]

_LEAST_PRESENT = 0.5
"""A copy of the label with holes is still a copy; below this share of filled cells it is not called one."""

_LEAST_DISTINCT = 10
"""So many different values in the label's order are no coincidence (chance 2 / 10!)."""

_LEAST_TELLING = 5
"""So many rows must differ from the commonest value before a repeat is a copy: sparse columns agree by chance."""

_HARMLESS_SHARE = 0.01
"""Up to this share of rows that repeat train, a score is hardly moved."""

LARGEST_VALUE = 1e150
"""Values are squared by metrics and models; above this the square is no number any more."""

_GLANCE = 8
"""Rows of a class that are looked at before a whole column is: nearly all columns end there."""


def leaking_columns(
    frame: pd.DataFrame, labels: Labels, classes: Sequence[str], ids: Sequence[str] | None
) -> dict[str, str]:
    """Columns that equal the label or the id under another name, each with the reason.

    ``classes`` is empty for regression; ``ids`` is None where rows are merely numbered.
    """
    suspects = _constant_within_classes(frame, labels) if classes else _in_label_order(frame, labels)
    found = {}
    for name in suspects:
        series = frame[name]
        reason = _same_as_classes(series, labels, classes) if classes else _same_as_numbers(series, labels)
        if reason is not None:
            found[name] = reason
    copies = [] if ids is None else _copies_of_ids(frame, pd.Series(list(ids), dtype=str))
    return found | {name: "equals the id in every row" for name in copies if name not in found}


def repeated_columns(frame: pd.DataFrame, validation: pd.DataFrame | None) -> dict[str, str]:
    """Columns of train that are a copy of an earlier one, in a given validation split too, each with the reason.

    Columns that are constant, or nearly, may agree by chance and are none.
    """
    found = {}
    for name, first in _repeats(frame).items():
        commonest = frame[first].value_counts(dropna=False).iloc[0]
        is_telling = len(frame) - commonest >= _LEAST_TELLING
        if is_telling and (validation is None or _are_equal(validation[name], validation[first])):
            found[name] = f"equals column {first!r} in every row"
    return found


def column_findings(frame: pd.DataFrame) -> list[str]:
    """Columns with one value, columns that repeat another one, and values that no model can square."""
    names, matrix = _numbers(frame)
    constant, repeats = _constant(frame), [f"{name!r} repeats {first!r}" for name, first in _repeats(frame).items()]
    findings = []
    huge = [names[place] for place in np.flatnonzero((np.abs(matrix) > LARGEST_VALUE).any(axis=0))]
    if huge:
        told = f"{some(huge)}: their squares are no numbers, and many models fail on them"
        findings.append(f"{counted(len(huge), 'column')} with values above {LARGEST_VALUE:g} in size, {told}")
    if constant:
        told = some([name for name in frame.columns if name in constant])
        findings.append(f"{counted(len(constant), 'column')} with one value only: {told}")
    if repeats:
        more = f" and {len(repeats) - 3} more" if len(repeats) > 3 else ""
        findings.append(f"{counted(len(repeats), 'repeated column')}, kept: {'; '.join(repeats[:3])}{more}")
    return findings


def repeated_rows(frame: pd.DataFrame, labels: Labels) -> list[str]:
    """How many rows of a split repeat the inputs of an earlier one, and how many of these disagree on the label."""
    hashes = row_hashes(frame)
    repeated = pd.Series(hashes).duplicated().to_numpy()
    if not repeated.any():
        return []
    first = pd.Series(labels).groupby(hashes).transform("first").to_numpy()
    other = int((first != labels)[repeated].sum())
    which = "all" if other == repeated.sum() else f"{other} of them"
    detail = f", {which} with another label" if other else ""
    return [f"{counted(int(repeated.sum()), 'row')} of train repeat the inputs of an earlier one{detail}"]


def shared_rows(train: pd.DataFrame, other: pd.DataFrame, split: str) -> list[str]:
    """How many rows of ``split`` have inputs that also stand in train."""
    shared = int(np.isin(row_hashes(other), row_hashes(train)).sum())
    if not shared:
        return []
    flattered = shared > _HARMLESS_SHARE * len(other)
    effect = f": the {split} score will be too good" if flattered else ""
    return [f"{shared} of {len(other)} rows of {split} have the inputs of a row of train{effect}"]


def shared_groups(train: Sequence[str], other: Sequence[str], split: str) -> list[str]:
    """How many groups stand in train and in ``split``."""
    shared = sorted(set(train) & set(other))
    if not shared:
        return []
    return [f"{counted(len(shared), 'group')} of {split} also in train, such as {some(shared[:1])}"]


def order_findings(labels: Labels, classes: Sequence[str], numbered: bool) -> list[str]:
    """Whether the order of the rows gives the label away."""
    if classes:
        changes = int((np.diff(labels) != 0).sum())
        told = changes < len(classes)
    else:
        steps = np.diff(labels)
        told = len(labels) >= _LEAST_DISTINCT and bool((steps >= 0).all() or (steps <= 0).all())
    ids = ", and so do the numbered ids" if numbered else ""
    return [f"rows of train are sorted by label: their order gives it away{ids}"] if told else []


def row_hashes(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """64-bit hash of each row's cells, comparable within this process between frames with the same column types."""
    text = pd.util.hash_pandas_object(frame.select_dtypes(exclude="number"), index=False).to_numpy()
    # Adding 0 turns -0.0 into 0.0, which is equal and must not hash differently.
    numbers = np.array([hash(row.tobytes()) for row in _numbers(frame)[1] + 0.0], dtype=np.int64)
    return text.astype(np.uint64) * np.uint64(31) + numbers.view(np.uint64)


def missing_cells(frame: pd.DataFrame) -> Mapping[str, int]:
    """Columns that have missing cells, with their number."""
    counts = frame.isna().sum()
    return {str(name): int(count) for name, count in counts.items() if count}


def _numbers(frame: pd.DataFrame) -> tuple[list[str], Labels]:
    """Names and values of the numeric columns; one matrix is a hundred times quicker than as many series."""
    numeric = frame.select_dtypes("number")
    return [str(name) for name in numeric.columns], numeric.to_numpy(dtype=np.float64)


def _constant(frame: pd.DataFrame) -> set[str]:
    """Columns with one value only, or none."""
    names, matrix = _numbers(frame)
    same = (matrix == matrix[:1]).all(axis=0) | np.isnan(matrix).all(axis=0)
    text = frame.select_dtypes(exclude="number")
    return {name for name, is_same in zip(names, same, strict=True) if is_same} | {
        str(name) for name, series in text.items() if series.nunique(dropna=False) == 1
    }


def _repeats(frame: pd.DataFrame) -> dict[str, str]:
    """Columns that equal an earlier one cell by cell, each with the first such; constant ones are left out."""
    names, matrix = _numbers(frame)
    digests = {name: _digest(column.tobytes()) for name, column in zip(names, matrix.T, strict=True)}
    for name, series in frame.select_dtypes(exclude="number").items():
        digests[str(name)] = _digest(pd.util.hash_pandas_object(series, index=False).to_numpy().tobytes())
    constant = _constant(frame)
    alike: defaultdict[bytes, list[str]] = defaultdict(list)
    repeats = {}
    for name in frame.columns:
        if name in constant:
            continue
        kept = alike[digests[name]]
        first = next((earlier for earlier in kept if _are_equal(frame[name], frame[earlier])), None)
        if first is None:
            kept.append(name)
        else:
            repeats[str(name)] = first
    return repeats


def _are_equal(one: "pd.Series[Any]", other: "pd.Series[Any]") -> bool:
    """Cell by cell. Whole numbers are compared as such: above 2**53 different ones are one and the same float."""
    if one.dtype != other.dtype and is_numeric_dtype(one.dtype) and is_numeric_dtype(other.dtype):
        return one.astype(np.float64).equals(other.astype(np.float64))
    return one.equals(other)


def _constant_within_classes(frame: pd.DataFrame, labels: Labels) -> list[str]:
    """Columns that could be a recoding of the classes, judged by a few rows of each class."""
    few = [np.flatnonzero(labels == number)[:_GLANCE] for number in np.unique(labels)]
    names, matrix = _numbers(frame)
    could = np.ones(len(names), dtype=bool)
    for rows in few:
        least, most = np.fmin.reduce(matrix[rows]), np.fmax.reduce(matrix[rows])  # NaN only where all are
        could &= (least == most) | np.isnan(least)
    found = [name for name, suspect in zip(names, could, strict=True) if suspect]
    for name, series in frame.select_dtypes(exclude="number").items():
        if all(series.iloc[rows].nunique() <= 1 for rows in few):
            found.append(str(name))
    return found


def _in_label_order(frame: pd.DataFrame, labels: Labels) -> list[str]:
    """Numeric columns that could be the label on some scale, judged by the order of a few rows."""
    few = np.linspace(0, len(labels) - 1, min(2 * _GLANCE, len(labels))).astype(int)
    names, values = _numbers(frame.iloc[few[np.argsort(labels[few], kind="stable")]])
    ordered = np.sort(labels[few])
    rising = falling = np.ones(len(names), dtype=bool)
    for row in range(1, len(few)):
        if ordered[row] > ordered[row - 1]:
            step = values[row] - values[row - 1]
            rising, falling = rising & ~(step < 0), falling & ~(step > 0)
    return [name for name, could in zip(names, rising | falling, strict=True) if could]


def _same_as_classes(series: "pd.Series[Any]", labels: Labels, classes: Sequence[str]) -> str | None:
    present = series.notna().to_numpy()
    codes, values = pd.factorize(series, use_na_sentinel=True)
    whole = codes if present.all() else np.where(present, codes, len(values))
    kinds = len(values) + (0 if present.all() else 1)
    if kinds == len(classes) and _one_to_one(whole, labels, kinds):
        return _renaming(values, codes, labels, classes)
    filled = present.mean() >= _LEAST_PRESENT and len(values) == len(classes)
    if filled and _one_to_one(codes[present], labels[present], len(values)):
        return f"equals the label where it is filled ({int(present.sum())} of {len(series)} rows)"
    return None


def _one_to_one(codes: NDArray[np.int64], labels: Labels, kinds: int) -> bool:
    """Whether as many pairs (value, class) occur as there are values, all classes among them."""
    pairs = np.unique(np.stack([codes.astype(np.float64), labels]), axis=1)
    return pairs.shape[1] == kinds and len(np.unique(pairs[1])) == kinds


def _renaming(values: "pd.Index[str]", codes: NDArray[np.int64], labels: Labels, classes: Sequence[str]) -> str:
    pairs = {
        str(value): classes[int(labels[np.argmax(codes == code)])] for code, value in enumerate(values) if len(values)
    }
    if all(_same_name(value, name) for value, name in pairs.items()) and len(pairs) == len(classes):
        return "equals the label in every row"
    told = ", ".join(f"{value} = {name}" for value, name in sorted(pairs.items())[:3])
    return f"is the label under other names ({told}{', …' if len(pairs) > 3 else ''})"


def _same_name(value: str, name: str) -> bool:
    try:
        return value == name or float(value) == float(name)
    except ValueError:
        return False


def _same_as_numbers(series: "pd.Series[Any]", labels: Labels) -> str | None:
    if not is_numeric_dtype(series.dtype):
        return None
    values = series.to_numpy(dtype=np.float64)
    present = np.isfinite(values)
    if present.mean() < _LEAST_PRESENT:
        return None
    x, y = values[present], labels[present]
    low, high = int(np.argmin(y)), int(np.argmax(y))
    span = y[high] - y[low]
    if span == 0 or x[high] == x[low]:
        return None
    where = "" if present.all() else f" where it is filled ({len(x)} of {len(values)} rows)"
    with np.errstate(all="ignore"):
        factor = span / (x[high] - x[low])
        offset = y[low] - factor * x[low]
        if np.abs(factor * x + offset - y).max() <= 1e-6 * span:
            same = np.abs(x - y).max() <= 1e-6 * span
            return f"equals the label{where}" if same else f"is the label times a factor plus a constant{where}"
    return f"is the label on another scale{where}: both put the rows into one order" if _same_order(x, y) else None


def _same_order(x: NDArray[np.floating[Any]], y: Labels) -> bool:
    _, ranks = np.unique(y, return_inverse=True)
    if ranks.max() + 1 < _LEAST_DISTINCT:
        return False
    _, others = np.unique(x, return_inverse=True)
    return np.array_equal(ranks, others) or np.array_equal(ranks, others.max() - others)


def _copies_of_ids(frame: pd.DataFrame, identity: "pd.Series[str]") -> list[str]:
    numbers = pd.to_numeric(identity, errors="coerce").to_numpy(dtype=np.float64)
    names, matrix = _numbers(frame)
    found = [name for name, same in zip(names, (matrix == numbers[:, None]).all(axis=0), strict=True) if same]
    text = frame.select_dtypes(exclude="number")
    return found + [str(name) for name, series in text.items() if (series.to_numpy() == identity.to_numpy()).all()]


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
