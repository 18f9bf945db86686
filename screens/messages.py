"""Messages between the background worker, the app and the screens: facts travel down, wishes travel up.

Everything here is data. The worker reads files and posts what it read; a screen posts what a person wants and never
touches a file itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from textual.message import Message

from agents.control import Command
from agents.events import Event
from agents.models.stream import ReplyProgress
from agents.nudges import News
from agents.pulse import Pulse
from agents.run_folder import RunFolder
from agents.run_summary import RunSummary
from agents.state import ApprovalState, RunState, ToolCallState
from screens.away import Seen

# --- down: what the worker read --------------------------------------------------------------------------------------


@dataclass
class EventsRead(Message):
    """The journal's next events, in order and without a gap."""

    events: list[Event]
    caught_up: bool
    """Nothing more was in the journal when these were read; False for all but the last chunk of a long one."""


@dataclass
class StateRestored(Message):
    """The run as it stands after all that its journal holds so far, where that is long; events follow it.

    Who posts it keeps no hold of ``state``: from now on it belongs to the screen.
    """

    state: RunState


@dataclass
class JournalRead(Message):
    """How much of a long journal was read, as a part of it: before the state is restored."""

    part: float

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, JournalRead)


@dataclass
class SeenBefore(Message):
    """What this person saw of the run the last time; None the first time. Posted before anything is read."""

    seen: Seen | None


@dataclass
class EngineSeen(Message):
    """What the lock says of the engine. Posted at the start and when it changes."""

    alive: bool
    host: str = ""
    pid: int = 0
    last_words: str = ""
    """The end of what a dead engine printed; empty while it lives, and normally."""


@dataclass
class OutputRead(Message):
    """The present end of a running tool call's output, replacing what an earlier one said."""

    call: int
    text: str
    """The last lines, undecodable bytes replaced; escapes are still in it."""
    size: int
    """Bytes of the whole output so far."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, OutputRead)


@dataclass
class ReplyRead(Message):
    """What has come of the running model call's reply, replacing what an earlier one said."""

    call: int
    progress: ReplyProgress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ReplyRead)


@dataclass
class ControlSeen(Message):
    """Who may steer the run. Posted at the start and when it changes."""

    mine: bool
    holder: str = ""
    """``user@host``; empty where nobody holds control."""
    problem: str = ""
    """Why control could not be taken when it was wanted."""


@dataclass
class ApprovalRead(Message):
    """The texts of what waits for an approval."""

    approval: int
    text: str
    change: str
    """A unified diff; empty where there is nothing to compare with."""


@dataclass
class PulseSeen(Message):
    """What the engine measured of the call that runs; None where it measures none."""

    pulse: Pulse | None

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, PulseSeen)


@dataclass
class ReadingSeen(Message):
    """Whether the worker can read at present. Posted when that changes; it goes on trying."""

    problem: str
    """What keeps it from reading, as a phrase; empty when nothing does any more."""


@dataclass
class CommandFailed(Message):
    """A command could not be left for the engine."""

    command: Command
    reason: str


@dataclass
class RunsListed(Message):
    """All runs under the runs folder, newest first. Posted at once and whenever something in it changed."""

    runs: list[RunSummary]

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunsListed)


# --- a replay --------------------------------------------------------------------------------------------------------


class ReplayPhase(Enum):
    """How a replay stands."""

    PLAYING = "playing"
    PAUSED = "paused"
    END = "end"
    LIVE = "live"
    """It has caught up with a run that goes on, and follows it."""


class ReplayWish(Enum):
    """What a person can want of a replay."""

    PLAY_OR_PAUSE = "play or pause"
    FASTER = "faster"
    SLOWER = "slower"
    NEXT_ITERATION = "next iteration"
    PREVIOUS_ITERATION = "previous iteration"
    START = "start"
    END = "end"


@dataclass
class ReplayMoved(Message):
    """Where a replay is, replacing what an earlier one said."""

    phase: ReplayPhase
    speed: int
    share: float
    """Of the whole, from 0 to 1."""
    moment: datetime
    """The clock of then, in whole seconds."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ReplayMoved)

    def differs(self, other: "ReplayMoved") -> bool:
        """Whether a person would see a difference."""
        mine, its = ((one.phase, one.speed, round(one.share, 3), one.moment) for one in (self, other))
        return mine != its


@dataclass
class ReplayJumped(Message):
    """The run as it was at another place; events that are read from now on follow from there."""

    state: RunState


@dataclass
class ReplayWanted(Message):
    """Up: do this with the replay."""

    wish: ReplayWish


# --- down: what the dashboard folded ---------------------------------------------------------------------------------


@dataclass
class ToolCallChanged(Message):
    """A tool call began, made progress or ended. The app hands it to an inspector that shows this call."""

    call: ToolCallState


@dataclass
class NewsSeen(Message):
    """Something happened just now that somebody who looks elsewhere wants to hear of."""

    news: News
    text: str
    """A sentence, not yet harmless."""


@dataclass
class RunEnded(Message):
    """The journal says that the run is over."""

    folder: RunFolder
    state: RunState


# --- up: what a person wants -----------------------------------------------------------------------------------------


@dataclass
class ControlWanted(Message):
    """Take control of the run, also from somebody else; or give it up."""

    take: bool


@dataclass
class ApprovalWanted(Message):
    """Read the texts of what waits for an approval."""

    approval: ApprovalState


@dataclass
class CommandWanted(Message):
    """Leave this command for the run's engine."""

    command: Command


@dataclass
class RunSeen(Message):
    """The person sees the run like this; what comes later is news to them."""

    seen: Seen


@dataclass
class InspectorWanted(Message):
    """Open the inspector on this tool call."""

    call: ToolCallState


@dataclass
class RunWanted(Message):
    """Watch this run."""

    folder: RunFolder


@dataclass
class RefreshWanted(Message):
    """Look at the runs folder now."""


@dataclass
class LibraryWanted(Message):
    """Show all runs."""


@dataclass
class LeaveWanted(Message):
    """Close the app. A run that goes on is not touched."""
