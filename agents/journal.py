"""The journal of a run: append-only JSON lines, one writer, any number of readers that poll its size."""

import os
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from agents.clock import utc_now
from agents.errors import UserError
from agents.events import EVENT, Event, EventBase
from agents.files import sync_folder

_CHUNK = 1 << 20
_E = TypeVar("_E", bound=EventBase)


class JournalWriter:
    """The only writer of ``events.jsonl``.

    Opening an existing journal cuts a torn last line off and goes on with the next sequence number. A whole last line
    that is no event is set aside in a file beside it; raises :class:`UserError` where the line before is none either.
    """

    def __init__(
        self,
        path: Path,
        run_id: str,
        clock: Callable[[], datetime] = utc_now,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._run_id = run_id
        self._clock = clock
        self._redact = redact
        self._next_seq = _mend(path)
        self._file = path.open("ab", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size
        """Bytes of the journal after the last event that was written."""
        sync_folder(path.parent)

    def write(self, event: _E, *, durable: bool = False) -> _E:
        """Stamp ``event``, append it, hand it to the operating system and return it as it was written.

        With ``durable`` it is on the disk when this returns: for facts that something irreversible relies upon. Raises
        ``OSError``; then nothing of the event stays in the journal and the next one takes its number.
        """
        stamped = event.model_copy(update={"seq": self._next_seq, "time": self._clock(), "run_id": self._run_id})
        text = stamped.model_dump_json()
        if (safe := self._redact(text)) != text:
            text, stamped = safe, type(event).model_validate_json(safe)
        line = memoryview(text.encode() + b"\n")
        size, written = os.fstat(self._file.fileno()).st_size, len(line)
        try:
            while line:
                line = line[self._file.write(line) or 0 :]
            if durable:
                os.fsync(self._file.fileno())
        except OSError:
            os.ftruncate(self._file.fileno(), size)
            raise
        self._next_seq += 1
        self.size = size + written
        return stamped

    def close(self) -> None:
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()


class JournalReader:
    """Reads what has been appended since the last call. A torn last line is left for the next call.

    Events whose type is in ``skip`` are passed over unparsed, except where one is the last of what a call reads, so
    that the time of the newest event is always known.
    """

    def __init__(self, path: Path, skip: Collection[str] = ()) -> None:
        self.path = path
        self._skipped = tuple(f'"type":"{name}"'.encode() for name in skip)
        self.offset = 0
        self.unreadable = 0
        """Whole lines that are no event that this version knows; they are counted and passed over."""
        self.lines = 0
        """Whole lines read so far."""
        self.spoilt_line = 0
        """The first line, counted from 1, that is no event of any version; 0 where there is none."""

    @property
    def damage(self) -> str:
        """What is wrong with the file, in one line that names the place; empty where nothing is."""
        return f"{self.path}, line {self.spoilt_line}: is no event" if self.spoilt_line else ""

    def read(self, limit: int = _CHUNK) -> list[Event]:
        """Events of up to about ``limit`` new bytes; empty when there is nothing new or no journal yet."""
        return list(self._parse(self._new_lines(limit)))

    def read_all(self) -> Iterator[Event]:
        """All events from the current position to the present end."""
        while events := self.read():
            yield from events

    def _new_lines(self, limit: int) -> list[bytes]:
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(limit)
                while data and b"\n" not in data:
                    more = file.read(limit)
                    if not more:
                        return []
                    data += more
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return whole.splitlines()

    def _parse(self, lines: list[bytes]) -> Iterator[Event]:
        before, self.lines = self.lines, self.lines + len(lines)
        for number, line in enumerate(lines, start=1):
            if self._skipped and number < len(lines) and self._is_skipped(line):
                continue
            try:
                yield EVENT.validate_json(line)
            except ValidationError:
                self.unreadable += 1
                if not self.spoilt_line and _seq_of(line) is None:
                    self.spoilt_line = before + number

    def _is_skipped(self, line: bytes) -> bool:
        # A quote inside a JSON string is escaped, and no field with names of its own stands before the type.
        start = line.find(b'"type":"')
        return start >= 0 and line.startswith(self._skipped, start)


_SEQ: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def _mend(path: Path) -> int:
    """Cut a torn last line off, set a spoilt one aside; the sequence number that comes next."""
    if not path.exists():
        return 0
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        end = _end_of_last_whole_line(file.read, file.seek, size)
        if end != size:
            file.truncate(end)
        if end == 0:
            return 0
        start, seq = _last_seq(file, end)
        if seq is None and start:
            spoilt = end - start
            _, seq = _last_seq(file, start)
            if seq is None:
                raise UserError(f"{path}: the last two lines are no events; mend or remove them, then resume")
            file.seek(start)
            _free_name(path).write_bytes(file.read(spoilt))
            file.truncate(start)
        if seq is None:
            raise UserError(f"{path}, line 1: is no event; the run cannot be taken up")
        return seq + 1


def _last_seq(file: BinaryIO, end: int) -> tuple[int, int | None]:
    """Where the line begins that ends at ``end``, and its sequence number; None where it is no event."""
    start = _end_of_last_whole_line(file.read, file.seek, end - 1)
    file.seek(start)
    return start, _seq_of(file.read(end - start))


def _seq_of(line: bytes) -> int | None:
    """The sequence number of an event of whatever version."""
    try:
        seq = _SEQ.validate_json(line).get("seq")
    except ValidationError:
        return None
    return seq if isinstance(seq, int) else None


def _free_name(path: Path) -> Path:
    return next(bad for n in count(1) if not (bad := path.with_name(f"{path.name}.bad-{n}")).exists())


def _end_of_last_whole_line(read: Callable[[int], bytes], seek: Callable[[int], int], size: int) -> int:
    """Offset just behind the last newline before ``size``; 0 where there is none."""
    position = size
    while position > 0:
        block = min(_CHUNK, position)
        seek(position - block)
        found = read(block).rfind(b"\n")
        if found >= 0:
            return position - block + found + 1
        position -= block
    return 0
