"""FASTA files: ``>name words`` and below it the sequence, on one line or more."""

import gzip
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from agents.errors import UserError, is_of_the_disk

SUFFIXES: Final = (".fa", ".fasta", ".faa", ".fna")


@dataclass(frozen=True)
class Record:
    """One sequence; ``line`` is where its header stands, counted from 1."""

    line: int
    id: str
    sequence: str


def is_fasta(path: Path) -> bool:
    """Whether a file is FASTA by its name, or else by its first character; False where it cannot be read."""
    if path.name.lower().removesuffix(".gz").endswith(SUFFIXES):
        return path.is_file()
    try:
        with path.open("rb") as file:
            return file.read(1) == b">"
    except OSError:
        return False


def read_fasta(path: Path) -> Iterator[Record]:
    """Records in file order, read on demand; an id is the first word of its header.

    Raises :class:`UserError` with file and line: unreadable file, not UTF-8, text before the first header, a header
    without a name.
    """
    identity: str | None = None
    start = 0
    parts: list[str] = []
    with open_bytes(path) as file:
        for number, raw in enumerate(file, 1):
            line = _text(path, number, raw)
            if line.startswith(">"):
                if identity is not None:
                    yield Record(start, identity, "".join(parts))
                identity, start, parts = _name(path, number, line), number, []
            elif line and identity is None:
                raise UserError(f"{path}, line {number}: not FASTA: expected a header such as '>name', found {line!r}")
            elif line:
                parts += line.split()
    if identity is not None:
        yield Record(start, identity, "".join(parts))


def fasta_files(folder: Path) -> list[Path]:
    """All FASTA files in ``folder`` and below it."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and is_fasta(path))


def header_ids(files: Sequence[Path]) -> list[str]:
    """Ids of all files in order; where each file has all of them, as rows of two sequences do, they are told once."""
    per_file = [[record.id for record in read_fasta(path)] for path in files]
    if len(per_file) > 1 and all(set(ids) == set(per_file[0]) for ids in per_file):
        return per_file[0]
    return [identity for ids in per_file for identity in ids]


def copy_fasta(source: Path, target: Path, ids: Collection[str] | None = None) -> None:
    """Copy line by line, packed as the name of ``target`` says; with ``ids``, just the sequences of these.

    ``source`` must be what :func:`read_fasta` reads without an error.
    """
    with open_bytes(source) as read, gzip.open(target, "wb") if target.suffix == ".gz" else target.open("wb") as write:
        is_wanted = True
        for number, raw in enumerate(read, 1):
            line = _text(source, number, raw)
            if ids is not None and line.startswith(">"):
                is_wanted = _name(source, number, line) in ids
            if is_wanted:
                write.write(raw)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The file's content, unpacked where its name ends in ``.gz``; raises :class:`UserError`."""
    try:
        with path.open("rb") as raw:
            yield cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if path.suffix.lower() == ".gz" else raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: broken gzip file ({error})") from None
    except OSError as error:
        if is_of_the_disk(error):
            raise  # it may be the one that is written to
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None


def _text(path: Path, number: int, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError:
        raise UserError(f"{path}, line {number}: not UTF-8 text; save the file as UTF-8") from None


def _name(path: Path, number: int, line: str) -> str:
    words = line[1:].split(maxsplit=1)
    if not words:
        raise UserError(f"{path}, line {number}: a header without a name; expected '>' and the id of the row")
    return words[0]
