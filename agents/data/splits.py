"""What the engine checks of a split that an agent proposes, and how an accepted one is kept."""

import math
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.data.frames import read_frames
from agents.data.labels import why_undefined
from agents.data.tables import find_table, open_table, place_of, read_columns, read_header, some, write_table
from agents.data.workspace import (
    GROUP,
    GROUPS,
    ID,
    INPUT,
    INPUT_TABLE,
    LABELS,
    NUMERIC_LABEL,
    DatasetFacts,
    read_groups,
    read_labels,
)
from agents.errors import UserError
from agents.evaluation.metrics import METRICS
from agents.evaluation.predictions import rewritten
from agents.vocabulary import SplitName

MOST_LEFT_OUT: Final = 0.05
"""Share of the rows of train that may be in neither train nor validation, such as repeats."""

LEAST_VALIDATION: Final = (0.05, 200)
"""Validation has this share of the rows, or this many rows: with fewer, a score says little."""

MOST_MINI: Final = (0.3, 1000)
"""mini_train has at most this share of train, or this many rows: it is there to fail quickly."""

FEWEST_MINI: Final = 2

_MISSING_WORDS: Final = ("", "na", "n/a", "nan", "none", "null", "<na>", "#n/a")


@dataclass(frozen=True)
class _Part:
    name: SplitName
    folder: Path
    labels: dict[str, float]

    @property
    def ids(self) -> set[str]:
        return set(self.labels)


def check_split(candidate: Mapping[SplitName, Path], data_dir: Path, facts: DatasetFacts) -> list[str]:
    """What is wrong with a proposed split, in words for the model that proposed it; an empty list: nothing.

    ``data_dir`` is the workspace that ``import_dataset`` wrote. Train and validation must be disjoint, hold every class
    and together nearly all rows; no group may straddle them; labels and input tables must be those of the dataset;
    mini_train must be a small part of train with every class. A class that lies in one row or group only need not be
    in validation, as long as the metric is defined there without it. A validation split that the dataset brings must
    be used as it is.
    """
    problems: list[str] = []
    parts: dict[SplitName, _Part] = {}
    for name in SplitName:
        found = _read_part(name, candidate.get(name), data_dir)
        if isinstance(found, _Part):
            parts[name] = found
        else:
            problems += found
    if problems:
        return problems
    given = _labels_of(data_dir / "train")
    given_validation = _labels_of(data_dir / "validation") if facts.brings_validation else {}
    train, validation, mini = (parts[name] for name in SplitName)
    problems += _unknown_or_changed(train, given)
    problems += _unknown_or_changed(validation, given_validation if facts.brings_validation else given)
    problems += _unknown_or_changed(mini, given)
    if problems:
        return problems
    if facts.brings_validation:
        problems += _given_validation(train, validation, given, given_validation)
    else:
        problems += _own_validation(train, validation, given, read_groups(data_dir / "train"), facts)
    if facts.task_type.is_classification:
        problems += _missing_classes(train, set(given.values()), facts)
    problems += _undefined(validation, facts) if not problems else []
    problems += _mini_problems(mini, train, facts)
    return problems + [problem for part in parts.values() for problem in _input_problems(part, data_dir, facts)]


def install_split(
    candidate: Mapping[SplitName, Path], target: Path, data_dir: Path, facts: DatasetFacts
) -> dict[str, int]:
    """Make ``target`` (``splits/vN``) from a checked split, all or nothing, with read-only files; returns its rows.

    Of the agent's folders only the ids are taken: labels, and the rows of tables, come from ``data_dir``, in an order
    that follows from the ids alone. So neither a file beside the table nor the order of rows can carry a label.
    """
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    labels = _label_cells(data_dir, facts)
    rows = {}
    for name in SplitName:
        source, folder = candidate[name], part / name.value
        ids = sorted(read_labels(source)[0], key=lambda identity: sha256(identity.encode()).digest())
        folder.mkdir(parents=True)
        if facts.is_table:
            (folder / INPUT).mkdir()
            _copy_rows(ids, data_dir, facts, folder / INPUT / INPUT_TABLE)
        else:
            shutil.copytree(source / INPUT, folder / INPUT)
        rows[name.value] = write_table(folder / LABELS, [ID, NUMERIC_LABEL], ((row, labels[row]) for row in ids))
        groups = read_groups(data_dir / "train")
        if groups is not None:
            known = ((row, groups[row]) for row in ids if row in groups)
            write_table(folder / GROUPS, [ID, GROUP], known)
    for path in part.rglob("*"):
        if path.is_file():
            path.chmod(0o444)  # folders stay writable, or nobody could delete a run
    part.rename(target)
    return rows


