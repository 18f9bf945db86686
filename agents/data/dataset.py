"""A dataset, read and understood: task, classes, splits, inputs, and what a person should know of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.data import audit
from agents.data.columns import ColumnRoles
from agents.data.frames import read_frames, text_among_numbers
from agents.data.labels import Labelling, cause_undefined, check_scorable, check_validation, encode_labels, plan_labels
from agents.data.layout import TRAIN, VALIDATION, DatasetForm, Layout, find_layout, is_test, roles_of
from agents.data.matching import INPUT_TABLE, Match, match_inputs
from agents.data.metadata import FILE_NAME, Metadata, read_metadata
from agents.data.tables import Columns, read_columns, read_header, some
from agents.errors import UserError
from agents.evaluation.metrics import Metric, default_metric, metric_named
from agents.files import digest_of, sha256_of
from agents.vocabulary import TaskType

FEWEST_ROWS: Final = 10
"""Train needs at least as many: less cannot be split and learnt from."""


@dataclass(frozen=True, eq=False)
class SplitData:
    """One split as the dataset brings it; everything is aligned to ``ids``."""

    name: str
    ids: list[str]
    labels: NDArray[np.float64]
    """Class numbers, or the measured values."""
    groups: list[str] | None
    source: Path
    """The table (CSV form) or the folder ``input/`` (folder form) that holds the inputs."""
    frame: pd.DataFrame | None
    """The input columns for looking at them; None where the folder form holds something else than a table."""
    excess: tuple[Path, ...] = ()
    """Files in ``source`` that hold rows or sequences of ids without a label too, which are left out."""

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Dataset:
    """What ``load_dataset`` understood. Test splits are in it: it never leaves the engine."""

    name: str
    root: Path
    form: DatasetForm
    task_type: TaskType
    metric: Metric
    classes: tuple[str, ...]
    """Class names in the order of their numbers; empty for regression."""
    roles: ColumnRoles
    splits: dict[str, SplitData]
    input_columns: tuple[str, ...]
    """Columns that a model may see; empty where the inputs are no table."""
    withheld: dict[str, str]
    """Column that is kept from the model, to the reason."""
    findings: list[str]
    """What was found by looking at train and validation: what spoils a score first, what was assumed, then the rest."""
    test_findings: list[str]
    """What was found by looking at test splits: for a person, never for an agent."""
    description: str
    fingerprint: dict[str, str]
    """Split to SHA-256 over its files."""
    supplementary: Path | None = None
    ignored: tuple[str, ...] = field(default=())

    @property
    def train(self) -> SplitData:
        return self.splits[TRAIN]

    @property
    def all_findings(self) -> list[str]:
        """All that a person should know, the gravest first; an agent is told :attr:`findings` only."""
        return [*self.test_findings, *self.findings]

    @property
    def brings_validation(self) -> bool:
        return VALIDATION in self.splits

    @property
    def tests(self) -> list[str]:
        return [name for name in self.splits if is_test(name)]


def load_dataset(path: Path, label_column: str | None = None, metric: str | None = None) -> Dataset:
    """Read, check and understand a dataset in either form.

    ``label_column`` and ``metric`` override metadata.json. Raises :class:`UserError` that names file, line and column
    where something is wrong.
    """
    layout = find_layout(path)
    metadata = read_metadata(layout.root).for_label(label_column)
    roles = roles_of(layout, label_column)
    read = {name: _read_roles(layout, name, roles) for name in layout.splits}
    labelling = plan_labels(read[TRAIN], roles.label, metadata, metric)
    chosen = metric or metadata.metric
    scored = metric_named(chosen, labelling.task_type) if chosen else default_metric(labelling.task_type)
    ids = _ids(read, roles)
    labels = {name: encode_labels(columns, roles.label, labelling) for name, columns in read.items()}
    groups = _groups(read, roles)
    _check_metric(scored, labelling, labels, groups, {name: columns.path for name, columns in read.items()})
    matches = _matches(layout, roles, read)
    frames, findings = _frames(layout, roles, ids, matches)
    withheld = _withheld(layout, roles, frames, labels[TRAIN], labelling, ids[TRAIN])
    if withheld:
        frames = {name: frame.drop(columns=list(withheld), errors="ignore") for name, frame in frames.items()}
    inputs = tuple(str(name) for name in frames[TRAIN].columns) if frames else ()
    if frames and not inputs:
        raise UserError(f"{layout.splits[TRAIN]}: every input column equals the label or the id; nothing to learn from")
    splits = _split_data(layout, ids, labels, groups, frames, matches)
    return Dataset(
        name=layout.name,
        root=layout.root,
        form=layout.form,
        task_type=labelling.task_type,
        metric=scored,
        classes=labelling.classes,
        roles=roles,
        splits=splits,
        input_columns=inputs,
        withheld=withheld,
        findings=[
            *_gravest_findings(splits, labelling, roles, matches),
            *labelling.assumptions,
            *_metadata_findings(metadata, label_column, layout),
            *roles.findings,
            *findings,
            *_group_findings(roles, groups),
            *([] if frames.get(TRAIN) is None else audit.column_findings(frames[TRAIN])),
        ],
        test_findings=_test_findings(splits, matches, scored, labelling),
        description=_description(layout),
        fingerprint={name: _fingerprint(source) for name, source in layout.splits.items()},
        supplementary=layout.supplementary,
        ignored=layout.ignored,
    )


def _check_metric(
    scored: Metric,
    labelling: Labelling,
    labels: dict[str, NDArray[np.float64]],
    groups: dict[str, list[str]] | None,
    paths: dict[str, Path],
) -> None:
    """Refuse a dataset by whose validation split, its own or one made of train, no model can be chosen."""
    if VALIDATION in labels:
        check_validation(scored, labelling, labels[VALIDATION], paths[VALIDATION])
    else:
        check_scorable(scored, labelling, labels[TRAIN], groups[TRAIN] if groups else None, paths[TRAIN])


def _split_data(
    layout: Layout,
    ids: dict[str, list[str]],
    labels: dict[str, NDArray[np.float64]],
    groups: dict[str, list[str]] | None,
    frames: dict[str, pd.DataFrame],
    matches: dict[str, Match],
) -> dict[str, SplitData]:
    return {
        name: SplitData(
            name,
            ids[name],
            labels[name],
            groups[name] if groups else None,
            source,
            frames.get(name),
            matches[name].excess if name in matches else (),
        )
        for name, source in _sources(layout).items()
    }


def _sources(layout: Layout) -> dict[str, Path]:
    if layout.form is DatasetForm.CSV:
        return layout.splits
    return {name: folder / "input" for name, folder in layout.splits.items()}


def _read_roles(layout: Layout, split: str, roles: ColumnRoles) -> Columns:
    table = layout.labels(split)
    roles.check_header(table, read_header(table))
    columns = read_columns(table, [name for name in (roles.label, roles.id, roles.group) if name is not None])
    fewest = FEWEST_ROWS if split == TRAIN else 1
    if len(columns) < fewest:
        raise UserError(f"{table}: {len(columns)} rows; at least {fewest} are needed")
    return columns


def _ids(read: dict[str, Columns], roles: ColumnRoles) -> dict[str, list[str]]:
    if roles.id is None:
        return {split: [f"{split}-{row}" for row in range(len(columns))] for split, columns in read.items()}
    first: dict[str, tuple[Path, int]] = {}
    for columns in read.values():
        for line, cell in zip(columns.lines, columns.values[roles.id], strict=True):
            if not cell.strip():
                raise UserError(f"{columns.path}, line {line}, column {roles.id!r}: the id is missing")
            if cell in first:
                path, earlier = first[cell]
                name = path.name if path.parent == columns.path.parent else f"{path.parent.name}/{path.name}"
                where = f"line {earlier}" if path == columns.path else f"{name}, line {earlier}"
                raise UserError(
                    f"{columns.path}, line {line}, column {roles.id!r}: id {cell!r} stands in {where} already; "
                    "every row needs an id of its own"
                )
            first[cell] = (columns.path, line)
    return {split: columns.values[roles.id] for split, columns in read.items()}


def _groups(read: dict[str, Columns], roles: ColumnRoles) -> dict[str, list[str]] | None:
    """Groups of every split; a row without one stands alone. None where there are none to keep apart."""
    if roles.group is None or len(set(read[TRAIN].values[roles.group])) < 2:
        return None
    return {
        split: [cell or f"(no group, {split} line {line})" for line, cell in zip(columns.lines, cells, strict=True)]
        for split, columns in read.items()
        for cells in [columns.values[roles.group]]
    }


def _matches(layout: Layout, roles: ColumnRoles, read: dict[str, Columns]) -> dict[str, Match]:
    """What the inputs have to do with the labels; empty in the CSV form, where both stand in one row."""
    if layout.form is DatasetForm.CSV or roles.id is None:
        return {}
    return match_inputs(layout, roles.id, read)


def _frames(
    layout: Layout, roles: ColumnRoles, ids: dict[str, list[str]], matches: dict[str, Match]
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Input columns of each split, aligned to its ids, and what is odd about them."""
    if layout.form is DatasetForm.CSV:
        tables = list(layout.splits.values())
        frames = read_frames(tables, roles.inputs)
        for table, split, frame in zip(tables, layout.splits, frames, strict=True):
            _check_rows(table, len(frame), len(ids[split]))
        return dict(zip(layout.splits, frames, strict=True)), text_among_numbers(tables[0], _texts(frames[0]))
    tables = [match.table for match in matches.values() if match.table is not None]
    if not tables:
        return {}, []
    if len(tables) < len(matches):
        silent = any(match.table is None and not match.findings for match in matches.values())
        return {}, [f"input/{INPUT_TABLE}.csv is not looked into: not every split has it"] if silent else []
    aligned = {}
    frames = read_frames(tables, read_header(tables[0]))
    for split, match, table, frame in zip(matches, matches.values(), tables, frames, strict=True):
        _check_rows(table, len(frame), len(match.ids))
        rows = frame.drop(columns=roles.id or "").set_axis(match.ids)
        aligned[split] = rows.loc[ids[split]].reset_index(drop=True)
    return aligned, []


