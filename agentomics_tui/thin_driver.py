"""The way to the terminal, counted: how many bytes go over it, and whether they have to wait."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Final, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

_RATE_SECONDS: Final = 5.0
"""Over which the rate is told."""
_SLOW_SECONDS: Final = 0.5
"""Of waiting for the terminal within the time above: more is felt."""


class Link:
    """A text file whose writes are counted and timed. One thread writes, any other may ask."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._writes: deque[tuple[float, int, float]] = deque(maxlen=1_000)
        """When each began, its bytes and the seconds that it took."""
        self._began: float | None = None
        """Since when a write waits."""

    def write(self, text: str) -> int:
        with self._timed(len(text.encode(errors="replace"))):
            return self._file.write(text)

    def flush(self) -> None:
        with self._timed(0):
            self._file.flush()

    @contextmanager
    def _timed(self, size: int) -> Iterator[None]:
        self._began = start = time.monotonic()
        try:
            yield
        finally:
            self._began = None
            self._writes.append((start, size, time.monotonic() - start))

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def rate(self) -> float:
        """Bytes per second, of late."""
        return sum(size for _, size, _ in self._lately()) / _RATE_SECONDS

    def is_slow(self) -> bool:
        """Whether writing has had to wait for the terminal so long, of late, that a person feels it."""
        began = self._began
        waits = time.monotonic() - began if began is not None else 0.0
        return waits + sum(taken for _, _, taken in self._lately()) > _SLOW_SECONDS

    def _lately(self) -> list[tuple[float, int, float]]:
        since = time.monotonic() - _RATE_SECONDS
        return [write for write in tuple(self._writes) if write[0] + write[2] > since]


class ThinDriver(LinuxDriver):
    """Textual's driver over a :class:`Link`."""

    def __init__(
        self, app: "App[object]", *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert self._file is not None
        self.link = Link(self._file)
        self._file = cast("TextIOWrapper", self.link)
