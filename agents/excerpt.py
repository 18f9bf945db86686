"""What a model gets to see of a text of any length: its head and its tail, without terminal control."""

import re
from codecs import getincrementaldecoder
from dataclasses import dataclass
from typing import Final

from agents.escapes import without_escapes
from agents.wording import counted

HEAD_CHARACTERS: Final = 8_000
TAIL_CHARACTERS: Final = 4_000

_RAW_LIMIT: Final = 64 * 1024
"""Bytes kept at each end. More than the characters shown, because colours and multi-byte characters shrink."""

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Lone surrogates count as control characters: no file and no request can carry them."""
_SEPARATORS: Final = re.compile(r"[\s\u2028\u2029]+")
_BIDI: Final = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """``text`` without escape sequences and control characters; newlines and tabs stay.

    An escape sequence that is never closed loses only its first characters, so that it cannot hide what follows.
    """
    return _CONTROLS.sub("", without_escapes(text))


def one_line(text: str, limit: int = 200) -> str:
    """``text`` as one line of at most ``limit`` characters for a list or a title."""
    line = _SEPARATORS.sub(" ", _BIDI.sub("", clean(text))).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


@dataclass(frozen=True)
class _Piece:
    """One end of the text: cleaned, with the bytes and whole lines that it stands for."""

    text: str
    bytes: int
    lines: int


class Excerpt:
    """Takes bytes as they come and remembers both ends; memory does not grow with the input.

    Progress bars that redraw a line with carriage returns are collapsed to their last state. Invalid UTF-8 is
    replaced. The cut is made at line borders unless a single line is longer than its share.
    """

    def __init__(self, head: int = HEAD_CHARACTERS, tail: int = TAIL_CHARACTERS) -> None:
        self._head_limit = head
        self._tail_limit = tail
        self._head = b""
        self._tail = bytearray()
        self._line = b""
        """The unfinished last line, which a carriage return may still overwrite."""
        self._kept = 0
        """Bytes that reached head or tail, whether or not they are still there."""
        self.bytes = 0
        """Bytes fed."""
        self.newlines = 0

    @property
    def lines(self) -> int:
        """Lines fed; a last one without a newline counts."""
        return self.newlines + bool(self._line)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.bytes += len(data)
        self.newlines += data.count(b"\n")
        data = self._line + data
        if b"\r" in data:
            data = b"\n".join(map(_last_state, data.split(b"\n")))
        cut = data.rfind(b"\n") + 1
        if len(data) - cut > _RAW_LIMIT:
            cut = len(data) - _RAW_LIMIT
        self._keep(data[:cut])
        self._line = data[cut:]

    def _keep(self, data: bytes) -> None:
        self._kept += len(data)
        room = _RAW_LIMIT - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data[-2 * _RAW_LIMIT :]
        if len(self._tail) > 2 * _RAW_LIMIT:
            del self._tail[:-_RAW_LIMIT]

    def text(self) -> str:
        """The whole text where it fits, else its head and tail with a line between them that says what is missing."""
        tail = bytes(self._tail) + self._line
        contiguous = len(self._head) + len(self._tail) == self._kept
        if contiguous:
            whole = clean(_decode(self._head + tail))
            if len(whole) <= self._head_limit + self._tail_limit:
                return whole
        first = _take_head(self._head + (tail if contiguous else b""), self._head_limit)
        rest = (self._head + tail)[first.bytes :] if contiguous else tail
        last = _take_tail(rest, self._tail_limit, starts_inside_a_line=not contiguous)
        # Bytes that a carriage return overwrote are neither shown nor missing.
        overwritten = self.bytes - self._kept - len(self._line)
        bytes_out = self.bytes - overwritten - first.bytes - last.bytes
        lines_out = self.lines - first.lines - last.lines
        border = "" if not first.text or first.text.endswith("\n") else "\n"
        return f"{first.text}{border}… {bytes_out:,} bytes ({counted(lines_out, 'line')}) left out …\n{last.text}"


def excerpt(text: str) -> str:
    """The excerpt of a text that is already there."""
    shortened = Excerpt()
    shortened.feed(text.encode(errors="replace"))
    return shortened.text()


def _last_state(line: bytes) -> bytes:
    """What stays of a line after its carriage returns; a trailing one has not overwritten anything yet."""
    body = line.rstrip(b"\r")
    state = body.rpartition(b"\r")[2]
    return state + b"\r" if len(body) < len(line) else state


def _decode(data: bytes) -> str:
    return data.decode(errors="replace")


def _take_head(data: bytes, limit: int) -> _Piece:
    texts, used = _fitting(_lines(data), limit)
    if not any(texts) and used < len(data):
        piece = _whole_characters(data[used : used + limit])
        return _Piece(clean(_decode(piece)), used + len(piece), data.count(b"\n", 0, used))
    return _Piece("".join(texts), used, data.count(b"\n", 0, used))


def _take_tail(data: bytes, limit: int, *, starts_inside_a_line: bool) -> _Piece:
    lines = _lines(data)
    if starts_inside_a_line and len(lines) > 1:
        lines = lines[1:]
        starts_inside_a_line = False
    texts, used = _fitting(lines[::-1], limit)
    whole = len(texts) - (starts_inside_a_line and len(texts) == len(lines))
    if not any(texts) and used < len(data):
        end = len(data) - used
        piece = _from_a_character(data[max(0, end - limit) : end])
        return _Piece(clean(_decode(piece)), used + len(piece), whole)
    return _Piece("".join(reversed(texts)), used, whole)


def _fitting(lines: list[bytes], limit: int) -> tuple[list[str], int]:
    """As many of the first lines, cleaned, as fit into ``limit`` characters; and their size in bytes."""
    texts: list[str] = []
    length = used = 0
    for line in lines:
        text = clean(_decode(line))
        length += len(text)
        if length > limit:
            break
        texts.append(text)
        used += len(line)
    return texts, used


def _lines(data: bytes) -> list[bytes]:
    """Lines with their newlines; nothing but a newline ends one."""
    *ended, last = data.split(b"\n")
    return [line + b"\n" for line in ended] + ([last] if last else [])


def _whole_characters(data: bytes) -> bytes:
    """``data`` without the beginning of a character at its end."""
    decoder = getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    unfinished, _ = decoder.getstate()
    return data[: len(data) - len(unfinished)]


def _from_a_character(data: bytes) -> bytes:
    """``data`` without the end of a character at its beginning."""
    inside = next((count for count in range(3) if data[count : count + 1] < b"\x80" or data[count] >= 0xC0), 3)
    return data[inside:]