def _check_rows(table: Path, seen: int, expected: int) -> None:
    if seen != expected:
        raise UserError(f"{table}: read as {seen} or as {expected} rows; check quotes and line ends")


def _texts(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns[frame.dtypes == "str"]]


def _withheld(
    layout: Layout,
    roles: ColumnRoles,
    frames: dict[str, pd.DataFrame],
    labels: NDArray[np.float64],
    labelling: Labelling,
    ids: Sequence[str],
) -> dict[str, str]:
    """Copies of label and id among all columns, those without a role too, so that a person learns of them.

    And inputs that repeat an earlier one: they teach nothing, and ``predict`` would ask for them.
    """
    if TRAIN not in frames:
        return {}
    inputs = columns = frames[TRAIN]
    if roles.others:
        others = read_frames([layout.splits[TRAIN]], roles.others)[0]
        columns = pd.concat([inputs, others], axis=1)
    copies = audit.leaking_columns(columns, labels, labelling.classes, None if roles.id is None else ids)
    return copies | audit.repeated_columns(inputs.drop(columns=list(copies), errors="ignore"), frames.get(VALIDATION))


def _metadata_findings(metadata: Metadata, label_column: str | None, layout: Layout) -> list[str]:
    findings = []
    if metadata.unknown:
        findings.append(f"{FILE_NAME}: keys that mean nothing here: {some(metadata.unknown)}")
    told = read_metadata(layout.root).label_column
    if label_column is not None and told is not None and told != label_column:
        findings.append(f"label {label_column!r} instead of {told!r}: what {FILE_NAME} says of its label is not used")
    if layout.ignored:
        findings.append(f"not part of the dataset: {some(layout.ignored)}")
    if not layout.tests:
        findings.append("no test split: no test score will be known")
    return findings


