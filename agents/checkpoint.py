"""The checkpoint: a run's folded state beside its journal, so that a long journal need not be read from its beginning.

It is a cache. Whoever finds none, or one that is broken, of another version or of another journal, folds the journal
instead; the result is the same, as the state is a pure function of the events. It can be deleted at any time.
"""

import hashlib
import os
import threading
from collections.abc import Collection
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from agents import bounds, certainty, events, fold, fold_steering, state, vocabulary
from agents.files import write_atomically
from agents.journal import JournalReader
from agents.state import RunState

NAME: Final = "checkpoint.json"
EVERY: Final = 10_000
"""Events from one checkpoint to the next: reading so many takes about a tenth of a second."""
_PROOF_BYTES: Final = 4_096
_PIECE_BYTES: Final = 1 << 20
_DECIDE: Final = (
    bounds,
    certainty,
    events,
    events.base,
    events.comparing,
    events.steering,
    fold,
    fold_steering,
    state,
    vocabulary,
)
"""The modules that decide which state follows from which events."""


class Checkpoint(BaseModel):
    """A state, and what shows to which journal and to which version of the program it belongs."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants", defer_build=True)

    shape: str
    """See :func:`shape`. It stands first, so that one of another version is known by its beginning."""
    run_id: str
    seq: int
    """Of the last event that is folded in."""
    offset: int
    """Where the journal goes on, in bytes."""
    lines: int
    """Whole lines before it."""
    unreadable: int
    """Those that are no event which this version knows."""
    proof: str
    """SHA-256 over the journal's bytes just before ``offset``: they hold the run's id, a number and a time."""
    digest: str
    """SHA-256 over all of the journal's bytes before ``offset``, for who relies upon them rather than only looks."""
    state: RunState


@cache
def shape() -> str:
    """A digest of the source that makes a state: another version of it takes no state of this one for its own."""
    digest = hashlib.sha256(b"checkpoint 2")
    for module in _DECIDE:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def load_state(
    journal: Path, *, skip: Collection[str] = (), at_least: int = 0, whole: bool = False
) -> tuple[RunState, JournalReader]:
    """The state at the journal's checkpoint and a reader of what follows; a new state and the beginning without one.

    The reader passes over events whose type is in ``skip``. A journal of fewer bytes than ``at_least`` is not worth
    looking for a checkpoint. With ``whole`` all that the checkpoint spares is compared with what it was, which takes
    about a second for a gigabyte; where it is not the same, everything is read, and the reader finds the damage.
    """
    reader = JournalReader(journal, skip)
    kept = None
    with suppress(OSError, ValueError):
        kept = _valid(journal, at_least, whole=whole)
    if kept is None:
        return RunState(), reader
    reader.offset, reader.lines, reader.unreadable = kept.offset, kept.lines, kept.unreadable
    return kept.state, reader


def state_of(journal: Path) -> RunState:
    """The state after all that the journal holds now."""
    state, reader = load_state(journal)
    return fold.fold(reader.read_all(), state)


def _valid(journal: Path, at_least: int, *, whole: bool) -> Checkpoint | None:
    if journal.stat().st_size < at_least:
        return None
    with journal.with_name(NAME).open("rb") as file:
        start = f'{{"shape":"{shape()}",'.encode()
        if file.read(len(start)) != start:
            return None
        text = start + file.read()
    try:
        kept = Checkpoint.model_validate_json(text)
    except ValidationError:
        return None
    with journal.open("rb") as file:
        fits = kept.proof == _proof(file, kept.offset)
        if fits and whole:
            fits = kept.digest == _Prefix().digest(file, kept.offset)
    return kept if fits and kept.state.last_seq == kept.seq and kept.state.run_id == kept.run_id else None


def _proof(file: BinaryIO, offset: int) -> str:
    """Empty where the journal is shorter than ``offset``, or no line ends there."""
    start = max(0, offset - _PROOF_BYTES)
    if offset <= 0 or file.seek(0, os.SEEK_END) < offset:
        return ""
    file.seek(start)
    data = file.read(offset - start)
    return hashlib.sha256(data).hexdigest() if data.endswith(b"\n") else ""


class _Prefix:
    """A digest of a file's beginning, which grows with it: no byte is read twice."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._offset = 0

    def digest(self, file: BinaryIO, offset: int) -> str:
        """SHA-256 up to ``offset``, which never lies before the one of the last call."""
        file.seek(self._offset)
        while self._offset < offset and (data := file.read(min(_PIECE_BYTES, offset - self._offset))):
            self._hash.update(data)
            self._offset += len(data)
        return self._hash.hexdigest()


class CheckpointWriter:
    """Writes a journal's checkpoint now and then, from a thread, so that nobody waits for the disk.

    The state becomes text in the caller's thread, since only that one knows it to be whole. A checkpoint that cannot
    be written is done without.
    """

    def __init__(self, journal: Path, reader: JournalReader, seq: int, written: int) -> None:
        """``reader`` has read the whole journal, of which ``seq`` is the last event, and found no spoilt line.

        ``written`` is the last event that the present checkpoint has folded in; -1 where there is none.
        """
        self._journal = journal
        self._unreadable = reader.unreadable
        self._more_lines = reader.lines - (seq + 1)
        self._written = written
        self._prefix = _Prefix()
        self._thread: threading.Thread | None = None

    def offer(self, state: RunState, offset: int) -> None:
        """Write a checkpoint if many events came since the last one; ``offset`` is where the journal ends now."""
        if state.last_seq - self._written >= EVERY:
            self.write(state, offset)

    def write(self, state: RunState, offset: int) -> None:
        """Begin to write a checkpoint, unless it would be the same as the last one or the last one is not out yet."""
        if state.last_seq <= self._written or (self._thread is not None and self._thread.is_alive()):
            return
        self._written = state.last_seq
        with suppress(OSError):
            with self._journal.open("rb") as file:
                proof, digest = _proof(file, offset), self._prefix.digest(file, offset)
            kept = Checkpoint.model_construct(
                shape=shape(),
                run_id=state.run_id,
                seq=state.last_seq,
                offset=offset,
                lines=state.last_seq + 1 + self._more_lines,
                unreadable=self._unreadable,
                proof=proof,
                digest=digest,
                state=state,
            )
            self._thread = threading.Thread(
                target=_put, args=(self._journal.with_name(NAME), kept.model_dump_json()), name="checkpoint"
            )
            self._thread.start()

    def close(self, state: RunState, offset: int) -> None:
        """Write the last checkpoint and wait for it."""
        self._join()
        self.write(state, offset)
        self._join()

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()


def _put(path: Path, text: str) -> None:
    with suppress(OSError):
        write_atomically(path, text, durable=False)
