"""The file into which a reply streams: written by the engine while it comes, read by whoever watches.

JSON lines: ``{"kind": "text", "text": "…"}``, ``reasoning`` alike, ``{"kind": "tool", "index": 0, "name": "bash",
"text": "{\\"comm"}``, and ``{"kind": "again"}`` where an attempt failed and all before it is void. Pieces of the same
kind are put together for a tenth of a second, so that a fast model costs ten writes a second and not a thousand. It
imports nothing heavy: the app's process reads these files too.
"""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import Final

from agents.models.gateway import Delta
from agents.secrets import Redactor

WRITE_SECONDS: Final = 0.1
KEPT: Final = 16_384
"""Characters of the end of a part of a reply: more than any pane shows."""
HEAD: Final = 1_024


class StreamWriter:
    """Writes one reply as it comes. A full disk costs the picture of the stream, never the reply.

    ``redact`` takes secrets out, also where one comes in pieces: what may be the beginning of one waits for its rest.
    """

    def __init__(self, path: Path, redact: Redactor | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._redact = redact or Redactor({})
        self._clock = clock
        self._waiting: Delta | None = None
        self._pieces: list[str] = []
        self._due = 0.0
        self._file: FileIO | None = None
        with contextlib.suppress(OSError):
            self._file = path.open("ab", buffering=0)

    def heard(self, delta: Delta) -> None:
        """Take a piece. It reaches the file with the next one that comes after ``WRITE_SECONDS``, or at the end."""
        waiting = self._waiting
        if waiting is not None and (waiting.kind, waiting.index) != (delta.kind, delta.index):
            self.flush(whole=True)
            waiting = None
        if waiting is None or (delta.name and not waiting.name):
            self._waiting = delta
        self._pieces.append(delta.text)
        if self._clock() >= self._due:
            self.flush()

    def again(self) -> None:
        """All before this is void."""
        self.flush(whole=True)
        self._write({"kind": "again"})

    def flush(self, *, whole: bool = False) -> None:
        """Write what waits; unless ``whole``, not what may be the beginning of a secret."""
        delta, text = self._waiting, "".join(self._pieces)
        if delta is None:
            return
        kept = 0 if whole else self._redact.unsafe_tail(text)
        self._pieces = [text[len(text) - kept :]] if kept else []
        self._waiting = replace(delta, name="") if kept else None
        if kept and len(text) == kept and not delta.name:
            return
        self._due = self._clock() + WRITE_SECONDS
        line: dict[str, object] = {"kind": delta.kind, "text": self._redact(text[: len(text) - kept])}
        if delta.kind == "tool":
            line |= {"index": delta.index, "name": delta.name}
        self._write(line)

    def close(self) -> None:
        self.flush(whole=True)
        if self._file is not None:
            self._file.close()

    def _write(self, line: dict[str, object]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
        except OSError:
            self._file.close()
            self._file = None


@dataclass(frozen=True)
class ToolProgress:
    """A tool call as far as it has come."""

    name: str
    arguments: str
    """The last ``KEPT`` characters of the JSON object that the model writes."""
    head: str
    """Its first ``HEAD`` characters."""
    size: int
    """Characters of it in all."""

    @property
    def is_cut(self) -> bool:
        """Whether ``arguments`` has lost its beginning."""
        return self.size > len(self.arguments)


@dataclass(frozen=True)
class ReplyProgress:
    """A reply as far as it has come: the last ``KEPT`` characters of each of its parts, and the ``size`` of all."""

    text: str = ""
    reasoning: str = ""
    tools: tuple[ToolProgress, ...] = ()
    """In the order in which the reply calls them."""
    size: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.reasoning or self.tools)


@dataclass
class StreamReader:
    """Follows the stream of one reply. A torn last line is left for the next look.

    A reply may have megabytes: of each part no more than its beginning and its end is kept.
    """

    path: Path
    _offset: int = 0
    _text: str = ""
    _reasoning: str = ""
    _tools: dict[int, ToolProgress] = field(default_factory=dict)
    _size: int = 0

    def read(self) -> bool:
        """Take what is new; True where something was."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return False
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self._take(line)
        return bool(whole)

    @property
    def progress(self) -> ReplyProgress:
        """What has come."""
        tools = tuple(tool for _, tool in sorted(self._tools.items()))
        return ReplyProgress(self._text, self._reasoning, tools, self._size)

    def _take(self, line: bytes) -> None:
        try:
            value = json.loads(line)
            kind, text = value["kind"], str(value.get("text", ""))
            index, name = int(value.get("index", 0)), str(value.get("name", ""))
        except (ValueError, TypeError, KeyError, AttributeError):
            return  # a line of another version
        if kind == "again":
            self._text, self._reasoning, self._tools, self._size = "", "", {}, 0
            return
        self._size += len(text)
        if kind == "text":
            self._text = _end(self._text + text)
        elif kind == "reasoning":
            self._reasoning = _end(self._reasoning + text)
        elif kind == "tool":
            before = self._tools.get(index, ToolProgress("", "", "", 0))
            self._tools[index] = ToolProgress(
                name=before.name or name,
                arguments=_end(before.arguments + text),
                head=(before.head + text)[:HEAD],
                size=before.size + len(text),
            )


def _end(text: str) -> str:
    return text[-KEPT:]
