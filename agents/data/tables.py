"""Reading and writing CSV and TSV text, row by row, with the standard library.

Every reader reports what is wrong with the file and the line where it stands. Cells are text exactly as the file has
them: nothing is taken for a missing value, a number or a date.
"""

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import IO, Final, TextIO, cast

from agents.errors import UserError, is_of_the_disk

SUFFIXES: Final = (".csv", ".csv.gz", ".tsv", ".tsv.gz")

_SEPARATORS: Final = {",": "commas", "\t": "tabs", ";": "';'", "|": "'|'"}

# The library refuses cells above 128 kB by default; a genomic sequence in one cell is longer.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


@dataclass(frozen=True)
class Row:
    """One data row and the line of the file on which it begins, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Columns:
    """Some columns of a table as text, aligned to ``lines``."""

    path: Path
    lines: list[int]
    values: dict[str, list[str]]

    def __len__(self) -> int:
        return len(self.lines)


def table_stem(name: str) -> str | None:
    """``train`` of ``train.csv.gz``; None where the file name is not that of a table."""
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return None


def delimiter_of(path: Path) -> str:
    """A tab for ``.tsv``, a comma for everything else."""
    return "\t" if path.name.lower().removesuffix(".gz").endswith(".tsv") else ","


def separator_hint(path: Path, header: Sequence[str]) -> str:
    """That columns seem to be separated by something else than the file's name says; empty where they do not."""
    expected = delimiter_of(path)
    text = expected.join(header)
    counts = {sep: text.count(sep) for sep in _SEPARATORS if sep != expected}
    likely = max(counts, key=lambda sep: counts[sep])
    if counts[likely] <= len(header) - 1:
        return ""
    told = f"it looks as if columns were separated by {_SEPARATORS[likely]}, not by {_SEPARATORS[expected]}"
    return f"{told}; save the file anew, or with the ending .tsv" if likely == "\t" else told


def find_table(folder: Path, stem: str) -> Path | None:
    """The table called ``stem`` in ``folder``; raises :class:`UserError` where several files claim the name."""
    found = [path for suffix in SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()]
    if len(found) > 1:
        raise UserError(f"{folder}: both {found[0].name} and {found[1].name} exist; keep one of them")
    return found[0] if found else None


def read_header(path: Path) -> list[str]:
    """Column names of a table; raises :class:`UserError` as :func:`read_rows` does."""
    with open_table(path) as (header, _):
        return header


@contextmanager
def open_table(path: Path) -> Iterator[tuple[list[str], Iterator[Row]]]:
    """A table's column names and its rows, read on demand. Blank lines are passed over; a byte-order mark is dropped.

    Raises :class:`UserError` with file and line: unreadable or empty file, not UTF-8, broken gzip or quoting, a column
    without a name or named twice, a row with more or fewer cells than the header, a NUL byte.
    """
    with _reading(path) as text:
        records = _records(path, text)
        first = next(records, None)
        if first is None:
            raise UserError(f"{path}: the file is empty; its first line must name the columns")
        header = first.cells
        _check_header(path, header)
        yield header, _even(path, header, records)


def read_columns(path: Path, wanted: Sequence[str]) -> Columns:
    """Read the named columns of a table; raises :class:`UserError` where one is absent, and as :func:`open_table`."""
    with open_table(path) as (header, rows):
        places = places_of(path, header, wanted)
        lines: list[int] = []
        values: list[list[str]] = [[] for _ in wanted]
        for row in rows:
            lines.append(row.line)
            for column, place in zip(values, places, strict=True):
                column.append(row.cells[place])
    return Columns(path, lines, dict(zip(wanted, values, strict=True)))


def place_of(path: Path, header: Sequence[str], name: str) -> int:
    """Where the column stands; raises :class:`UserError` that lists the columns there are."""
    try:
        return header.index(name)
    except ValueError:
        told = separator_hint(path, header) or f"the columns are: {some(header, 8)}"
        raise UserError(f"{path}, line 1: no column {name!r}; {told}") from None


