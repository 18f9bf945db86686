"""Whether the inputs of a dataset in folder form belong to the ids of its labels.

Anything may lie in ``input/``. Only what is recognisably keyed by id is held against the labels: a table with the id
column, where it is ``data.csv`` or the only file, and FASTA files, where nothing else is there and none is named after
an id. Of everything else it is said what could be matched.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agents.data.fasta import is_fasta, read_fasta
from agents.data.layout import TRAIN, Layout
from agents.data.tables import (
    Columns,
    find_table,
    open_table,
    places_of,
    read_columns,
    read_header,
    separator_hint,
    some,
    table_stem,
)
from agents.errors import UserError
from agents.wording import counted

INPUT_TABLE: Final = "data"
"""``input/data.csv`` is looked into; other files are handed over as they are."""


@dataclass(frozen=True)
class Match:
    """What the inputs of one split have to do with the ids of its labels."""

    findings: list[str] = field(default_factory=list)
    by_header: bool = False
    """The headers of FASTA files are the ids, and nothing else is there."""
    excess: tuple[Path, ...] = ()
    """Files that hold rows or sequences of ids without a label too, which are left out."""
    table: Path | None = None
    """The table that is looked into."""
    held: Path | None = None
    """The table whose rows are, or should be, the labelled ids; it may be handed over without a further look."""
    ids: list[str] = field(default_factory=list)
    """Ids of the table's rows, in file order."""


@dataclass(frozen=True)
class _Split:
    name: str
    inputs: Path
    labels: Path
    identity: str
    """Name of the id column."""
    lines: dict[str, int]
    """Labelled id to its line in the labels."""

    @property
    def first(self) -> str:
        return next(iter(self.lines))

    def missing(self, known: Collection[str]) -> list[str]:
        return [identity for identity in self.lines if identity not in known]

    def refuse_missing(self, where: Path, what: str, known: Sequence[str], hint: str = "") -> None:
        """Raise :class:`UserError`, with ``hint`` at its end, where a labelled id is not among the ``known`` ones."""
        absent = self.missing(set(known))
        if absent:
            raise UserError(
                f"{where}: no {what} for {len(absent)} of the {counted(len(self.lines), 'id')} in {self.labels.name}, "
                f"the first is {absent[0]!r} ({self.labels.name}, line {self.lines[absent[0]]}); every labelled id "
                f"needs its input, and the ids there are such as {some(known[:1]) or 'none'}{hint}"
            )


def match_inputs(layout: Layout, identity: str, read: dict[str, Columns]) -> dict[str, Match]:
    """Compare the inputs of each split with its labels, which were ``read`` with the id column ``identity``.

    Raises :class:`UserError` with file, line and id where inputs that are keyed by id lack a labelled one or name one
    twice, and with file and column where a table of one split has not the columns of train's. Inputs without a label
    are a finding, and so is what cannot be matched at all.
    """
    matches: dict[str, Match] = {}
    for name, folder in layout.splits.items():
        labels = read[name]
        lines = dict(zip(labels.values[identity], labels.lines, strict=True))
        split = _Split(name, folder / "input", labels.path, identity, lines)
        files = sorted(_files(split.inputs))
        matches[name] = _match(split, files, by_header=TRAIN in matches and matches[TRAIN].by_header)
    _check_columns(matches)
    return matches


def _match(split: _Split, files: list[Path], by_header: bool) -> Match:
    named = find_table(split.inputs, INPUT_TABLE)
    only = files[0] if len(files) == 1 and table_stem(files[0].name) else None
    if table := named or only:
        return _match_table(split, table, looked_into=named is not None)
    fastas = [path for path in files if is_fasta(path)]
    if fastas:
        return _match_fasta(split, fastas, len(fastas) == len(files), by_header)
    return Match(_match_names(split, files))


