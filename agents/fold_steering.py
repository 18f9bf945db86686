"""The part of the fold that is steering: holds, limits, commands, notes and approvals."""

from datetime import datetime

from agents import events as ev
from agents.bounds import RECEIPTS_KEPT, keep_newest
from agents.state import ApprovalState, Idle, LimitState, NoteState, RunState
from agents.vocabulary import RunStatus


def apply_steering(state: RunState, event: ev.SteeringEvent) -> None:
    match event:
        case ev.Held():
            state.status = RunStatus.HELD
            state.reason = event.reason
            state.held_since = state.held_since or event.time
        case ev.Released():
            end_hold(state, event.time)
            if state.status in (RunStatus.HELD, RunStatus.PAUSING):
                _go_on(state)
        case ev.LimitReached():
            state.limit = LimitState(event.limit, event.used, event.allowed, event.message, event.needed)
        case ev.LimitRaised():
            state.raised[event.limit] = event.allowed
            state.raised_by[event.limit] = event.command_id
            state.limit = None
        case ev.CommandReceived():
            _apply_receipt(state, event)
        case ev.GatesSet():
            state.gates = event.gates
        case ev.ApprovalAsked():
            state.approvals = event.approval
            state.approval = ApprovalState(
                event.approval,
                event.gate,
                event.iteration,
                event.step,
                event.title,
                event.subject,
                event.change,
                event.time,
            )
        case ev.ApprovalAnswered():
            state.approval = None
        case ev.NoteReceived() | ev.NoteChanged() | ev.NoteWithdrawn() | ev.NoteDelivered():
            _apply_note(state, event)
        case _:
            pass


def _apply_note(state: RunState, event: ev.NoteReceived | ev.NoteChanged | ev.NoteWithdrawn | ev.NoteDelivered) -> None:
    if isinstance(event, ev.NoteReceived):
        state.notes[event.note_id] = NoteState(event.note_id, event.text, event.by, event.when, event.time)
        return
    note = state.notes.get(event.note_id)
    if note is None:
        return
    match event:
        case ev.NoteChanged():
            note.text, note.when = event.text, event.when
        case ev.NoteWithdrawn():
            note.withdrawn = True
        case ev.NoteDelivered():
            note.delivered = True
            note.iteration, note.step = event.iteration, event.step


def echo(state: RunState, what: str) -> None:
    """The agent did something: that is what followed the notes that it was given last."""
    for note in state.notes.values():
        if note.delivered and not note.followed:
            note.followed = what


def _apply_receipt(state: RunState, event: ev.CommandReceived) -> None:
    state.receipts.append(event)
    keep_newest(state.receipts, RECEIPTS_KEPT)
    if event.outcome == "refused" or state.status.is_over:
        return
    if event.command == "pause" and state.status in (RunStatus.RUNNING, RunStatus.STOPPING):
        state.status = RunStatus.PAUSING
    elif event.command == "resume" and state.status is RunStatus.PAUSING:
        _go_on(state)
    elif event.command == "stop":
        state.stop_asked = True
        if state.status is not RunStatus.HELD:
            state.status = RunStatus.STOPPING


def _go_on(state: RunState) -> None:
    state.status = RunStatus.STOPPING if state.stop_asked else RunStatus.RUNNING
    state.reason = ""


def end_hold(state: RunState, now: datetime) -> None:
    if state.held_since is not None:
        state.idle.append(Idle(state.held_since, now))
        state.held_since = None