def _given_folders(data_dir: Path, facts: DatasetFacts) -> list[Path]:
    names = ["train", "validation"] if facts.brings_validation else ["train"]
    return [data_dir / name for name in names]


def _label_cells(data_dir: Path, facts: DatasetFacts) -> dict[str, str]:
    """Id to numeric label, as the dataset has it."""
    cells: dict[str, str] = {}
    for folder in _given_folders(data_dir, facts):
        columns = read_columns(folder / LABELS, [ID, NUMERIC_LABEL])
        cells |= zip(columns.values[ID], columns.values[NUMERIC_LABEL], strict=True)
    return cells


def _copy_rows(ids: Sequence[str], data_dir: Path, facts: DatasetFacts, target: Path) -> None:
    """Write the rows of ``ids`` in their order, cell by cell as the dataset has them."""
    wanted = set(ids)
    found: dict[str, list[str]] = {}
    columns = [ID, *facts.input_columns]
    for folder in _given_folders(data_dir, facts):
        table = folder / INPUT / INPUT_TABLE
        with open_table(table) as (header, rows):
            place = place_of(table, header, ID)
            found |= {row.cells[place]: row.cells for row in rows if row.cells[place] in wanted}
    write_table(target, columns, (found[identity] for identity in ids))


def _read_part(name: SplitName, folder: Path | None, data_dir: Path) -> _Part | list[str]:
    if folder is None or not folder.is_dir():
        return [f"{name}: there is no such folder"]
    strange = next(_strange_files(folder, data_dir), None)
    if strange is not None:
        return [f"{name}: {strange}"]
    if not (folder / INPUT).is_dir() or next((folder / INPUT).iterdir(), None) is None:
        return [f"{name}: {INPUT}/ is missing or empty"]
    if not (folder / LABELS).is_file():
        return [f"{name}: {LABELS} is missing; it has the columns {ID},{NUMERIC_LABEL}"]
    try:
        ids, labels = read_labels(folder)
    except UserError as error:
        return [f"{name}: {_local(error, folder)}"]
    if not ids:
        return [f"{name}: {LABELS} has no rows"]
    twice = _repeated(ids)
    if twice:
        return [f"{name}: {len(twice)} ids stand in {LABELS} more than once ({some(twice)})"]
    return _Part(name, folder, dict(zip(ids, labels.tolist(), strict=True)))


def _strange_files(folder: Path, data_dir: Path) -> Iterator[str]:
    """Links that lead out of the split and the dataset, and what is neither file nor folder."""
    allowed = (folder.resolve(), data_dir.resolve())
    if folder.is_symlink():
        yield f"{folder.name} is a link; make a real folder"
    for root, folders, files in os.walk(folder):
        for entry in (Path(root) / name for name in (*folders, *files)):
            real = entry.resolve()
            where = entry.relative_to(folder)
            if entry.is_symlink() and not any(real.is_relative_to(root) for root in allowed):
                yield f"{where} is a link to {real}; copy the data instead"
            elif not real.is_dir() and not real.is_file():
                yield f"{where} is neither a file nor a folder"


def _labels_of(split_dir: Path) -> dict[str, float]:
    ids, labels = read_labels(split_dir)
    return dict(zip(ids, labels.tolist(), strict=True))


