"""One run in one line: what a list of runs shows, folded from the journal and kept while the journal stays as it is."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Final

from agents.checkpoint import load_state
from agents.errors import UserError
from agents.fold import apply
from agents.journal import JournalReader
from agents.lock import is_alive, read_lock
from agents.run_folder import RunFolder, RunRecord
from agents.state import RunState
from agents.vocabulary import RunStatus
from agents.wording import fork_words

_NOT_IN_A_SUMMARY: Final = frozenset(
    {
        "tool_call_started",
        "tool_call_finished",
        "training_progress",
        "training_warned",
        "model_call_started",
        "model_call_retried",
        "model_changed",
        "parameter_dropped",
        "context_compacted",
        "replay_diverged",
        "output_lost",
        "output_rejected",
        "step_started",
        "step_finished",
        "step_skipped",
        "step_failed",
        "step_repeated",
        "iteration_planned",
        "split_created",
        "candidate_compared",
        "note_received",
        "note_changed",
        "note_withdrawn",
        "note_delivered",
        "gates_set",
        "approval_asked",
        "approval_answered",
    }
)
"""Nearly all of a journal. Passing over them unparsed makes a thousand runs a matter of seconds."""


_LONG_BYTES: Final = 16 << 20
"""Of a journal: passing over fewer takes no longer than reading a checkpoint."""


@dataclass(frozen=True)
class RunSummary:
    """One run as a list shows it. Times are UTC, ``elapsed`` is in seconds."""

    folder: RunFolder
    created: datetime
    dataset: str
    model: str
    status: RunStatus
    """What the journal says last."""
    engine_alive: bool
    """What the lock says: a run that is not over and has no living engine was interrupted."""
    iteration: int | None
    """The newest one, from 0; None before the first."""
    planned_iterations: int
    metric: str
    higher_is_better: bool
    best: float | None
    """Validation score of the best snapshot."""
    test: float | None
    """Score of the first test split in the run's metric; None before the final evaluation."""
    elapsed: float
    """From the start to the end; to ``now`` while an engine lives, else to the last event."""
    reason: str = ""
    tokens: int = 0
    """Of input and output."""
    cost_usd: float = 0.0
    unpriced_calls: int = 0
    """Model calls whose cost nobody knows."""
    at_limit: bool = False
    """The run is held at a limit and waits for a person."""
    last_event: datetime | None = None
    fork_of: str = ""
    """Which run it was forked from, and where, in words; empty where it is no fork."""
    unreadable: str = ""
    """Why the journal cannot be read at present; the rest is then as it was last read. Empty where it can be."""

    @property
    def run_id(self) -> str:
        return self.folder.run_id

    @property
    def is_live(self) -> bool:
        """Whether an engine works on the run at this moment, as far as that can be read."""
        return not self.unreadable and self.engine_alive and not self.status.is_over


