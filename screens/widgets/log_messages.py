"""What a log view and the source of its lines say to each other."""

from dataclasses import dataclass
from typing import Protocol

from textual.message import Message

from agents.log_file import Found, Search


class LineSource(Protocol):
    """Whoever reads the file for a view. No call waits; answers are the messages below, posted to the view."""

    def want(self, start: int, count: int) -> None: ...

    def search(self, search: Search, start: int, backwards: bool) -> None: ...

    def cancel_search(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class LogGrew(Message):
    """The log is this long now. A report replaces the one before."""

    lines: int
    """Counted so far."""
    size: int
    """Bytes of the file."""
    counted: bool
    """All lines are counted; before that ``tail`` is the end of the file and no counted line."""
    generation: int
    """Grows when the file was replaced: lines of another generation are another file's."""
    tail: list[str]
    """The last lines of the file, the present one even where it is unfinished."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, LogGrew)


@dataclass
class LinesRead(Message):
    """Lines that a view wanted."""

    start: int
    lines: list[str]
    generation: int


@dataclass
class SearchProgressed(Message):
    """A search has looked through this fraction of the log."""

    fraction: float

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SearchProgressed)


@dataclass
class SearchEnded(Message):
    """A search found a line, or none; ``problem`` says why it could not be done."""

    found: Found
    problem: str = ""


@dataclass
class LogFailed(Message):
    """Reading the log failed; it is tried again."""

    problem: str