def _unknown_or_changed(part: _Part, given: Mapping[str, float]) -> list[str]:
    problems = []
    unknown = [identity for identity in part.labels if identity not in given]
    if unknown:
        hint = "; read the id column as text (dtype=str)" if rewritten(unknown, given) else ""
        problems.append(f"{part.name}: {len(unknown)} ids are not in the dataset ({some(unknown)}){hint}")
    changed = [
        identity
        for identity, label in part.labels.items()
        if identity in given and not math.isclose(label, given[identity], rel_tol=1e-6, abs_tol=1e-12)
    ]
    if changed:
        problems.append(f"{part.name}: {len(changed)} labels are not those of the dataset ({some(changed)})")
    return problems


def _given_validation(
    train: _Part, validation: _Part, given: Mapping[str, float], given_validation: Mapping[str, float]
) -> list[str]:
    problems = []
    missing = len(given_validation) - len(validation.labels)
    if missing:
        problems.append(f"validation: the dataset brings its own, to be used as it is; {missing} rows are missing")
    return problems + _left_out(len(given) - len(train.labels), len(given))


def _own_validation(
    train: _Part,
    validation: _Part,
    given: Mapping[str, float],
    groups: Mapping[str, str] | None,
    facts: DatasetFacts,
) -> list[str]:
    problems = []
    both = sorted(train.ids & validation.ids)
    if both:
        problems.append(f"{len(both)} ids are in train and in validation ({some(both)})")
    problems += _left_out(len(given) - len(train.ids | validation.ids), len(given))
    fewest = min(math.ceil(LEAST_VALIDATION[0] * len(given)), LEAST_VALIDATION[1])
    if len(validation.labels) < fewest:
        problems.append(f"validation: {len(validation.labels)} rows; at least {fewest} are needed for a score")
    if groups is not None:
        straddling = sorted({groups[i] for i in train.ids} & {groups[i] for i in validation.ids})
        if straddling:
            problems.append(f"{len(straddling)} groups straddle train and validation ({some(straddling)})")
    if facts.task_type.is_classification:
        problems += _missing_classes(validation, _divisible_classes(given, groups), facts)
    return problems


def _left_out(count: int, of: int) -> list[str]:
    if count <= MOST_LEFT_OUT * of:
        return []
    return [f"{count} of {of} rows are left out; at most {MOST_LEFT_OUT:.0%} may be"]


def _divisible_classes(given: Mapping[str, float], groups: Mapping[str, str] | None) -> set[float]:
    """Classes that can be on both sides: those of several rows, or of several groups."""
    homes: defaultdict[float, set[str]] = defaultdict(set)
    for identity, label in given.items():
        homes[label].add(groups[identity] if groups else identity)
    return {label for label, found in homes.items() if len(found) > 1}


def _missing_classes(part: _Part, wanted: set[float], facts: DatasetFacts) -> list[str]:
    missing = sorted(wanted - set(part.labels.values()))
    if not missing:
        return []
    names = some([facts.classes[int(label)] for label in missing], 6)
    return [f"{part.name}: no row of class {names}"]


def _undefined(validation: _Part, facts: DatasetFacts) -> list[str]:
    labels = np.array(list(validation.labels.values()), dtype=np.float64)
    why = why_undefined(METRICS[facts.metric], facts.task_type, labels, facts.classes)
    return [f"validation: {why}, so no model could be chosen by it"] if why else []


def _mini_problems(mini: _Part, train: _Part, facts: DatasetFacts) -> list[str]:
    problems = []
    outside = sorted(mini.ids - train.ids)
    if outside:
        problems.append(f"mini_train: {len(outside)} ids are not in train ({some(outside)})")
    if len(mini.labels) < FEWEST_MINI:
        problems.append(f"mini_train: {len(mini.labels)} rows; at least {FEWEST_MINI} are needed")
    most = max(MOST_MINI[1], int(MOST_MINI[0] * len(train.labels)))
    if len(mini.labels) > most:
        problems.append(f"mini_train: {len(mini.labels)} rows; at most {most} keep it quick")
    if facts.task_type.is_classification:
        problems += _missing_classes(mini, set(train.labels.values()), facts)
    return problems


