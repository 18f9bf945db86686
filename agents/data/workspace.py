"""The dataset as an agent may see it: folder form, numbered labels, no trace of a test split.

A split folder is ``input/`` (``data.csv`` with the rows' id, or whatever the dataset brought), ``labels.csv``
(``id,numeric_label``) and, where the dataset has groups, ``groups.csv`` (``id,group``). Cells of inputs are copied as
text, so that no number is rounded and no code loses its zeros.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.data.familiar import ColumnShape, Familiarity, describe_columns
from agents.data.fasta import copy_fasta, fasta_files, header_ids, is_fasta, read_fasta
from agents.data.layout import DESCRIPTION, SUPPLEMENTARY, TRAIN, VALIDATION, DatasetForm
from agents.data.tables import find_table, open_table, pick, places_of, read_columns, read_header, write_table
from agents.errors import UserError, is_of_the_disk
from agents.files import remove_tree, write_json
from agents.vocabulary import TaskType

if TYPE_CHECKING:
    from agents.data.dataset import Dataset, SplitData

FACTS_FILE: Final = "dataset.json"
INPUT: Final = "input"
INPUT_TABLE: Final = "data.csv"
LABELS: Final = "labels.csv"
GROUPS: Final = "groups.csv"
ID: Final = "id"
NUMERIC_LABEL: Final = "numeric_label"
GROUP: Final = "group"


class DatasetFacts(BaseModel):
    """``dataset.json``: what an agent is told. It says nothing of test splits or of where the dataset came from."""

    model_config = ConfigDict(frozen=True)

    name: str
    task_type: TaskType
    metric: str
    higher_is_better: bool
    classes: list[str] = Field(description="Class names in the order of numeric_label; empty for regression.")
    rows: dict[str, int] = Field(description="Rows of train and of validation, where the dataset brings one.")
    has_groups: bool
    brings_validation: bool
    input_columns: list[str] = Field(description="Columns of input/data.csv beside id; empty where it is no table.")
    renamed: dict[str, str] = Field(
        default_factory=dict, description="Input column to its name in the dataset, where that is taken by the id."
    )
    id_column: str | None = Field(description="Name of the id in the dataset's own files; None: rows are numbered.")
    is_table: bool = Field(description="Inputs are one table, input/data.csv.")
    withheld: dict[str, str] = Field(description="Column kept from the model, to the reason.")
    columns: dict[str, ColumnShape] = Field(default_factory=dict, description="What input columns hold in train.")
    fasta_ids: bool = Field(False, description="Inputs are FASTA files whose headers name the rows.")
    fasta_file: str | None = Field(None, description="The FASTA file in input/, where it is the only one.")
    findings: list[str]
    fingerprint: dict[str, str] = Field(description="Split to SHA-256 over the dataset's files.")


def import_dataset(dataset: "Dataset", target: Path) -> DatasetFacts:
    """Write train, a given validation split and the dataset's words into ``target``, which appears whole or not."""
    facts = facts_of(dataset)
    part = target.with_name(f".{target.name}.part")
    remove_tree(part)
    part.mkdir(parents=True)
    for name in facts.rows:
        split = dataset.splits[name]
        folder = part / name
        folder.mkdir()
        _write_inputs(dataset, facts, split, folder / INPUT)
        write_labels(folder, split.ids, split.labels, facts.task_type)
        if split.groups is not None:
            write_table(folder / GROUPS, [ID, GROUP], zip(split.ids, split.groups, strict=True))
    if dataset.supplementary is not None:
        _copy_tree(dataset.supplementary, part / SUPPLEMENTARY)
    (part / DESCRIPTION).write_text(dataset.description, encoding="utf-8")
    write_json(part / FACTS_FILE, facts.model_dump(mode="json"))
    part.rename(target)
    return facts


