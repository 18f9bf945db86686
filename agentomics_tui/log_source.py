"""A log file read in a thread of its own and handed to a log view as messages."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from textual.message import Message

from agents.errors import UserError
from agents.log_file import Found, LogFile, Search
from screens.plain import harmless
from screens.widgets.log_messages import LinesRead, LogFailed, LogGrew, SearchEnded, SearchProgressed

_POLL_SECONDS: Final = 0.25
_REPORT_SECONDS: Final = 0.1
_TAIL_LINES: Final = 200
"""More than a screen is high: a view that follows draws from the report alone, without asking."""
_logger: Final = logging.getLogger(__name__)
_ARGUMENTS_LIMIT: Final = 1 << 20


class LogSource:
    """Reads one log for one view; ``post`` is the view's ``post_message``.

    The calls of a view only leave wishes and return at once. The newest wish for lines replaces the one before. One
    thread does the reading in small pieces (wanted lines first, then a chunk to count, then a chunk to search), so no
    wish waits for a long count or search, and nothing in the file needs a lock.
    """

    def __init__(self, path: Path, post: Callable[[Message], object], poll_seconds: float = _POLL_SECONDS) -> None:
        self._log = LogFile(path)
        self._post = post
        self._poll_seconds = poll_seconds
        self._wake = threading.Condition()
        self._closed = False
        self._wanted: tuple[int, int] | None = None
        self._search_wanted: tuple[Search, int, bool] | None = None
        self._search_cancelled = False
        self._searching: Iterator[float | Found] | None = None
        self._reported: tuple[int, int, int] | None = None
        self._next_look = 0.0
        self._next_report = 0.0
        self._told = ""
        self._thread = threading.Thread(target=self._run, name=f"log {path.name}", daemon=True)

    def start(self) -> "LogSource":
        self._thread.start()
        return self

    # --- wishes ------------------------------------------------------------------------------------------------------

    def want(self, start: int, count: int) -> None:
        """Post these lines as :class:`LinesRead`."""
        with self._wake:
            self._wanted = (start, count)
            self._wake.notify()

    def search(self, search: Search, start: int, backwards: bool) -> None:
        """Look for a match; ends in :class:`SearchEnded`. A search that runs is dropped."""
        with self._wake:
            self._search_wanted = (search, start, backwards)
            self._wake.notify()

    def cancel_search(self) -> None:
        with self._wake:
            self._search_wanted = None
            self._search_cancelled = True
            self._wake.notify()

    def close(self) -> None:
        """Stop reading. The thread ends within one piece of work; it is not waited for."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def join(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join()

    # --- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._take_wishes():
                try:
                    self._work()
                except Exception as error:  # noqa: BLE001 - a fault in reading one log must not end the app
                    self._fail(error)
        finally:
            self._log.close()

    def _fail(self, error: Exception) -> None:
        """Drop what was wanted, say why, and try again at the next look."""
        problem = f"{type(error).__name__}: {error}"
        with self._wake:
            self._wanted = self._search_wanted = self._searching = None
            if problem != self._told:
                _logger.error("a log could not be read", exc_info=error)
                self._told = problem
                self._post(LogFailed(problem))
            if not self._closed:
                self._wake.wait(self._poll_seconds)

    def _take_wishes(self) -> bool:
        """Sleep until there is something to do; False when the view is gone."""
        with self._wake:
            while not (self._closed or self._is_busy()):
                pause = self._next_look - time.monotonic()
                if pause <= 0:
                    break
                self._wake.wait(pause)
            if self._search_cancelled or self._search_wanted:
                self._searching = None
                self._search_cancelled = False
            return not self._closed

    def _is_busy(self) -> bool:
        wishes = self._wanted or self._search_wanted or self._search_cancelled
        return bool(wishes or self._searching or not self._log.is_counted)

    def _work(self) -> None:
        if time.monotonic() >= self._next_look:
            self._log.look()
            self._next_look = time.monotonic() + self._poll_seconds
        if not self._log.is_counted and not self._log.grow():
            self._log.look()  # the file became shorter in between
        self._report()
        with self._wake:
            wanted, self._wanted = self._wanted, None
        if wanted:
            start, count = wanted
            self._post(LinesRead(start, self._log.read_lines(start, count), self._log.generation))
        if self._log.is_counted:
            self._search()

    def _report(self) -> None:
        """Say how long the log is: at once, then at most ten times a second while it is counted, and at the end."""
        log = self._log
        present = (log.generation, log.index.size, log.size)
        if present == self._reported:
            return
        if not log.is_counted and time.monotonic() < self._next_report:
            return
        self._next_report = time.monotonic() + _REPORT_SECONDS
        self._reported = present
        first = max(0, log.lines - _TAIL_LINES)
        tail = log.read_lines(first, _TAIL_LINES) if log.is_counted else log.read_tail(_TAIL_LINES)
        self._post(LogGrew(log.lines, log.size, log.is_counted, log.generation, tail))

    def _search(self) -> None:
        """Take up a wanted search, or do one chunk of the one that runs."""
        with self._wake:
            wanted, self._search_wanted = self._search_wanted, None
        if wanted:
            search, start, backwards = wanted
            self._searching = self._log.find(search, start, backwards=backwards, shown=harmless)
        if self._searching is None:
            return
        try:
            step = next(self._searching, Found(None))
        except UserError as error:
            step, problem = Found(None), str(error)
        else:
            problem = ""
        if isinstance(step, Found):
            self._searching = None
            self._post(SearchEnded(step, problem))
        else:
            self._post(SearchProgressed(step))


def read_arguments(path: Path) -> str:
    """The text of a tool call's arguments; a word about it where it cannot be read or is beyond a megabyte."""
    try:
        with path.open("rb") as file:
            data = file.read(_ARGUMENTS_LIMIT + 1)
    except OSError as error:
        return f"the arguments cannot be read: {error.strerror}"
    if len(data) > _ARGUMENTS_LIMIT:
        return data[:_ARGUMENTS_LIMIT].decode(errors="replace") + "\n… cut at 1 MB"
    return data.decode(errors="replace")
