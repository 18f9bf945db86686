"""The background worker of a replay: posts what a run's files hold in the journal's own time, at any speed.

It posts the messages of :class:`RunWatcher` and reads the same files, but leaves no command.
"""

import queue
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from agentomics_tui.reading import Post, Reading
from agentomics_tui.recorded_reply import RecordedReply, read_reply
from agentomics_tui.tail import read_end
from agentomics_tui.timeline import Timeline
from agentomics_tui.worker import POLL_SECONDS
from agents.clock import utc_now
from agents.events import Event, ModelCallStarted, ToolCallStarted
from agents.fold import apply
from agents.journal import JournalReader
from agents.lock import is_alive, read_lock
from agents.models.stream import StreamReader
from agents.run_folder import RunFolder
from agents.state import RunState
from screens.messages import (
    EngineSeen,
    EventsRead,
    OutputRead,
    ReplayJumped,
    ReplayMoved,
    ReplayPhase,
    ReplayWish,
    ReplyRead,
)

SPEEDS: Final = (1, 2, 5, 10, 30, 100, 300, 1000)
_STEP_SECONDS: Final = 0.1
_LOCK_SECONDS: Final = 1.0
_MESSAGE_EVENTS: Final = 500
_NEAR_SECONDS: Final = 2.0
"""Of playing, at the speed that is played: a run that goes on is followed live from there on."""