def _files(folder: Path) -> Iterator[Path]:
    """Every file but hidden ones, which file managers leave."""
    return (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


# --- tables ----------------------------------------------------------------------------------------------------------


def _match_table(split: _Split, table: Path, looked_into: bool) -> Match:
    where = f"{split.name}/input/{table.name}"
    header = read_header(table)
    if split.identity not in header:
        separator = separator_hint(table, header)
        other = None if separator else _column_of_ids(table, split.lines)
        hint = f" (column {other!r} begins with one of them: call it {split.identity!r})" if other else ""
        hint = f" ({separator})" if separator else hint
        told = f"{where} has no column {split.identity!r}: its rows cannot be matched to the ids of {split.labels.name}"
        return Match([f"{told}, and it is not looked into{hint}"], held=table)
    columns = read_columns(table, [split.identity])
    ids = columns.values[split.identity]
    column = f"column {split.identity!r}"
    _refuse_repeats(table, [(line, identity) for line, identity in zip(columns.lines, ids, strict=True)], column)
    split.refuse_missing(table, "row", ids)
    findings = _unlabelled(split, where, "row", ids)
    excess = (table,) if findings else ()
    return Match(findings, excess=excess, table=table if looked_into else None, held=table, ids=ids)


def _check_columns(matches: dict[str, Match]) -> None:
    """Raise :class:`UserError` where a table lacks a column of train's, or has one more and is handed over as it is.

    A table of train without the id column may have its rows in columns, which differ between splits by their nature.
    """
    train = matches[TRAIN]
    if train.held is None or not train.ids:
        return
    header = read_header(train.held)
    known = set(header)
    looked_into = all(match.table is not None for match in matches.values())
    for match in matches.values():
        if match.held is None:
            continue
        columns = read_header(match.held)
        places_of(match.held, columns, header)
        further = next((name for name in columns if name not in known), None)
        if further is not None and not looked_into:
            raise UserError(f"{match.held}, line 1: column {further!r} is not in train; all splits need the same ones")


def _column_of_ids(table: Path, ids: Collection[str]) -> str | None:
    """The column whose first cell is a labelled id, if there is one."""
    with open_table(table) as (header, rows):
        row = next(rows, None)
        return next((name for name, cell in zip(header, row.cells, strict=True) if cell in ids), None) if row else None


# --- FASTA -----------------------------------------------------------------------------------------------------------


def _match_fasta(split: _Split, fastas: list[Path], nothing_else: bool, by_header: bool) -> Match:
    found: dict[Path, list[tuple[int, str]]] = {}
    is_empty = True
    for path in fastas:
        found[path] = []
        for record in read_fasta(path):
            found[path].append((record.line, record.id))
            is_empty = is_empty and not record.sequence
    ids = [identity for records in found.values() for _, identity in records]
    place = fastas[0] if len(fastas) == 1 else split.inputs
    if ids and is_empty:
        raise UserError(f"{place}: no letter below any of the {counted(len(ids), 'header')}; a sequence belongs there")
    where = f"{split.name}/input/{fastas[0].name}" if len(fastas) == 1 else f"{split.name}/input"
    if not by_header and not any(identity in split.lines for identity in ids):
        if nothing_else and _is_named_after_ids(split, fastas):
            return Match(_match_names(split, fastas))
        if not nothing_else or split.name != TRAIN:
            told = f"no header is an id of {split.labels.name}, so its sequences cannot be matched to the labels"
            return Match([f"{where}: {told} (headers such as {some(ids[:1]) or 'none'}, ids such as {split.first})"])
    if not nothing_else:
        absent = split.missing(set(ids))
        told = f"no sequence for {len(absent)} of the {counted(len(split.lines), 'id')} in {split.labels.name}"
        return Match([f"{where}: {told}, such as {absent[0]}"] if absent else [])
    for path, records in found.items():
        _refuse_repeats(path, records, "header")
    split.refuse_missing(place, "sequence", ids, _matching_part(ids, split.lines))
    excess = [path for path, records in found.items() if any(identity not in split.lines for _, identity in records)]
    return Match(_unlabelled(split, where, "sequence", ids), by_header=True, excess=tuple(excess))


def _is_named_after_ids(split: _Split, files: list[Path]) -> bool:
    """Whether a file bears the id of a row, as where each row has a genome of its own."""
    return any(name in split.lines for path in files for part in _parts(split, path) for name in _stems(part))


def _matching_part(headers: Sequence[str], ids: Collection[str]) -> str:
    """That a part of headers such as ``sp|P1|X`` is an id, in words; empty where none is, or where a header is one."""
    if any(header in ids for header in headers):
        return ""
    for header in headers:
        part = next((part for part in re.split(r"[|:;,/=._]", header) if part in ids), None)
        if part is not None:
            return f"; {part!r} in {header!r} is an id: leave only that in the header, as '>{part}'"
    return ""


# --- any other files -------------------------------------------------------------------------------------------------


def _match_names(split: _Split, files: list[Path]) -> list[str]:
    """Whether files are named after ids: ``r7.png``, ``r7.nii.gz``, ``r7/slide.tif``."""
    named: set[str] = set()
    strange: list[str] = []
    for path in files:
        ids = [name for part in _parts(split, path) for name in _stems(part) if name in split.lines]
        named.update(ids)
        if not ids:
            strange.append(path.relative_to(split.inputs).as_posix())
    where, labels = f"{split.name}/input", f"{split.name}/{split.labels.name}"
    if not named:
        examples = f"files such as {some(strange[:1]) or 'none'}, ids such as {split.first}"
        return [f"{where}: no file is named after an id of {labels} ({examples}); whether all have inputs is not known"]
    if absent := split.missing(named):
        told = f"{len(absent)} of the {counted(len(split.lines), 'id')} in {labels}, such as {absent[0]}"
        return [f"{where}: no file is named after {told}; whether these have inputs is not known"]
    if strange:
        are = "is" if len(strange) == 1 else "are"
        return [f"{where}: {counted(len(strange), 'file')} {are} named after no id of {labels}, such as {strange[0]}"]
    return []


def _parts(split: _Split, path: Path) -> tuple[str, ...]:
    return path.relative_to(split.inputs).parts


def _stems(name: str) -> list[str]:
    """``a.b.c``, ``a.b``, ``a``: an id may have dots, and so may the end of a file's name."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts), 0, -1)]


# --- both ------------------------------------------------------------------------------------------------------------


def _refuse_repeats(path: Path, found: Sequence[tuple[int, str]], where: str) -> None:
    first: dict[str, int] = {}
    repeats: list[tuple[int, str]] = []
    for line, identity in found:
        if not identity.strip():
            raise UserError(f"{path}, line {line}, {where}: the id is missing")
        if first.setdefault(identity, line) != line:
            repeats.append((line, identity))
    if repeats:
        line, identity = repeats[0]
        more = f", and {counted(len(repeats) - 1, 'further one')} like it" if len(repeats) > 1 else ""
        raise UserError(
            f"{path}, line {line}, {where}: id {identity!r} stands in line {first[identity]} already{more}; "
            "every id needs an input of its own"
        )


def _unlabelled(split: _Split, where: str, what: str, ids: Sequence[str]) -> list[str]:
    extra = [identity for identity in ids if identity not in split.lines]
    if not extra:
        return []
    have, are = ("has", "is") if len(extra) == 1 else ("have", "are")
    return [f"{where}: {counted(len(extra), what)} {have} no label and {are} left out, such as {some(extra[:1])}"]