class RunDigest:
    """The summary of one run, brought up to date by reading only what the journal has gained.

    A journal whose size and time of change stayed the same is not opened.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.record: RunRecord = folder.record()
        """Raises :class:`UserError` where the folder is no run."""
        self._state = RunState()
        self._reader = JournalReader(folder.journal, skip=_NOT_IN_A_SUMMARY)
        self._seen: tuple[int, int] | None = None

    def brief(self) -> RunSummary:
        """What ``run.json`` alone tells: for the moment before the journal is read."""
        return summary_of(self.folder, self.record, self._state, engine_alive=False, now=self.record.created)

    def read(self, now: datetime) -> RunSummary:
        """The run as it is at ``now``; a journal that cannot be read is told in ``unreadable``."""
        # The lock comes first: an engine that ends between the two looks has then written its last event. A run that
        # is over needs no look at it: whoever takes it up again writes an event.
        alive = not self._state.status.is_over and is_alive(read_lock(self.folder.lock), now.timestamp())
        try:
            self._catch_up()
            problem = ""
        except OSError as error:
            problem = f"{self.folder.journal.name}: {error.strerror or error}"
        summary = summary_of(self.folder, self.record, self._state, engine_alive=alive, now=now)
        return replace(summary, unreadable=problem) if problem else summary

    def _catch_up(self) -> None:
        try:
            status = self.folder.journal.stat()
        except FileNotFoundError:
            return  # a run that has just been made
        seen = (status.st_size, status.st_mtime_ns)
        if seen == self._seen:
            return
        state, reader = self._state, self._reader
        if self._seen is None or status.st_size < reader.offset:
            state, reader = load_state(self.folder.journal, skip=_NOT_IN_A_SUMMARY, at_least=_LONG_BYTES)
        first = reader.read()  # what cannot be read must not take what is known
        self._state, self._reader = state, reader
        for event in chain(first, reader.read_all()):
            apply(self._state, event)
        # Tool and model calls are what a long run is made of, and no line of a list names them.
        self._state.tool_calls.clear()
        self._state.model_calls.clear()
        self._seen = seen


def summary_of(
    folder: RunFolder, record: RunRecord, state: RunState, *, engine_alive: bool, now: datetime
) -> RunSummary:
    """The summary of a folded run."""
    goes_on = engine_alive and not state.status.is_over
    return RunSummary(
        folder=folder,
        created=record.created,
        dataset=state.dataset or record.dataset,
        model=state.model or record.settings.model,
        status=state.status,
        engine_alive=engine_alive,
        iteration=state.iteration.index if state.iteration else None,
        planned_iterations=state.planned_iterations or record.settings.iterations,
        metric=state.metric or record.settings.metric or "",
        higher_is_better=state.higher_is_better,
        best=state.best.value if state.best else None,
        test=next((scores.get(state.metric) for scores in state.test_scores.values()), None),
        elapsed=state.elapsed(now if goes_on else state.last_event or now).total_seconds(),
        reason=state.reason,
        tokens=state.usage.tokens,
        cost_usd=state.usage.cost_usd,
        unpriced_calls=state.usage.unpriced,
        at_limit=state.status is RunStatus.HELD and state.limit is not None,
        last_event=state.last_event,
        fork_of=fork_words(state.parent) if state.parent else "",
    )


def summarise(folder: RunFolder, now: datetime) -> RunSummary:
    """The summary of one run, read whole; raises :class:`UserError` where the folder is no run."""
    return RunDigest(folder).read(now)


class RunCatalogue:
    """The digests of all runs of a folder, each read once and then kept up to date."""

    def __init__(self) -> None:
        self._digests: dict[str, RunDigest] = {}
        self._summaries: dict[str, RunSummary] = {}

    def scan(self, runs_dir: Path) -> None:
        """Take up and forget runs as the folders below ``runs_dir`` say, reading ``run.json`` of the new ones only.

        Raises :class:`OSError` where a folder that exists cannot be listed; what was known is then kept.
        """
        try:
            with os.scandir(runs_dir) as entries:
                folders = [RunFolder(Path(entry.path)) for entry in entries if _is_folder(entry)]
        except FileNotFoundError:
            folders = []
        self.adopt(folders)

    def adopt(self, folders: Iterable[RunFolder]) -> None:
        """Take up the runs that are new among ``folders`` and forget the ones that are gone."""
        wanted = {str(folder.root): folder for folder in folders}
        self._digests = {path: digest for path, digest in self._digests.items() if path in wanted}
        self._summaries = {path: summary for path, summary in self._summaries.items() if path in wanted}
        for path, folder in wanted.items():
            if path not in self._digests:
                try:
                    digest = RunDigest(folder)
                except UserError:
                    continue
                self._digests[path] = digest
                self._summaries[path] = digest.brief()

    def refresh(self, path: str, now: datetime) -> RunSummary:
        """Read what the run at ``path`` has gained."""
        summary = self._digests[path].read(now)
        self._summaries[path] = summary
        return summary

    @property
    def paths(self) -> list[str]:
        """The runs' folders, newest run first."""
        return [str(summary.folder.root) for summary in self.summaries]

    @property
    def summaries(self) -> list[RunSummary]:
        """All runs as they were last read, newest first."""
        return sorted(self._summaries.values(), key=lambda run: (run.created, run.run_id), reverse=True)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether a run may lie there; one entry that cannot be looked at must not hide the others."""
    try:
        return entry.is_dir()
    except OSError:
        return False
