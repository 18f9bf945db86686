"""The background workers: the only code of the app that reads a run's files or writes its commands.

Each runs in a thread of its own, polls (run folders may lie on shared file systems, which notify nobody), and posts
typed messages. A poll that finds nothing new costs a few ``stat`` calls.
"""

import errno
import logging
import math
import os
import queue
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from textual.message import Message

from agentomics_tui.holding import Holding
from agentomics_tui.last_seen import read_seen, write_seen
from agentomics_tui.reading import Post, Reading
from agentomics_tui.tail import read_end
from agents.checkpoint import load_state
from agents.control import Command, Resume, submit
from agents.errors import UserError
from agents.events import (
    Event,
    ModelCallFinished,
    ModelCallStarted,
    RunFinished,
    RunResumed,
    ToolCallFinished,
    ToolCallStarted,
)
from agents.fold import fold
from agents.journal import JournalReader
from agents.launch import start_engine
from agents.lock import is_alive, read_lock
from agents.models.stream import StreamReader
from agents.pulse import STALE_SECONDS, Pulse, read_pulse
from agents.run_folder import RunFolder
from agents.state import ApprovalState, RunState
from screens.away import Seen
from screens.messages import (
    ApprovalRead,
    CommandFailed,
    EngineSeen,
    EventsRead,
    JournalRead,
    OutputRead,
    PulseSeen,
    ReplyRead,
    SeenBefore,
    StateRestored,
)

POLL_SECONDS: Final = 0.25
CHUNK_BYTES: Final = 256 * 1024
"""Of the journal, for one message: about a thousand events, folded in some milliseconds."""
LONG_BYTES: Final = 4 * CHUNK_BYTES
"""A journal that is longer when it is first read is folded here, so that the screen's loop need not."""
_PIECE_BYTES: Final = CHUNK_BYTES // 8
_PAUSE_SECONDS: Final = 0.02
"""Between two chunks, so that the screen takes up one while the next is read, and keys in between."""
_YIELD_SECONDS: Final = 0.0005
_QUIET_POLLS: Final = 20
"""After so many that found nothing new, polls come half as often, until one does."""
_LOCK_SECONDS: Final = 1.0
_LAST_WORDS_BYTES: Final = 2_000

_logger: Final = logging.getLogger(__name__)


