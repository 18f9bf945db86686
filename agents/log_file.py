"""A log file of any size as lines on demand: counted in chunks, read where one looks, searched without loading it."""

import os
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from agents.errors import UserError

CHUNK: Final = 1 << 20
"""Bytes that one :meth:`LogFile.grow` counts, and that one step of a search reads."""
LINE_LIMIT: Final = 16_384
"""Bytes of one line that are ever decoded; what is longer is cut and says how long it is."""
_BLOCK: Final = 1 << 14
_NEWLINE: Final = b"\n"


@dataclass(frozen=True)
class Search:
    """What a person looks for. A plain text in small letters finds any case; one capital makes it exact."""

    text: str
    regex: bool = False

    def compile(self) -> re.Pattern[str]:
        """The search as a pattern for one line; raises :class:`UserError` where the text is no regular expression."""
        exact = any(letter.isupper() for letter in self.text) and not self.regex
        try:
            return re.compile(self.text if self.regex else re.escape(self.text), 0 if exact else re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            raise UserError(f"no regular expression: {error}") from None


class LineIndex:
    """Where the lines of a growing text start, in 8 bytes for every 16 KiB, whatever the lengths of its lines.

    It keeps how many newlines lie before the end of each block. A line's place is then found by bisection and a look
    into one block.
    """

    def __init__(self) -> None:
        self._newlines = array("Q")
        self._open_block = 0
        self.size = 0
        """Bytes counted so far."""
        self.newlines = 0
        self._ends_whole = True

    def feed(self, data: bytes) -> None:
        """Count the bytes that follow the ones fed before."""
        position = 0
        while position < len(data):
            taken = min(_BLOCK - self._open_block, len(data) - position)
            self.newlines += data.count(_NEWLINE, position, position + taken)
            self._open_block += taken
            position += taken
            if self._open_block == _BLOCK:
                self._newlines.append(self.newlines)
                self._open_block = 0
        if data:
            self.size += len(data)
            self._ends_whole = data.endswith(_NEWLINE)

    @property
    def lines(self) -> int:
        """Lines so far, an unfinished last one included."""
        return self.newlines + (0 if self._ends_whole else 1)

    @property
    def nbytes(self) -> int:
        """Memory of the index, in bytes."""
        return len(self._newlines) * self._newlines.itemsize

    def block_of(self, newline: int) -> tuple[int, int]:
        """Offset of the block that holds the newline of that number (from 1), and the newlines before the block."""
        block = bisect_left(self._newlines, newline)
        return block * _BLOCK, self._newlines[block - 1] if block else 0

    def before(self, offset: int) -> tuple[int, int]:
        """The start of the block of ``offset`` and the newlines before that start."""
        block = min(offset // _BLOCK, len(self._newlines))
        return block * _BLOCK, self._newlines[block - 1] if block else 0


@dataclass(frozen=True)
class Found:
    """Outcome of a search: the line, or None where there is none. ``wrapped``: it lies beyond an end of the file."""

    line: int | None
    wrapped: bool = False


class LogFile:
    """Lines of a file that may still grow, not exist yet, shrink or be replaced. One thread uses it at a time.

    A line ends with a newline. Of what carriage returns overwrote, as progress bars do, only the last text is a line's
    text. Bytes that are no UTF-8 are replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = LineIndex()
        self.generation = 0
        """Grows each time the file was replaced or cut; lines read before then are another file's."""
        self.size = 0
        """Bytes of the file when it was last looked at."""
        self._file: int | None = None
        self._identity: tuple[int, int] | None = None

    @property
    def lines(self) -> int:
        return self.index.lines

    @property
    def is_counted(self) -> bool:
        """Whether every line that the file had at the last look is counted."""
        return self.index.size >= self.size

    def look(self) -> None:
        """See how long the file is now. It is opened anew, since shared file systems tell an open file's past."""
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return  # it is not there yet, or no longer: what is open stays readable
        self._replace(file)
        status = os.fstat(file)
        identity = (status.st_dev, status.st_ino)
        if identity != (self._identity or identity) or status.st_size < self.index.size:
            self.index = LineIndex()
            self.generation += 1
        self._identity = identity
        self.size = status.st_size

    def grow(self) -> bool:
        """Count one chunk more; False when there was nothing to count."""
        data = self._read(self.index.size, min(CHUNK, self.size - self.index.size))
        self.index.feed(data)
        return bool(data)

    def close(self) -> None:
        self._replace(None)

    # --- lines -------------------------------------------------------------------------------------------------------

    def read_lines(self, start: int, count: int) -> list[str]:
        """Lines ``start`` (from 0) to ``start + count``, as far as they are counted."""
        start = max(0, start)
        stop = min(start + count, self.lines)
        if start >= stop:
            return []
        begin = self._start_of(start)
        end = self._start_of(stop)
        if end - begin <= CHUNK + LINE_LIMIT * (stop - start):
            return [self._shown(line) for line in _split(self._read(begin, end - begin))]
        edges = [begin, *(self._start_of(line) for line in range(start + 1, stop)), end]
        return [self._bounded(first, last) for first, last in pairwise(edges)]

    def read_tail(self, count: int) -> list[str]:
        """The last ``count`` lines at most, read from the end without counting; fewer where lines are very long."""
        start = max(0, self.size - CHUNK)
        data = self._read(start, self.size - start)
        lines = _split(data)
        whole = lines if start == 0 or len(lines) == 1 else lines[1:]
        return [self._shown(line) for line in whole[-count:]]

    def _start_of(self, line: int) -> int:
        """Offset of the first byte of ``line``; the counted size for a line beyond the last."""
        if line <= 0:
            return 0
        if line > self.index.newlines:
            return self.index.size
        offset, before = self.index.block_of(line)
        block = self._read(offset, _BLOCK)
        position = -1
        for _ in range(line - before):
            position = block.find(_NEWLINE, position + 1)
        return offset + position + 1

    def _bounded(self, start: int, end: int) -> str:
        """The line between two offsets, without reading more of it than its two ends."""
        if end - start <= 2 * LINE_LIMIT:
            return self._shown(self._read(start, end - start))
        tail = self._read(end - LINE_LIMIT, LINE_LIMIT)
        if b"\r" in tail.rstrip(b"\r\n"):
            return self._shown(tail)
        return _cut(self._read(start, LINE_LIMIT), end - start)

    @staticmethod
    def _shown(line: bytes) -> str:
        text = _last_text(line)
        return text.decode(errors="replace") if len(text) <= LINE_LIMIT else _cut(text[:LINE_LIMIT], len(text))

    # --- search ------------------------------------------------------------------------------------------------------

    def find(
        self, search: Search, start: int, *, backwards: bool = False, shown: Callable[[str], str] = str
    ) -> Iterator[float | Found]:
        """Look for the first match from line ``start`` on (or from it back), round the end of the file if need be.

        ``shown`` turns a line into what the person sees of it, which is what must match; it may drop escapes and expand
        tabs. Yields the fraction that has been looked through after each chunk, and at last a :class:`Found`. Dropping
        the iterator ends the search. Only counted lines are searched. Raises :class:`UserError` for a bad expression.
        """
        pattern = search.compile()
        total = max(1, self.index.size)
        # The line itself comes first in its direction: it ends where the other direction begins.
        origin = self._start_of(start + 1 if backwards else start)
        ranges = [(0, origin), (origin, self.index.size)] if backwards else [(origin, self.index.size), (0, origin)]
        done = 0
        for wrapped, (first, last) in enumerate(ranges):
            for begin, end in self._pieces(first, last, backwards):
                line = self._match(search, pattern, shown, (begin, end), backwards)
                if line is not None:
                    yield Found(line, bool(wrapped))
                    return
                done += end - begin
                yield min(1.0, done / total)
        yield Found(None)

    def _pieces(self, first: int, last: int, backwards: bool) -> Iterator[tuple[int, int]]:
        """Pieces of about a chunk that tile ``first:last``. They end with a line, unless a line is longer than that."""
        while first < last:
            if backwards:
                begin = max(first, last - CHUNK)
                if begin > first and (newline := self._read(begin, last - 1 - begin).find(_NEWLINE)) >= 0:
                    begin += newline + 1
                yield begin, last
                last = begin
            else:
                end = min(last, first + CHUNK)
                if end < last and (newline := self._read(first, end - first).rfind(_NEWLINE)) >= 0:
                    end = first + newline + 1
                yield first, end
                first = end

    def _match(
        self,
        search: Search,
        pattern: re.Pattern[str],
        shown: Callable[[str], str],
        piece: tuple[int, int],
        backwards: bool,
    ) -> int | None:
        """Number of the first (or last) line of a piece whose text matches."""
        begin, end = piece
        data = self._read(begin, end - begin)
        # Only escapes and tabs make a line look other than it is written. Without them a chunk that lacks the text is
        # passed over at once, and one that may hold it is decoded at once: ten times as fast as line by line.
        altered = b"\x1b" in data or b"\t" in data
        if not (altered or search.regex or _may_hold(data, search.text, pattern)):
            return None
        if altered or b"\r" in data:
            lines = [shown(_last_text(line).decode(errors="replace")) for line in _split(data)]
        else:
            lines = data.decode(errors="replace").split("\n")
            if data.endswith(_NEWLINE):
                lines.pop()
        for number in reversed(range(len(lines))) if backwards else range(len(lines)):
            if pattern.search(lines[number]):
                return self._number_at(begin) + number
        return None

    def _number_at(self, offset: int) -> int:
        """Number of the line that holds the byte at ``offset``."""
        block, newlines = self.index.before(offset)
        return newlines + self._read(block, offset - block).count(_NEWLINE)

    # --- the file ----------------------------------------------------------------------------------------------------

    def _read(self, offset: int, count: int) -> bytes:
        if self._file is None or count <= 0:
            return b""
        try:
            return os.pread(self._file, count, offset)
        except OSError:
            return b""  # the next look finds out what became of it

    def _replace(self, file: int | None) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = file


def _split(data: bytes) -> list[bytes]:
    lines = data.split(_NEWLINE)
    if not lines[-1]:
        lines.pop()
    return lines


def _may_hold(data: bytes, text: str, pattern: re.Pattern[str]) -> bool:
    """Whether ``data`` holds a plain text somewhere; ``pattern`` is how it is matched."""
    if not (data.isascii() and text.isascii()):
        return pattern.search(data.decode(errors="replace")) is not None
    if pattern.flags & re.IGNORECASE:
        return text.lower().encode() in data.lower()
    return text.encode() in data


def _last_text(line: bytes) -> bytes:
    """What a line shows after its carriage returns, each taken as a rewrite of the whole line."""
    text = line.rstrip(b"\r\n")
    return text[text.rfind(b"\r") + 1 :]


def _cut(head: bytes, size: int) -> str:
    """The beginning of a line of ``size`` bytes, with a word about the rest."""
    return f"{head.decode(errors='ignore')} … [line of {size:,} bytes, cut here]"