def facts_of(dataset: "Dataset") -> DatasetFacts:
    """What ``dataset.json`` says of a dataset."""
    shown = [name for name in (TRAIN, VALIDATION) if name in dataset.splits]
    names = _free_names(dataset.input_columns)
    shapes = {} if dataset.train.frame is None else describe_columns(dataset.train.frame)
    fastas = [] if names or dataset.form is DatasetForm.CSV else fasta_files(dataset.train.source)
    fasta_ids = bool(fastas) and set(dataset.train.ids) <= set(header_ids(fastas))
    return DatasetFacts(
        name=dataset.name,
        task_type=dataset.task_type,
        metric=dataset.metric.name,
        higher_is_better=dataset.metric.higher_is_better,
        classes=list(dataset.classes),
        rows={name: len(dataset.splits[name]) for name in shown},
        has_groups=dataset.train.groups is not None,
        brings_validation=dataset.brings_validation,
        input_columns=list(names),
        renamed={new: old for new, old in names.items() if new != old},
        id_column=dataset.roles.id,
        is_table=bool(names),
        withheld=dataset.withheld,
        columns={new: shapes[old] for new, old in names.items() if old in shapes},
        fasta_ids=fasta_ids,
        fasta_file=fastas[0].name if fasta_ids and len(fastas) == 1 else None,
        findings=dataset.findings,
        fingerprint={name: dataset.fingerprint[name] for name in shown},
    )


def read_facts(data_dir: Path) -> DatasetFacts:
    """Read ``dataset.json``; raises :class:`UserError` where it is missing or spoilt."""
    path = data_dir / FACTS_FILE
    try:
        return DatasetFacts.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        raise UserError(f"{path}: {error.errors()[0]['msg']}") from None


def write_test_inputs(dataset: "Dataset", split_name: str, target: Path) -> list[str]:
    """Write the inputs of one split, without labels, into ``target`` as an inference script reads them.

    Returns the ids in the order of the labels.
    """
    _write_inputs(dataset, facts_of(dataset), dataset.splits[split_name], target)
    return dataset.splits[split_name].ids


def write_inputs_only(split_dir: Path, target: Path) -> None:
    """Copy what lies in a split folder's ``input/`` into ``target``, which is made. No labels come with it."""
    _copy_tree(split_dir / INPUT, target)


def write_labels(split_dir: Path, ids: Sequence[str], labels: NDArray[np.float64], task_type: TaskType) -> None:
    """Write ``labels.csv``; measured values keep every digit."""
    values = [int(value) for value in labels] if task_type.is_classification else [repr(float(v)) for v in labels]
    write_table(split_dir / LABELS, [ID, NUMERIC_LABEL], zip(ids, values, strict=True))


