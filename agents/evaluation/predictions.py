"""Reading what an inference script wrote, distrusting every cell of it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agents.data.tables import Columns, read_columns, read_header
from agents.errors import UserError
from agents.vocabulary import TaskType

ROW_SUM_TOLERANCE: Final = 1e-3
"""A row of probabilities may miss 1 by this much; many models compute in single precision."""

_BYTES_PER_CELL: Final = 400
_BYTES_FREE: Final = 1_000_000


class PredictionError(ValueError):
    """Predictions that cannot be scored. The message goes back to the model that wrote the script."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions aligned to the ids that were asked for."""

    values: NDArray[np.float64]
    """Shape (rows,): class numbers, or predicted measurements."""
    probabilities: NDArray[np.float64] | None
    """Shape (rows, classes); None for regression."""

    def __len__(self) -> int:
        return len(self.values)


def read_predictions(path: Path, ids: Sequence[str], task_type: TaskType, n_classes: int) -> Predictions:
    """Read ``id,prediction`` and, for classifiers, ``probability_0`` to ``probability_{n_classes - 1}``.

    Rows may come in any order and further columns are passed over. Raises :class:`PredictionError` unless there is
    exactly one row for each id, every number is finite, predictions are class numbers and every row of probabilities
    lies in [0, 1] and sums to 1.
    """
    _check_file(path, len(ids), n_classes)
    names = [f"probability_{number}" for number in range(n_classes)] if task_type.is_classification else []
    try:
        header = read_header(path)
        absent = [name for name in ("id", "prediction", *names) if name not in header]
        if absent:
            raise PredictionError(f"{path.name}: no column {_some(absent)}; the columns are: {_some(header, 8)}")
        columns = read_columns(path, ["id", "prediction", *names])
    except UserError as error:
        raise PredictionError(str(error).replace(str(path), path.name)) from None
    order = _order(columns, ids)
    values = _numbers(columns, "prediction", ids, order)
    if not names:
        return Predictions(values, None)
    _check_classes(values, ids, n_classes)
    probabilities = np.column_stack([_numbers(columns, name, ids, order) for name in names])
    _check_probabilities(probabilities, ids)
    return Predictions(values, probabilities)


def _check_file(path: Path, rows: int, n_classes: int) -> None:
    if not path.is_file():
        raise PredictionError(f"{path.name}: no such file; the script has to write it")
    size, most = path.stat().st_size, _BYTES_FREE + _BYTES_PER_CELL * rows * (2 + n_classes)
    if size > most:
        raise PredictionError(f"{path.name}: {size / 1e6:.0f} MB is too large for the predictions of {rows} rows")


def _order(columns: Columns, ids: Sequence[str]) -> list[int]:
    """Row of the file for each id."""
    rows: dict[str, int] = {}
    twice: dict[str, None] = {}
    for row, identity in enumerate(columns.values["id"]):
        if identity in rows:
            twice[identity] = None
        rows[identity] = row
    asked = set(ids)
    missing = [identity for identity in ids if identity not in rows]
    extra = [identity for identity in rows if identity not in asked]
    problems = []
    if missing:
        problems.append(f"{len(missing)} of {len(ids)} ids have no prediction ({_some(missing)})")
    if extra:
        problems.append(f"{len(extra)} ids were not asked for ({_some(extra)})")
    if twice:
        problems.append(f"{len(twice)} ids stand there more than once ({_some(twice)})")
    if missing and extra and rewritten(missing, extra):
        problems.append("ids were changed on the way: read the id column as text (dtype=str)")
    if problems:
        raise PredictionError(f"{columns.path.name}: {'; '.join(problems)}")
    return [rows[identity] for identity in ids]


def rewritten(expected: Iterable[str], found: Iterable[str]) -> bool:
    """Whether ids differ only as text, such as ``007`` and ``7``: they were read as numbers on the way."""
    return bool(_as_numbers(expected) & _as_numbers(found))


def _as_numbers(ids: Iterable[str]) -> set[float]:
    numbers = set()
    for identity in ids:
        try:
            numbers.add(float(identity))
        except ValueError:
            continue
    return numbers


def _numbers(columns: Columns, name: str, ids: Sequence[str], order: list[int]) -> NDArray[np.float64]:
    cells = columns.values[name]
    values = np.array([_number(cells[row]) for row in order], dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values)).tolist()
    if bad:
        shown = _some(f"{cells[order[row]]!r} for id {ids[row]}" for row in bad)
        raise PredictionError(f"{columns.path.name}: column {name}: {len(bad)} cells are no finite number ({shown})")
    return values


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _check_classes(values: NDArray[np.float64], ids: Sequence[str], n_classes: int) -> None:
    bad = np.flatnonzero((values != np.floor(values)) | (values < 0) | (values >= n_classes)).tolist()
    if bad:
        shown = _some(f"{values[row]:g} for id {ids[row]}" for row in bad)
        raise PredictionError(
            f"column prediction: {len(bad)} cells are no class number from 0 to {n_classes - 1} ({shown}); "
            "probabilities go into the columns probability_0, …"
        )


def _check_probabilities(probabilities: NDArray[np.float64], ids: Sequence[str]) -> None:
    # Single precision may push a probability past the end of its range by a hair.
    outside = np.flatnonzero(((probabilities < -1e-6) | (probabilities > 1 + 1e-6)).any(axis=1)).tolist()
    if outside:
        shown = _some(f"id {ids[row]}" for row in outside)
        raise PredictionError(f"{len(outside)} rows have a probability outside 0 to 1 ({shown})")
    sums = probabilities.sum(axis=1)
    off = np.flatnonzero(np.abs(sums - 1) > ROW_SUM_TOLERANCE).tolist()
    if off:
        shown = _some(f"{sums[row]:.4g} for id {ids[row]}" for row in off)
        raise PredictionError(f"{len(off)} rows of probabilities do not sum to 1 ({shown})")


def _some(items: Iterable[str], limit: int = 3) -> str:
    listed = [item if len(item) <= 60 else item[:59] + "…" for item in items]
    return ", ".join(listed[:limit]) + (" and more" if len(listed) > limit else "")
