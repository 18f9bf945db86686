"""Which files of a dataset's folder are what, and the checks that need none of its rows."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from agents.data.columns import ColumnRoles, assign_roles
from agents.data.metadata import FILE_NAME, read_metadata
from agents.data.tables import find_table, read_header, table_stem
from agents.errors import UserError
from agents.evaluation.metrics import metric_named
from agents.vocabulary import TaskType
from agents.vocabulary import is_test as is_test

TRAIN: Final = "train"
VALIDATION: Final = "validation"
DESCRIPTION: Final = "dataset_description.md"
SUPPLEMENTARY: Final = "supplementary"
_KNOWN: Final = {FILE_NAME, DESCRIPTION, SUPPLEMENTARY}


class DatasetForm(StrEnum):
    """The two ways in which a dataset can lie on disk."""

    FOLDER = "folder"
    CSV = "csv"


@dataclass(frozen=True)
class Layout:
    """What lies where. ``splits`` maps train, validation and test splits, in this order, to a folder or a table."""

    root: Path
    form: DatasetForm
    splits: dict[str, Path]
    description: Path | None
    supplementary: Path | None
    ignored: tuple[str, ...]
    """Tables and folders that are no part of the dataset."""

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def tests(self) -> list[str]:
        return [name for name in self.splits if is_test(name)]

    def labels(self, split: str) -> Path:
        """The table that holds a split's labels."""
        path = self.splits[split]
        if self.form is DatasetForm.CSV:
            return path
        found = find_table(path, "labels")
        if found is None:
            raise UserError(f"{path}: no labels.csv; a split folder is input/ and labels.csv (id,label)")
        return found


def find_layout(path: Path) -> Layout:
    """Recognise a dataset by its train split; raises :class:`UserError` where the folder is none."""
    root = path.expanduser().absolute()
    if not root.exists():
        raise UserError(f"{path}: no such folder")
    if not root.is_dir():
        raise UserError(f"{path}: is a file; name the folder that holds train.csv or train/")
    try:
        entries = sorted(root.iterdir())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    folders = {entry.name: entry for entry in entries if entry.is_dir() and _is_split(entry.name)}
    stems = {entry: stem for entry in entries if _is_split(stem := table_stem(entry.name) or "")}
    for entry in stems:
        _check_file(entry)
    tables = {stem: find_table(root, stem) for stem in stems.values()}
    if TRAIN in folders and TRAIN in tables:
        raise UserError(f"{path}: both train/ and {_name(tables[TRAIN])} exist; keep one of them")
    if TRAIN not in folders and TRAIN not in tables:
        raise UserError(f"{path}: not a dataset: neither train.csv nor train/ is there")
    form = DatasetForm.FOLDER if TRAIN in folders else DatasetForm.CSV
    found = folders if form is DatasetForm.FOLDER else {name: table for name, table in tables.items() if table}
    splits = {name: found[name] for name in sorted(found, key=_order)}
    if form is DatasetForm.FOLDER:
        _check_folders(splits)
    used = {entry.name for entry in splits.values()} | _KNOWN
    ignored = [each.name for each in entries if each.name not in used and (each.is_dir() or table_stem(each.name))]
    description, supplementary = root / DESCRIPTION, root / SUPPLEMENTARY
    return Layout(
        root=root,
        form=form,
        splits=splits,
        description=description if description.is_file() else None,
        supplementary=supplementary if supplementary.is_dir() else None,
        ignored=tuple(name for name in ignored if not name.startswith((".", "__"))),
    )


def roles_of(layout: Layout, label_column: str | None = None) -> ColumnRoles:
    """What each column is, by the header of the train split; raises :class:`UserError`."""
    table = layout.labels(TRAIN)
    metadata = read_metadata(layout.root).for_label(label_column)
    return assign_roles(table, read_header(table), metadata, folder_form=layout.form is DatasetForm.FOLDER)


def preflight(path: Path, label_column: str | None = None, metric: str | None = None) -> None:
    """Look at names and headers only, so that a slip is told before a run starts.

    Raises :class:`UserError` where the folder is no dataset, metadata.json does not parse, a header lacks a named
    column or names one twice, or the metric is unknown or does not fit the task.
    """
    layout = find_layout(path)
    metadata = read_metadata(layout.root).for_label(label_column)
    # The metrics of a classification do not depend on the number of its classes, which is not known yet.
    task_type = {"classification": TaskType.BINARY, "regression": TaskType.REGRESSION}.get(metadata.task_type or "")
    if name := metric or metadata.metric:
        metric_named(name, task_type)
    roles = roles_of(layout, label_column)
    for split in layout.splits:
        table = layout.labels(split)
        roles.check_header(table, read_header(table))


def _is_split(name: str) -> bool:
    return name in (TRAIN, VALIDATION) or is_test(name)


def _order(split: str) -> tuple[int, str]:
    return {TRAIN: 0, VALIDATION: 1}.get(split, 2), split


def _name(path: Path | None) -> str:
    return path.name if path else ""


def _check_file(table: Path) -> None:
    """Raise :class:`UserError` where what is called as a split's table is none, such as a folder or a pipe."""
    if not table.is_file():
        what = "a folder" if table.is_dir() else "no file that can be read again and again"
        raise UserError(f"{table}: is {what}; a split is a table, or a folder without an ending such as train/")


def _check_folders(splits: dict[str, Path]) -> None:
    for path in splits.values():
        inputs = path / "input"
        if not inputs.is_dir():
            raise UserError(f"{path}: no folder input/; a split folder is input/ and labels.csv (id,label)")
        if next(inputs.iterdir(), None) is None:
            raise UserError(f"{inputs}: the folder is empty; it must hold what is known of the rows")