class ReplayWatcher:
    """Plays one run, from its first event to its last; where it still goes on, it is then followed live.

    ``ticking`` is the clock by which the replay advances, in seconds.
    """

    def __init__(self, folder: RunFolder, post: Post, ticking: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._post = post
        self._ticking = ticking
        self._reading = Reading(post)
        self._inbox: queue.SimpleQueue[ReplayWish | None] = queue.SimpleQueue()
        self._stopping = False
        self._timeline = Timeline()
        self._scan = JournalReader(folder.journal)
        self._feed = JournalReader(folder.journal)
        self._waiting: deque[Event] = deque()
        self._posted = 0
        self._at = 0.0
        """Seconds of playing at ×1, since the first event."""
        self._last = ticking()
        self._speed = 0
        self._playing = True
        self._live = False
        self._alive = False
        self._lock_due = 0.0
        self._told: ReplayMoved | None = None
        self._engine: EngineSeen | None = None
        self._tool, self._output = 0, (0, -1)
        self._model, self._reply = 0, (0, -1)
        self._record: tuple[int, RecordedReply] | None = None
        self._stream: tuple[int, StreamReader] | None = None

    # --- from other threads ------------------------------------------------------------------------------------------

    def wish(self, wish: ReplayWish) -> None:
        """Do what a person wants of the replay, in this watcher's thread. Returns at once."""
        self._inbox.put(wish)

    def stop(self) -> None:
        """Make :meth:`run` return. Returns at once."""
        self._stopping = True
        self._inbox.put(None)

    # --- the thread --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Play and post until :meth:`stop` is called, whether or not the run can be read at present."""
        while not self._stopping:
            self._reading.attempt(self.step)
            try:
                moving = self._playing and not self._ended
                wish = self._inbox.get(timeout=_STEP_SECONDS if moving else POLL_SECONDS)
            except queue.Empty:
                continue
            if wish is not None:
                self._reading.attempt(lambda wish=wish: self._obey(wish))  # type: ignore[misc]

    def step(self) -> bool:
        """Post what has come by now. Always False: nothing waits that another call would bring sooner."""
        now = self._ticking()
        elapsed, self._last = now - self._last, now
        if self._scan.offset == 0:
            self._grow()
        if self._playing:
            self._at = min(self._at + elapsed * SPEEDS[self._speed], self._timeline.length)
        if self._ended:
            self._at_end(now)
        self._play()
        self._tell_engine()
        self._tell_output()
        self._tell_reply()
        self._tell_place()
        return False

    def _grow(self) -> bool:
        """Take up what the journal has gained; whether it has."""
        before = self._timeline.events
        while not self._stopping and (events := self._scan.read()):
            for event in events:
                self._timeline.add(event)
        return self._timeline.events > before

    def _at_end(self, now: float) -> None:
        """Look for more, and whether more can come."""
        if now >= self._lock_due:
            self._lock_due = now + _LOCK_SECONDS
            self._alive = is_alive(read_lock(self.folder.lock))
        if not self._playing:
            return
        self._grow()
        near = self._timeline.length - self._at <= _NEAR_SECONDS * SPEEDS[self._speed]
        self._live = self._alive and (self._live or near)
        if self._live:
            self._at = self._timeline.length

    # --- events ------------------------------------------------------------------------------------------------------

    def _play(self) -> None:
        due = self._timeline.events_until(self._at)
        while self._posted < due and not self._stopping:
            events = [self._next() for _ in range(min(due - self._posted, _MESSAGE_EVENTS))]
            self._posted += len(events)
            for event in events:
                match event:
                    case ToolCallStarted():
                        self._tool = event.call
                    case ModelCallStarted():
                        self._model = event.call
                    case _:
                        pass
            self._post(EventsRead(events, caught_up=self._posted == due))

    def _next(self) -> Event:
        if not self._waiting:
            self._waiting.extend(self._feed.read())
        return self._waiting.popleft()

    def _jump(self, at: float) -> None:
        """Go to ``at``: the state of then is folded here, from the start, and posted as a whole."""
        self._at, self._live = min(max(0.0, at), self._timeline.length), False
        self._feed, self._waiting = JournalReader(self.folder.journal), deque()
        state, self._posted = RunState(), self._timeline.events_until(self._at)
        for _ in range(self._posted):
            if self._stopping:
                return
            apply(state, self._next())
        self._tool = state.tool_calls[-1].call if state.tool_calls else 0
        self._model = state.model_calls[-1].call if state.model_calls else 0
        self._output, self._reply = (0, -1), (0, -1)
        self._post(ReplayJumped(state))

    def _obey(self, wish: ReplayWish) -> bool:
        self.step()
        match wish:
            case ReplayWish.PLAY_OR_PAUSE if self._phase is ReplayPhase.END:
                self._playing = True
                self._jump(0.0)
            case ReplayWish.PLAY_OR_PAUSE:
                self._playing, self._live = not self._playing, False
            case ReplayWish.FASTER:
                self._speed = min(self._speed + 1, len(SPEEDS) - 1)
            case ReplayWish.SLOWER:
                self._speed = max(self._speed - 1, 0)
            case ReplayWish.NEXT_ITERATION:
                self._jump(self._timeline.next_iteration(self._at))
            case ReplayWish.PREVIOUS_ITERATION:
                self._jump(self._timeline.previous_iteration(self._at, float(SPEEDS[self._speed])))
            case ReplayWish.START:
                self._jump(0.0)
            case ReplayWish.END:
                self._jump(self._timeline.length)
        return self.step()

    # --- what is shown beside them -----------------------------------------------------------------------------------

    @property
    def _ended(self) -> bool:
        """Whether all that the journal is known to hold was played."""
        return self._at >= self._timeline.length

    @property
    def _phase(self) -> ReplayPhase:
        if self._live:
            return ReplayPhase.LIVE
        if self._ended and not self._alive:
            return ReplayPhase.END
        return ReplayPhase.PLAYING if self._playing else ReplayPhase.PAUSED

    def _tell_place(self) -> None:
        if not self._timeline.events:
            return
        length = self._timeline.length
        moment = utc_now() if self._live else self._timeline.moment(self._at)
        moved = ReplayMoved(
            phase=self._phase,
            speed=SPEEDS[self._speed],
            share=self._at / length if length else 1.0,
            moment=moment.replace(microsecond=0),
        )
        if self._told is None or self._told.differs(moved):
            self._told = moved
            self._post(moved)

    def _tell_engine(self) -> None:
        """Then an engine lived; at the end of the replay the lock tells."""
        seen = EngineSeen(alive=self._alive or not (self._ended and self._posted))
        if self._engine is None or self._engine.alive != seen.alive:
            self._engine = seen
            self._post(seen)

    def _tell_output(self) -> None:
        """Of the newest tool call; of one that runs as much as its share of time: when a line came is not recorded."""
        span = self._timeline.tools.get(self._tool)
        if span is None or span.path is None:
            return
        path = self.folder.root / span.path
        try:
            size = path.stat().st_size
        except OSError:
            return
        until = int(size * span.share(self._at))
        if self._output != (self._tool, until):
            self._output = (self._tool, until)
            text, _ = read_end(path, until=until)
            whole = text if until == size else text[: text.rfind("\n") + 1]
            self._post(OutputRead(self._tool, whole, until))

    def _tell_reply(self) -> None:
        """Of the model call that runs: as much of what its record holds as its share of time, or its own stream."""
        span = self._timeline.models.get(self._model)
        if span is None or span.path is None or (span.end is not None and self._at >= span.end):
            return
        if span.record is None:
            self._tell_stream(span.path)
            return
        if self._record is None or self._record[0] != self._model:
            self._record = (self._model, read_reply(self.folder.root / span.record))
        progress = self._record[1].progress(span.share(self._at))
        if self._reply != (self._model, progress.size):
            self._reply = (self._model, progress.size)
            self._post(ReplyRead(self._model, progress))

    def _tell_stream(self, path: str) -> None:
        if self._stream is None or self._stream[0] != self._model:
            self._stream = (self._model, StreamReader(self.folder.root / path))
        reader = self._stream[1]
        reader.read()
        if self._reply != (self._model, reader.progress.size):
            self._reply = (self._model, reader.progress.size)
            self._post(ReplyRead(self._model, reader.progress))
