"""The time of a run as it is played back: the journal's own, with long waits made short. Pure."""

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from agents.events import (
    EventBase,
    IterationStarted,
    ModelCallFinished,
    ModelCallStarted,
    RunFinished,
    RunForked,
    RunResumed,
    ToolCallFinished,
    ToolCallStarted,
)

LONGEST_WAIT: Final = 5.0
"""Seconds at ×1 in which any time passes between two events that follow each other."""


@dataclass
class Span:
    """When a call was under way, in seconds of playing; ``end`` is None while nothing says that it ended."""

    start: float
    path: str | None
    """Of its output or stream."""
    end: float | None = None
    record: str | None = None

    def share(self, at: float) -> float:
        """How much of its time had passed."""
        if self.end is None or at >= self.end:
            return 1.0
        return max(0.0, at - self.start) / (self.end - self.start)


class Timeline:
    """Maps seconds of playing at ×1, from 0, to the events and moments of a journal that may grow.

    Between two events the clock of then runs evenly. Where they are more than :data:`LONGEST_WAIT` apart it runs
    faster, so that a night on hold passes in five seconds and every duration still is what it was.
    """

    def __init__(self) -> None:
        self._moments = array("d")
        self._plays = array("d")
        self._iterations = array("d")
        self.tools: dict[int, Span] = {}
        self.models: dict[int, Span] = {}

    def add(self, event: EventBase) -> None:
        """Take up the journal's next event."""
        moment, play = event.time.timestamp(), 0.0
        if self._moments:
            moment = max(moment, self._moments[-1])  # a clock may have been set back
            play = self._plays[-1] + min(moment - self._moments[-1], LONGEST_WAIT)
        self._moments.append(moment)
        self._plays.append(play)
        match event:
            case IterationStarted():
                self._iterations.append(play)
            case ToolCallStarted():
                self.tools[event.call] = Span(play, event.log)
            case ModelCallStarted():
                self.models[event.call] = Span(play, event.stream)
            case ToolCallFinished() if span := self.tools.get(event.call):
                span.end = play
            case ModelCallFinished() if span := self.models.get(event.call):
                span.end, span.record = play, event.record
            case RunResumed() | RunForked() | RunFinished():
                self._end_calls(play)
            case _:
                pass

    def _end_calls(self, play: float) -> None:
        """An engine that ended left the newest calls open; those before them have ended."""
        for spans in (self.tools, self.models):
            for span in reversed(spans.values()):
                if span.end is not None:
                    break
                span.end = play

    @property
    def events(self) -> int:
        return len(self._plays)

    @property
    def length(self) -> float:
        """Seconds that it takes at ×1."""
        return self._plays[-1] if self._plays else 0.0

    def events_until(self, play: float) -> int:
        """How many events have come by then."""
        return bisect_right(self._plays, play)

    def moment(self, play: float) -> datetime:
        """What the clock of then said; the time of the last event afterwards."""
        after = self.events_until(play)
        if after in (0, self.events):
            seconds = self._moments[0 if after == 0 else -1]
        else:
            before = after - 1
            share = (play - self._plays[before]) / (self._plays[after] - self._plays[before])
            seconds = self._moments[before] + share * (self._moments[after] - self._moments[before])
        return datetime.fromtimestamp(seconds, UTC)

    def next_iteration(self, play: float) -> float:
        """Where the next iteration begins; the end where none does."""
        after = bisect_right(self._iterations, play)
        return self._iterations[after] if after < len(self._iterations) else self.length

    def previous_iteration(self, play: float, slack: float) -> float:
        """Where the iteration of then began, or the one before it where that was less than ``slack`` ago."""
        before = bisect_right(self._iterations, play)
        if before and play - self._iterations[before - 1] <= slack:
            before -= 1
        return self._iterations[before - 1] if before else 0.0
