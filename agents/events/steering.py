"""Events of steering: what a person asked for, and what became of it."""

from typing import Literal

from pydantic import Field

from agents.events.base import EventBase
from agents.vocabulary import Gate, Limit, NoteTime, Verdict


class Held(EventBase):
    """The run stands still before its next model or tool call."""

    type: Literal["held"] = "held"
    reason: str


class Released(EventBase):
    """The run goes on."""

    type: Literal["released"] = "released"


class LimitReached(EventBase):
    """A limit of money, tokens or time keeps the next call from being made."""

    type: Literal["limit_reached"] = "limit_reached"
    limit: Limit
    used: float = Field(description="US dollars, tokens or seconds.")
    allowed: float
    needed: float = Field(0.0, description="What has to be allowed in all for the next call to be made, estimated.")
    message: str


class LimitRaised(EventBase):
    """A person raised a limit."""

    type: Literal["limit_raised"] = "limit_raised"
    limit: Limit
    allowed: float = Field(description="What is allowed from now on, in all.")
    by: str = ""
    command_id: str = Field("", description="Of the command that raised it.")


class CommandReceived(EventBase):
    """Receipt of a command."""

    type: Literal["command_received"] = "command_received"
    command_id: str
    command: str
    by: str = ""
    outcome: Literal["accepted", "applied", "refused"]
    detail: str = ""


class NoteReceived(EventBase):
    """A person's note waits for its time."""

    type: Literal["note_received"] = "note_received"
    note_id: str
    text: str
    when: NoteTime = NoteTime.NOW
    by: str = ""


class NoteChanged(EventBase):
    """A note that had not been delivered was given another text or another time."""

    type: Literal["note_changed"] = "note_changed"
    note_id: str
    text: str
    when: NoteTime
    by: str = ""


class NoteWithdrawn(EventBase):
    """A note that had not been delivered was taken back."""

    type: Literal["note_withdrawn"] = "note_withdrawn"
    note_id: str
    by: str = ""


class NoteDelivered(EventBase):
    """The note is part of the next request to the model."""

    type: Literal["note_delivered"] = "note_delivered"
    note_id: str


class GatesSet(EventBase):
    """A person chose where the run waits for an approval from now on."""

    type: Literal["gates_set"] = "gates_set"
    gates: list[Gate]
    by: str = ""


class ApprovalAsked(EventBase):
    """The run waits for a person to approve what is about to be done."""

    type: Literal["approval_asked"] = "approval_asked"
    approval: int = Field(description="Number of the approval in the run, from 1.")
    gate: Gate
    title: str = Field(description="One line: the change that a plan makes, or the command.")
    subject: str = Field(description="Path of the text that can be edited: the plan, or the script.")
    change: str | None = Field(None, description="Path of the difference to the version before, where there is one.")


class ApprovalAnswered(EventBase):
    """A person answered, or the question was taken back because its step ended (then ``verdict`` is None)."""

    type: Literal["approval_answered"] = "approval_answered"
    approval: int
    verdict: Verdict | None
    reason: str = ""
    by: str = ""
