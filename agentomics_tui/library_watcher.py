"""The background worker of the run library: the only code of it that reads run folders."""

import queue
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from agentomics_tui.reading import Post, Reading
from agents.clock import utc_now
from agents.run_summary import RunCatalogue, RunSummary
from screens.messages import RunsListed

LIBRARY_SECONDS: Final = 1.0


class LibraryWatcher:
    """Follows all runs below one folder."""

    def __init__(
        self,
        runs_dir: Path,
        post: Post,
        poll: float = LIBRARY_SECONDS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._runs_dir = runs_dir
        self._post = post
        self._poll = poll
        self._now = now
        self._catalogue = RunCatalogue()
        self._reading = Reading(post)
        self._stopping = False
        self._posted: list[RunSummary] | None = None
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()

    def refresh(self) -> None:
        """Look again without waiting for the next poll. Returns at once."""
        self._wake.put(None)

    def stop(self) -> None:
        """Make :meth:`run` return. Returns at once."""
        self._stopping = True
        self._wake.put(None)

    def run(self) -> None:
        """List and post until :meth:`stop` is called. What ``run.json`` tells is posted before any journal is read."""
        while not self._stopping:
            self._reading.attempt(self._read)
            with suppress(queue.Empty):
                self._wake.get(timeout=self._poll)

    def _read(self) -> bool:
        self._catalogue.scan(self._runs_dir)
        self._share()
        reported = time.monotonic()
        failure: Exception | None = None
        for path in self._catalogue.paths:
            if self._stopping:
                return False
            try:
                self._catalogue.refresh(path, self._now())
            except Exception as error:  # noqa: BLE001 - raised when the other runs have had their turn
                failure = error
            if time.monotonic() - reported > self._poll:
                self._share()
                reported = time.monotonic()
        self._share()
        if failure is not None:
            raise failure
        return False

    def _share(self) -> None:
        """Post the list, unless it is what was posted last."""
        summaries = self._catalogue.summaries
        if summaries != self._posted:
            self._posted = summaries
            self._post(RunsListed(summaries))
