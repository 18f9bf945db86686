"""Sentences that tell a person what was asked for, what came of it, and what stands in the way."""

from typing import Final

from agents.control import FLAG_OF, Command
from agents.events import (
    CommandReceived,
    ContextCompacted,
    Event,
    LimitRaised,
    ModelChanged,
    ParameterDropped,
    ReplayDiverged,
)
from agents.outcome import nothing_left_to_do
from agents.program import to_type
from agents.state import RunState
from agents.vocabulary import RunStatus
from screens.messages import ControlSeen
from screens.model_events import sentence
from screens.plain import as_sentence, one_line
from screens.spending import standing_at
from screens.vocabulary import AT_LIMIT, ENGINE_GONE, RUN, shorten

_ASKED: Final = {
    "pause": "Pause asked for; it takes effect before the next call.",
    "resume": "Resume asked for.",
    "skip_step": "Skip of this step asked for; its tool is ended.",
    "skip_iteration": "Next iteration asked for; the current one is ended.",
    "ask_again": "Asked to cancel this model call and to make it again.",
    "raise_limit": "Raise of the limit asked for.",
    "stop": "Stop asked for.",
    "say": "Note left for the agent.",
    "edit_note": "Change of the note asked for.",
    "withdraw_note": "The note is being taken back.",
    "redo": "Asked to begin the step again.",
    "set_gates": "Change of the approvals asked for.",
    "answer": "Answer given.",
}
_SAYS_NOTHING_NEW: Final = {"pause", "resume", "skip_iteration", "ask_again", "raise_limit", "set_gates", "answer"}
_LONGEST: Final = 80
"""Cells of what is quoted, so that the banner fits into its three lines on the smallest screen."""
OF_AN_END: Final = 120
"""Cells of the reason of an end: two lines there, above the one that says how to go on."""
_NAMES: Final = {
    "pause": "Pause",
    "resume": "Resume",
    "skip_step": "Skip step",
    "skip_iteration": "Next iteration",
    "ask_again": "Ask again",
    "raise_limit": "Raise of the limit",
    "stop": "Stop",
    "say": "Note",
    "edit_note": "Change of the note",
    "withdraw_note": "Withdrawal of the note",
    "redo": "Redo",
    "set_gates": "Approvals",
    "answer": "Answer",
}


def asked(command: Command) -> str:
    """What is said the moment a key was taken."""
    return _ASKED[command.command]


def receipt(event: CommandReceived, *, mine: bool) -> str | None:
    """What is said when the engine has answered; None where the key has said it already."""
    if mine and event.outcome != "refused" and event.command in _SAYS_NOTHING_NEW:
        return None
    name = _NAMES.get(event.command, one_line(event.command))
    by = "" if mine or not event.by else f" by {one_line(event.by)}"
    detail = f": {one_line(event.detail)}" if event.detail else "."
    return f"{name}{by} {event.outcome}{detail}"


def told(event: Event) -> tuple[str, bool] | None:
    """What is said of an event the moment it is read, and whether as a warning; None where the panes tell enough."""
    match event:
        case ModelChanged() | ReplayDiverged():
            return as_sentence(sentence(event) or ""), True
        case ParameterDropped() | ContextCompacted() | LimitRaised():
            return as_sentence(sentence(event) or ""), False
        case _:
            return None


def banner(
    state: RunState,
    engine_alive: bool | None,
    problem: str,
    last_words: str,
    read: float | None = None,
    control: ControlSeen | None = None,
    *,
    steers: bool = True,
) -> tuple[str, str] | None:
    """One line below the head and its style, where a person has to know or to do something; else None.

    Without ``steers`` there is no key that could be pressed.
    """
    if problem:
        why = shorten(one_line(problem), _LONGEST)
        return f"! The run cannot be read right now ({why}); shown is what was read last.", "bold $error"
    if read is not None:
        return f"The run's journal is long; {read:.0%} of it is read.", "$text-muted"
    if engine_alive is False and not state.status.is_over:
        why = f" It said last: {shorten(one_line(last_words), _LONGEST)}" if last_words else ""
        press = " Press p to resume it." if steers else ""
        return f"{ENGINE_GONE.glyph} {ENGINE_GONE.word}: the run was cut off.{press}{why}", "bold $error"
    reason = shorten(one_line(state.reason).rstrip("."), 2 * _LONGEST)
    match state.status:
        case RunStatus.HELD if waits := state.approval:
            what = shorten(one_line(waits.title).rstrip("."), 2 * _LONGEST)
            press = " Press p to review." if steers else ""
            return f"{AT_LIMIT.glyph} The {waits.gate} waits for your approval: {what}.{press}", "$warning"
        case RunStatus.HELD if limit := standing_at(state):
            what = shorten(one_line(limit.message).rstrip("."), 2 * _LONGEST)
            return (
                f"{AT_LIMIT.glyph} The run stands at its limit: {what}.{' Press p to decide.' if steers else ''}",
                "$warning",
            )
        case RunStatus.HELD:
            press = " Press p to go on." if steers else ""
            return f"{RUN[state.status].glyph} The run stands still: {reason}.{press}", "$warning"
        case RunStatus.PAUSING:
            return f"{RUN[state.status].glyph} The run pauses before its next call.", "$warning"
        case RunStatus.STOPPING:
            return f"{RUN[state.status].glyph} The run is being stopped.", "$warning"
        case RunStatus.FAILED | RunStatus.REFUSED | RunStatus.STOPPED:
            look, why = RUN[state.status], shorten(one_line(state.reason), OF_AN_END)
            ended = f"{look.glyph} The run {_ended(state.status)}{': ' + why if why else '.'}"
            go_on = "" if engine_alive else _how_to_go_on(state)
            return f"{ended}\n{go_on}" if go_on else ended, look.style
        case _ if control is not None and not control.mine and not state.status.is_over:
            who = f"{one_line(control.holder)} steers" if control.holder else "nobody steers"
            return f"○ You only watch; {who}. Press t to take control.", "$text-muted"
        case _:
            return None


def _how_to_go_on(state: RunState) -> str:
    """What takes up a run that is over, as one can type it; empty where it has nothing left to do."""
    if not state.planned_iterations or nothing_left_to_do(state) is not None:
        return ""
    more = () if state.limit is None else (f"--{FLAG_OF[state.limit.limit]}", "MORE")
    return f"Go on with: {to_type('resume', one_line(state.run_id), *more)}"


def _ended(status: RunStatus) -> str:
    return {RunStatus.REFUSED: "was refused", RunStatus.STOPPED: "was stopped"}.get(status, "failed")