def _input_problems(part: _Part, data_dir: Path, facts: DatasetFacts) -> list[str]:
    """Whether ``input/data.csv`` has one row for each id, with the dataset's own columns and values."""
    if not facts.is_table:
        return []
    table = find_table(part.folder / INPUT, "data")
    if table is None:
        return [f"{part.name}: {INPUT}/data.csv is missing"]
    own = facts.brings_validation and part.name is SplitName.VALIDATION
    original = data_dir / ("validation" if own else "train") / INPUT / "data.csv"
    try:
        header = read_header(table)
        absent = [name for name in (ID, *facts.input_columns) if name not in header]
        extra = [name for name in header if name not in {ID, *facts.input_columns}]
        if absent or extra:
            told = [f"lacks {some(absent)}"] * bool(absent) + [f"has new columns {some(extra)}"] * bool(extra)
            return [f"{part.name}: {INPUT}/data.csv {' and '.join(told)}; keep the dataset's columns"]
        ids = read_columns(table, [ID]).values[ID]
        if (twice := _repeated(ids)) or set(ids) != part.ids:
            wrong = twice or sorted(set(ids) ^ part.ids)
            return [f"{part.name}: {INPUT}/data.csv and {LABELS} must have the same ids, once ({some(wrong)})"]
        return [f"{part.name}: {told}" for told in _changed_values(original, table, ids, facts.input_columns)]
    except UserError as error:
        return [f"{part.name}: {_local(error, part.folder)}"]


def _changed_values(original: Path, table: Path, ids: list[str], columns: list[str]) -> list[str]:
    place = {identity: row for row, identity in enumerate(read_columns(original, [ID]).values[ID])}
    before, after = read_frames([original, table], columns)
    before = before.iloc[[place[identity] for identity in ids]].reset_index(drop=True)
    for name in columns:
        rows = np.flatnonzero(_differs(before[name], after[name])).tolist()
        if rows:
            was, now = before[name].iloc[rows[0]], after[name].iloc[rows[0]]
            return [
                f"{INPUT}/data.csv, column {name!r}: {len(rows)} values are not those of the dataset "
                f"(id {ids[rows[0]]}: {_short(was)} became {_short(now)})"
            ]
    return []


def _differs(before: "pd.Series[Any]", after: "pd.Series[Any]") -> NDArray[np.bool_]:
    """Cells that differ by more than the ways in which a number, a truth value or a missing cell can be written."""
    if before.dtype != "str":
        one_number, other_number = before.to_numpy(dtype=np.float64), after.to_numpy(dtype=np.float64)
        same = np.isclose(one_number, other_number, rtol=1e-6, atol=1e-12, equal_nan=True)
        return np.asarray(~same, dtype=bool)
    one, other = (series.fillna("").str.strip() for series in (before, after))
    rows = np.flatnonzero((one != other).to_numpy())
    differs = np.zeros(len(one), dtype=bool)
    for row in rows.tolist():
        differs[row] = not _same_cell(one.iloc[row], other.iloc[row])
    return differs


def _same_cell(one: str, other: str) -> bool:
    if one.lower() in _MISSING_WORDS and other.lower() in _MISSING_WORDS:
        return True
    if one.lower() == other.lower() and one.lower() in ("true", "false"):
        return True
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-6, abs_tol=1e-12)
    except ValueError:
        return False


def _repeated(ids: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [identity for identity in ids if identity in seen or seen.add(identity)]  # type: ignore[func-returns-value]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:38]}…"


def _local(error: UserError, folder: Path) -> str:
    """The message with paths as the agent knows them."""
    return str(error).replace(f"{folder}/", "")