def places_of(path: Path, header: Sequence[str], names: Iterable[str]) -> list[int]:
    """Where each of the columns stands; raises :class:`UserError` as :func:`place_of` does."""
    places = {name: place for place, name in enumerate(header)}
    return [places[name] if name in places else place_of(path, header, name) for name in names]


def pick(places: Sequence[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """What takes the cells at ``places`` out of a row, quickly also where there are tens of thousands."""
    if len(places) == 1:
        only = places[0]
        return lambda cells: (cells[only],)
    return itemgetter(*places) if places else lambda _: ()


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a CSV file, gzipped where its name says so; returns the number of rows."""
    count = 0
    with gzip.open(path, "wt", encoding="utf-8", newline="") if _is_gzip(path) else _plain_writer(path) as file:
        writer = csv.writer(_UnixLines(file), delimiter=delimiter_of(path), lineterminator="\r\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def some(names: Iterable[str], limit: int = 3) -> str:
    """Up to ``limit`` names as a person reads them, and how many more there are."""
    listed = [repr(name) if not name.strip() or name != name.strip() or "," in name else name for name in names]
    more = len(listed) - limit
    return ", ".join(listed[:limit]) + (f" and {more} more" if more > 0 else "")


@contextmanager
def _reading(path: Path) -> Iterator[TextIO]:
    """The file as text; what goes wrong while it is read becomes a :class:`UserError`."""
    try:
        with _bytes_of(path) as binary, io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
            yield text
    except UnicodeDecodeError:
        raise UserError(f"{path}, line {_undecodable_line(path)}: not UTF-8 text; save the file as UTF-8") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: broken gzip file ({error})") from None
    except OSError as error:
        if is_of_the_disk(error):
            raise  # it may be the one that is written to
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None


def _records(path: Path, text: TextIO) -> Iterator[Row]:
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter_of(path), strict=True)
    end = 0
    header: list[str] = []
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(f"{path}, line {end + 1}: the row cannot be read ({error}); check its quotes") from None
        if lines.have_nul:
            place = next(place for place, cell in enumerate(cells) if "\0" in cell)
            column = repr(header[place]) if place < len(header) else str(place + 1)
            raise UserError(f"{path}, line {end + 1}, column {column}: a NUL byte, which is no text; take it out")
        if cells and not (len(cells) == 1 and not cells[0].strip()):
            header = header or cells
            yield Row(end + 1, cells)
        end = reader.line_num


class _Lines:
    """The lines of a text, and whether one of them had a NUL byte: to look at a line is quicker than at its cells."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.have_nul = False

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.have_nul = self.have_nul or "\0" in line
            yield line


def _even(path: Path, header: list[str], records: Iterator[Row]) -> Iterator[Row]:
    width = len(header)
    for row in records:
        if len(row.cells) != width:
            hint = separator_hint(path, header)
            told = f"{len(row.cells)} cells; the header has {width} columns"
            raise UserError(f"{path}, line {row.line}: {told}{f' ({hint})' if hint else ''}")
        yield row


def _check_header(path: Path, header: list[str]) -> None:
    seen: dict[str, int] = {}
    for place, name in enumerate(header, 1):
        if not name.strip():
            raise UserError(f"{path}, line 1: column {place} has no name; name it (a row index is usually the id)")
        if name in seen:
            raise UserError(f"{path}, line 1: columns {seen[name]} and {place} are both called {name!r}")
        seen[name] = place


def _undecodable_line(path: Path) -> int:
    number = 0
    with _bytes_of(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return number


class _UnixLines:
    """Ends rows with ``\\n``.

    The writer itself has to end them with ``\\r\\n``, for it quotes only what occurs in its own line end: a bare
    ``\\r`` in a cell would be read as the end of the row.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> int:
        return self._file.write(f"{row[:-2]}\n")


def _is_gzip(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


@contextmanager
def _bytes_of(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        yield cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if _is_gzip(path) else raw


def _plain_writer(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")