def read_labels(split_dir: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Ids and labels of a split folder, in file order; raises :class:`UserError` where a label is no finite number."""
    path = split_dir / LABELS
    columns = read_columns(path, [ID, NUMERIC_LABEL])
    labels = np.empty(len(columns), dtype=np.float64)
    for row, cell in enumerate(columns.values[NUMERIC_LABEL]):
        try:
            labels[row] = float(cell)
        except ValueError:
            labels[row] = np.nan
        if not np.isfinite(labels[row]):
            raise UserError(
                f"{path}, line {columns.lines[row]}, column {NUMERIC_LABEL!r}: expected a number, found {cell!r}"
            )
    return columns.values[ID], labels


def read_groups(split_dir: Path) -> dict[str, str] | None:
    """Id to group; None where the split has no groups."""
    path = split_dir / GROUPS
    if not path.is_file():
        return None
    columns = read_columns(path, [ID, GROUP])
    return dict(zip(columns.values[ID], columns.values[GROUP], strict=True))


def _unheard(_: str) -> None:
    """Where nobody wants to hear of warnings."""


def prepare_predict_input(
    source: Path, facts: DatasetFacts, target: Path, *, on_warning: Callable[[str], None] = _unheard
) -> list[str]:
    """Turn what a person wants predictions for into the folder that an inference script reads; returns the ids.

    A table with the dataset's own columns becomes ``target/data.csv``: further columns are dropped, rows without an id
    column are ``row-0``, ``row-1``, …. A FASTA file stands for a table where the only input is a sequence. A folder
    (with or without ``input/``) is copied; its ids come from ``labels.csv`` or ``ids.csv`` beside ``input/``, else from
    its ``data.csv`` or, where they did in train, from the headers of its FASTA files.

    Cells are compared with those of train: what is no number, or no sequence, where train has them raises
    :class:`UserError` with file, line and column; categories that train has not are told to ``on_warning``, one line a
    column.
    """
    if source.is_file():
        if not facts.is_table and facts.fasta_file is not None and is_fasta(source):
            target.mkdir(parents=True, exist_ok=True)
            ids = header_ids([source])
            _check_ids(source, ids)
            copy_fasta(source, target / facts.fasta_file)
            return ids
        return _predict_file(source, facts, target, on_warning)
    if not source.is_dir():
        raise UserError(f"{source}: no such file or folder")
    inputs = source / INPUT if (source / INPUT).is_dir() else source
    if facts.is_table:
        table = find_table(inputs, "data")
        fastas = [] if table is not None else fasta_files(inputs)
        if table is None and len(fastas) != 1:
            raise UserError(f"{inputs}: no data.csv; this model reads a table with the columns of its training data")
        return _predict_file(table or fastas[0], facts, target, on_warning)
    return _predict_folder(source, inputs, facts, target)


def _predict_folder(source: Path, inputs: Path, facts: DatasetFacts, target: Path) -> list[str]:
    beside = [found for stem in ("ids", "labels") if (found := find_table(source, stem)) is not None]
    fastas = fasta_files(inputs) if facts.fasta_ids else []
    if beside:
        ids = read_columns(beside[0], [ID]).values[ID]
        _check_ids(beside[0], ids)
    elif fastas:
        ids = header_ids(fastas)
        _check_ids(source, ids)
    else:
        raise UserError(f"{source}: which rows are there? Put ids.csv with a column 'id' beside {INPUT}/")
    _copy_tree(inputs, target, leave={path.name for path in beside})
    if facts.fasta_file is not None and len(fastas) == 1 and fastas[0].name != facts.fasta_file:
        (target / fastas[0].relative_to(inputs)).unlink()
        copy_fasta(fastas[0], target / facts.fasta_file)
    return ids


def _predict_file(source: Path, facts: DatasetFacts, target: Path, on_warning: Callable[[str], None]) -> list[str]:
    if not facts.is_table:
        raise UserError(f"{source}: this model reads a folder with the files of its training data, not a table")
    return (_predict_fasta if is_fasta(source) else _predict_table)(source, facts, target, on_warning)


def _predict_fasta(source: Path, facts: DatasetFacts, target: Path, on_warning: Callable[[str], None]) -> list[str]:
    shapes = [facts.columns.get(name) for name in facts.input_columns]
    if len(shapes) != 1 or not (shapes[0] is None or (shapes[0] != "numeric" and shapes[0].alphabet is not None)):
        needed = ", ".join(facts.input_columns[:8])
        raise UserError(f"{source}: is FASTA, but this model reads more than one sequence a row; its columns: {needed}")
    familiarity = Familiarity(source, facts.input_columns, shapes)
    rows = ((record.line, record.id, (record.sequence,)) for record in read_fasta(source))
    return _write_checked(source, facts, target, familiarity, rows, on_warning)


def _predict_table(source: Path, facts: DatasetFacts, target: Path, on_warning: Callable[[str], None]) -> list[str]:
    originals = [facts.renamed.get(name, name) for name in facts.input_columns]
    with open_table(source) as (header, rows):
        # The run's own tables call a renamed column by its new name.
        known = set(header)
        wanted = [new if new in known else old for new, old in zip(facts.input_columns, originals, strict=True)]
        inputs_of = pick(places_of(source, header, wanted))
        candidates = [name for name in (facts.id_column, ID) if name in known and name not in wanted]
        id_place = header.index(candidates[0]) if candidates and candidates[0] is not None else None
        familiarity = Familiarity(source, wanted, [facts.columns.get(name) for name in facts.input_columns])
        named = (
            (row.line, f"row-{number}" if id_place is None else row.cells[id_place], inputs_of(row.cells))
            for number, row in enumerate(rows)
        )
        return _write_checked(source, facts, target, familiarity, named, on_warning)


def _write_checked(
    source: Path,
    facts: DatasetFacts,
    target: Path,
    familiarity: Familiarity,
    rows: Iterable[tuple[int, str, Sequence[str]]],
    on_warning: Callable[[str], None],
) -> list[str]:
    """Write rows (line, id, inputs) as ``target/data.csv`` while they are read; returns the ids."""
    ids: list[str] = []

    def cells() -> Iterator[list[str]]:
        for line, identity, inputs in rows:
            familiarity.check(line, inputs)
            ids.append(identity)
            yield [identity, *inputs]

    target.mkdir(parents=True, exist_ok=True)
    write_table(target / INPUT_TABLE, [ID, *facts.input_columns], cells())
    _check_ids(source, ids)
    for warning in familiarity.warnings():
        on_warning(warning)
    return ids


def _check_ids(path: Path, ids: list[str]) -> None:
    if not ids:
        raise UserError(f"{path}: no rows to predict")
    seen: set[str] = set()
    for identity in ids:
        if not identity.strip():
            raise UserError(f"{path}: a row has no id")
        if identity in seen:
            raise UserError(f"{path}: id {identity!r} stands there twice; every row needs an id of its own")
        seen.add(identity)


def _write_inputs(dataset: "Dataset", facts: DatasetFacts, split: "SplitData", target: Path) -> None:
    if dataset.form is DatasetForm.CSV:
        target.mkdir(parents=True, exist_ok=True)
        _copy_columns(split.source, target / INPUT_TABLE, [ID, *facts.input_columns], dataset.input_columns, split.ids)
        return
    _copy_tree(split.source, target)
    identity, labelled = dataset.roles.id or ID, set(split.ids)
    table = find_table(split.source, "data") if facts.is_table else None
    if table is not None:
        (target / table.name).unlink()
        columns = [identity, *dataset.input_columns]
        _copy_rows(table, target / INPUT_TABLE, [ID, *facts.input_columns], columns, labelled)
    for path in split.excess:
        place = target / path.relative_to(split.source)
        if is_fasta(path):
            copy_fasta(path, place, labelled)
        elif path != table:
            columns = [identity, *(name for name in read_header(path) if name != identity)]
            _copy_rows(path, place, columns, columns, labelled)


def _copy_columns(source: Path, target: Path, header: list[str], columns: Sequence[str], ids: Sequence[str]) -> None:
    """Copy columns of a table, cell by cell as text, with ``ids`` before them."""
    with open_table(source) as (names, rows):
        inputs_of = pick(places_of(source, names, columns))
        lines = ([identity, *inputs_of(row.cells)] for identity, row in zip(ids, rows, strict=True))
        write_table(target, header, lines)


def _copy_rows(source: Path, target: Path, header: Sequence[str], columns: Sequence[str], ids: Collection[str]) -> None:
    """Copy columns of the rows of ``ids``, cell by cell as text, under the names of ``header``; an id comes first."""
    with open_table(source) as (names, rows):
        cells_of = pick(places_of(source, names, columns))
        write_table(target, header, (cells for row in rows if (cells := cells_of(row.cells))[0] in ids))


def _free_names(columns: Sequence[str]) -> dict[str, str]:
    """Name in the workspace to name in the dataset: an input that is called ``id`` makes way for the rows' id."""
    taken = set(columns)
    names = {}
    for column in columns:
        name, count = column, 1
        while name == ID or (name != column and name in taken):
            name = f"{column}_input" if count == 1 else f"{column}_input_{count}"
            count += 1
        names[name] = column
    return names


def _copy_tree(source: Path, target: Path, leave: Collection[str] = ()) -> None:
    """Copy what lies in ``source``, but for the names in ``leave``, into ``target``.

    Contents only: the modes of a read-only dataset would make folders here that nobody can write to or remove.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        for entry in source.iterdir():
            if entry.name in leave:
                continue
            if entry.is_dir():
                _copy_tree(entry, target / entry.name)
            else:
                shutil.copyfile(entry, target / entry.name)
    except (OSError, shutil.Error) as error:
        if is_of_the_disk(error):
            raise
        raise UserError(f"{source}: cannot be copied to {target} ({error})") from None