class RunWatcher:
    """Follows one run: journal, engine lock, output of the newest tool call, reply of the running model call.

    It leaves commands for the engine. To resume a run whose engine is gone, it starts another one.
    """

    def __init__(self, folder: RunFolder, post: Post, poll: float = POLL_SECONDS, *, steers: bool = True) -> None:
        """``steers``: take control of the run at once, if nobody else holds it."""
        self.folder = folder
        self._holding = Holding(folder, post, wanted=steers)
        self._post = post
        self._poll = poll
        self._quiet_polls = 0
        self._reading = Reading(post)
        self._reader = JournalReader(folder.journal)
        self._backlog: RunState | None = None
        """What was folded of a journal that was long when it was first read, until the screen gets it."""
        self._taken_up = False
        self._inbox: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._engine: EngineSeen | None = None
        self._lock_due = 0.0
        self._pulse: Pulse | None = None
        self._pulse_due = 0.0
        """When a pulse that stays the same is no longer believed: an engine that was stopped measures nothing."""
        self._log: tuple[int, Path] | None = None
        self._log_open = False
        self._log_size = -1
        self._stream: tuple[int, StreamReader] | None = None
        self._stream_told = False
        self._started: subprocess.Popen[bytes] | None = None
        """An engine that this watcher started; it outlives us, and is kept so that Python does not complain."""

    # --- from other threads ------------------------------------------------------------------------------------------

    def submit(self, command: Command) -> None:
        """Leave ``command`` for the engine, from this watcher's thread. Returns at once."""
        self._inbox.put(lambda: self._carry(command))

    def control(self, *, take: bool) -> None:
        """Take control, also from somebody else, or give it up; from this watcher's thread. Returns at once."""
        self._inbox.put(lambda: self._reading.attempt(self._take if take else self._give_up))

    def read_approval(self, approval: ApprovalState) -> None:
        """Post the texts of what waits for an approval, from this watcher's thread. Returns at once."""
        self._inbox.put(lambda: self._reading.attempt(lambda: self._read_approval(approval)))

    def remember(self, seen: Seen) -> None:
        """Keep what the person has seen, from this watcher's thread. Returns at once."""
        self._inbox.put(lambda: write_seen(self.folder, seen))

    def stop(self) -> None:
        """Make :meth:`run` return when it has done what it was given. Returns at once."""
        self._inbox.put(None)

    # --- the thread --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Read and post until :meth:`stop` is called, whether or not the run can be read at present."""
        self._post(SeenBefore(read_seen(self.folder)))
        while True:
            more = self._reading.attempt(self._read)
            pause = 0.0 if self._backlog is not None else _PAUSE_SECONDS
            self._quiet_polls += 1
            calm = self._poll * (2 if self._quiet_polls > _QUIET_POLLS else 1)
            if not self._obey(min(pause, self._poll) if more else calm):
                return

    def _read(self) -> bool:
        """Post what is new; True while more of the journal waits."""
        if not stat.S_ISDIR(self.folder.root.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.folder.root))
        more = self._read_journal()
        self._look_at_engine()
        self._holding.look()
        self._read_output()
        if not more:
            self._read_reply()
        return more

    def _obey(self, wait: float) -> bool:
        """Do what is asked for within ``wait`` seconds; False when the watcher shall stop."""
        try:
            work = self._inbox.get(timeout=wait) if wait else self._inbox.get_nowait()
        except queue.Empty:
            return True
        if work is None:
            self._reading.attempt(self._give_up)
            return False
        work()
        return True

    def _carry(self, command: Command) -> None:
        """Leave a command for the engine, or start one that it needs."""
        try:
            if not self._holding.is_ours:
                raise UserError("you only watch; take control first")
            if isinstance(command, Resume) and not is_alive(read_lock(self.folder.lock)):
                from agentomics_tui.keys import keys_of_files  # no picture needs it

                self._started = start_engine(self.folder, keys_of_files().values)
            else:
                submit(self.folder, command.model_copy(update={"session": self._holding.session}))
        except UserError as error:
            self._post(CommandFailed(command, str(error)))
        except OSError as error:
            self._post(CommandFailed(command, error.strerror or str(error)))
        except Exception as error:
            _logger.exception("a command could not be written")
            self._post(CommandFailed(command, f"{type(error).__name__}: {error}"))

    def _take(self) -> bool:
        self._holding.take()
        return False

    def _give_up(self) -> bool:
        self._holding.give_up()
        return False

    def _read_approval(self, approval: ApprovalState) -> bool:
        paths = (approval.subject, approval.change)
        text, change = ((self.folder.root / path).read_text("utf-8", "replace") if path else "" for path in paths)
        self._post(ApprovalRead(approval.approval, text, change))
        return False

    def _read_journal(self) -> bool:
        """Post the next chunk; True while there is more."""
        if not self._taken_up and self._is_long():
            return self._take_up()
        self._taken_up = True
        before, size = self._reader.offset, _size_of(self.folder.journal)
        events = self._reader.read(CHUNK_BYTES) if size != before else []
        more = self._reader.offset > before and size - before > CHUNK_BYTES
        if events or (self._engine is None and not more):
            self._find_log(events)
            self._find_stream(events)
            self._found(EventsRead(events, caught_up=not more))
        return more

    def _found(self, message: Message) -> None:
        """Post what is new in the files that grow; more of it may come soon."""
        self._quiet_polls = 0
        self._post(message)

    def _is_long(self) -> bool:
        """Whether the journal is one to be folded here; at the first look begins with its checkpoint, if it has one."""
        if self._backlog is None:
            state, reader = load_state(self.folder.journal)
            if state.last_seq >= 0 or _size_of(self.folder.journal) > LONG_BYTES:
                self._backlog, self._reader = state, reader
        return self._backlog is not None

    def _take_up(self) -> bool:
        """Fold the next chunk; post the state when nothing more waits. True while there is more."""
        state, end = self._backlog, self._reader.offset + CHUNK_BYTES
        assert state is not None
        while self._reader.offset < end and (events := self._reader.read(_PIECE_BYTES)):
            fold(events, state)
            time.sleep(_YIELD_SECONDS)
        size = _size_of(self.folder.journal)
        if self._reader.offset >= end and size > self._reader.offset:
            self._post(JournalRead(self._reader.offset / size))
            return True
        if (call := state.tool_calls[-1] if state.tool_calls else None) is not None:
            self._open_log(call.call, call.log, ends=call.outcome is not None)
        if (asked := state.running_model_call) is not None and asked.stream is not None:
            self._open_stream(asked.call, asked.stream)
        self._backlog, self._taken_up = None, True
        self._post(StateRestored(state))
        return False

    def _look_at_engine(self) -> None:
        now = time.monotonic()
        if now < self._lock_due:
            return
        self._lock_due = now + _LOCK_SECONDS
        record = read_lock(self.folder.lock)
        alive = is_alive(record)
        self._look_at_pulse(now, alive=alive)
        words = "" if alive else _last_words(self.folder.engine_log)
        seen = EngineSeen(alive, record.host if record else "", record.pid if record else 0, words)
        if self._engine is None or _differs(seen, self._engine):
            self._engine = seen
            self._post(seen)

    def _look_at_pulse(self, now: float, *, alive: bool) -> None:
        pulse = read_pulse(self.folder) if alive else None
        if pulse != self._pulse:
            self._pulse, self._pulse_due = pulse, now + STALE_SECONDS
            self._post(PulseSeen(pulse))
        elif pulse is not None and now > self._pulse_due:
            self._pulse_due = math.inf
            self._post(PulseSeen(None))

    def _find_log(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ToolCallStarted):
                self._open_log(event.call, event.log)
            elif isinstance(event, ToolCallFinished | RunResumed):
                self._log_open = False

    def _open_log(self, call: int, path: str, *, ends: bool = False) -> None:
        self._log = (call, self.folder.root / path)
        self._log_open, self._log_size = not ends, -1

    def _open_stream(self, call: int, path: str) -> None:
        self._stream = (call, StreamReader(self.folder.root / path))
        self._stream_told = False

    def _find_stream(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case ModelCallStarted(stream=str(path)):
                    self._open_stream(event.call, path)
                case ModelCallStarted() | ModelCallFinished() | RunResumed() | RunFinished():
                    self._stream = None  # the event that ends a call tells its reply
                case _:
                    pass

    def _read_reply(self) -> None:
        """Post what has come of the reply: at once for a call that is new, then where it grew."""
        if self._stream is None:
            return
        call, reader = self._stream
        if reader.read() or not self._stream_told:
            self._stream_told = True
            self._found(ReplyRead(call, reader.progress))

    def _read_output(self) -> None:
        """Post the end of the newest call's output where it grew; a call that ended is read once more."""
        if self._log is None:
            return
        call, path = self._log
        if _size_of(path) not in {-1, self._log_size}:
            text, self._log_size = read_end(path)
            self._found(OutputRead(call, text, self._log_size))
        if not self._log_open:
            self._log = None


def _differs(a: EngineSeen, b: EngineSeen) -> bool:
    return (a.alive, a.host, a.pid, a.last_words) != (b.alive, b.host, b.pid, b.last_words)


def _size_of(path: Path) -> int:
    """Bytes of a file; -1 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _last_words(path: Path) -> str:
    """The last line that a dead engine printed."""
    text, _ = read_end(path, _LAST_WORDS_BYTES)
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