def _group_findings(roles: ColumnRoles, groups: dict[str, list[str]] | None) -> list[str]:
    if roles.group is not None and groups is None:
        return [f"group column {roles.group!r} has one value in train and is not used"]
    alone = sum(group.startswith("(no group, ") for group in (groups or {}).get(TRAIN, []))
    return [f"{alone} rows of train have no group and stand alone"] if alone else []


def _gravest_findings(
    splits: dict[str, SplitData], labelling: Labelling, roles: ColumnRoles, matches: dict[str, Match]
) -> list[str]:
    """What may spoil a score or a run."""
    return [
        *(_overlap(splits[TRAIN], splits[VALIDATION]) if VALIDATION in splits else []),
        *[finding for name in matches if not is_test(name) for finding in matches[name].findings],
        *_label_findings(splits[TRAIN], labelling, roles),
    ]


def _label_findings(train: SplitData, labelling: Labelling, roles: ColumnRoles) -> list[str]:
    findings = [*labelling.problems, *audit.order_findings(train.labels, labelling.classes, numbered=roles.id is None)]
    return findings if train.frame is None else findings + audit.repeated_rows(train.frame, train.labels)


def _test_findings(
    splits: dict[str, SplitData], matches: dict[str, Match], metric: Metric, labelling: Labelling
) -> list[str]:
    findings = []
    for name, split in splits.items():
        if not is_test(name):
            continue
        findings += _overlap(splits[TRAIN], split)
        if cause := cause_undefined(metric, labelling.task_type, split.labels, labelling.classes):
            findings.append(f"{metric.name} will be undefined on {name}: {cause}")
        findings += matches[name].findings if name in matches else []
    return findings


def _overlap(train: SplitData, other: SplitData) -> list[str]:
    findings = []
    if train.frame is not None and other.frame is not None:
        findings += audit.shared_rows(train.frame, other.frame, other.name)
    if train.groups is not None and other.groups is not None:
        findings += audit.shared_groups(train.groups, other.groups, other.name)
    return findings


def _description(layout: Layout) -> str:
    if layout.description is None:
        return ""
    try:
        return layout.description.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{layout.description}: not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise UserError(f"{layout.description}: cannot be read ({error.strerror})") from None


def _fingerprint(source: Path) -> str:
    return sha256_of(source) if source.is_file() else digest_of(source)
