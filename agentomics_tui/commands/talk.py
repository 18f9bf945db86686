"""What a person tells a run's agent: notes, and answers where the run waits for an approval."""

import argparse
import sys
from pathlib import Path

from agentomics_tui.commands.out import say as print_line
from agentomics_tui.commands.out import say_json, say_text
from agentomics_tui.commands.paths import find_run
from agentomics_tui.commands.sending import send
from agents import control
from agents.checkpoint import state_of
from agents.errors import UserError
from agents.program import to_type
from agents.run_folder import RunFolder
from agents.state import ApprovalState, NoteState, RunState
from agents.vocabulary import Gate, NoteTime
from agents.wording import first_line


def say(options: argparse.Namespace) -> int:
    """Send a note, or change or withdraw one that waits."""
    if options.withdraw is not None:
        return send(options, control.WithdrawNote(note_id=_note_id(options, options.withdraw)))
    text = options.edit[1] if options.edit else options.text or ""
    if not text.strip():
        raise UserError("say: the note is empty")
    check_note("say", text)
    when = None if options.when is None else NoteTime(options.when)
    if options.edit:
        return send(options, control.EditNote(note_id=_note_id(options, options.edit[0]), text=text, when=when))
    return send(options, control.Say(text=text, when=when or NoteTime.NOW))


def check_note(command: str, text: str) -> None:
    """Raises :class:`UserError` where a note is too long."""
    if len(text) > control.NOTE_LENGTH:
        raise UserError(f"{command}: the note has {len(text):,} characters; at most {control.NOTE_LENGTH:,} are taken")


def _note_id(options: argparse.Namespace, beginning: str) -> str:
    """The id of the one note that begins so."""
    _, state = _state_of(options)
    found = [note_id for note_id in state.notes if note_id.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    what = "no note has" if not found else f"{len(found)} notes have"
    raise UserError(f"say: {what} an id that begins with {beginning!r}; see: {to_type('notes', options.run)}")


def notes(options: argparse.Namespace) -> int:
    """A run's notes with what became of each."""
    run, state = _state_of(options)
    if options.json:
        for note in state.notes.values():
            say_json(_as_json(note))
        return 0
    if not state.notes:
        print_line(f"no notes; send one with: {to_type('say', run.run_id, 'TEXT')}")
    for note in state.notes.values():
        print_line(f"{note.note_id}  {note_words(note)}")
        print_line(f"  {note.by}: {first_line(note.text)}")
        if note.followed:
            print_line(f"  then {first_line(note.followed)}")
    return 0


def note_words(note: NoteState) -> str:
    """What became of a note, in a few words."""
    if note.withdrawn:
        return "withdrawn"
    if note.delivered:
        where = f" at step {note.step.label}" if note.step else ""
        return f"delivered{where}" + (f" of iteration {note.iteration}" if note.iteration is not None else "")
    when = {NoteTime.NOW: "the next model call", NoteTime.STEP: "the next step", NoteTime.PLAN: "the next plan"}
    return f"queued for {when[note.when]}"


def _as_json(note: NoteState) -> dict[str, object]:
    status = "withdrawn" if note.withdrawn else "delivered" if note.delivered else "queued"
    return {
        "note_id": note.note_id,
        "status": status,
        "when": note.when,
        "by": note.by,
        "sent": note.sent.isoformat() if note.sent else None,
        "text": note.text,
        "iteration": note.iteration,
        "step": note.step,
        "followed": note.followed or None,
    }


# --- approvals -------------------------------------------------------------------------------------------------------


def gates(options: argparse.Namespace) -> int:
    """Choose where the run waits for an approval, or say where it does."""
    if options.gates is None:
        _, state = _state_of(options)
        print_line(f"waits for approval of: {', '.join(state.gates)}" if state.gates else "waits for no approval")
        return 0
    return send(options, control.SetGates(gates=gates_of(options.gates)))


def gates_of(text: str) -> list[Gate]:
    """The gates of a list with commas, or none of the word ``none``; raises :class:`UserError`."""
    if text.strip() == "none":
        return []
    try:
        return [Gate(name.strip()) for name in text.split(",")]
    except ValueError:
        raise UserError(f"gates {text!r}: expected none, or some of {', '.join(Gate)} with commas between") from None


def review(options: argparse.Namespace) -> int:
    """Print what waits for an approval, and what changed in it."""
    run, state = _state_of(options)
    waits = _waiting(run, state)
    print_line(f"{waits.gate}: {waits.title}")
    say_text(read(run, waits.subject))
    if waits.change:
        print_line()
        say_text(read(run, waits.change))
    print_line()
    print_line(f"approve it: {to_type('approve', run.run_id)}")
    print_line(f"edited:     {to_type('approve', run.run_id, '--edited', 'FILE')}")
    print_line(f"reject it:  {to_type('reject', run.run_id, 'REASON')}")
    return 0


def approve(options: argparse.Namespace) -> int:
    """Let what waits be done, as it is or as it was edited."""
    waits = _waiting(*_state_of(options))
    if options.edited is None:
        return send(options, control.Answer(approval=waits.approval, verdict="approve"))
    try:
        text = sys.stdin.read() if options.edited == "-" else Path(options.edited).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{options.edited}: is not UTF-8 text") from None
    if not text.strip():
        raise UserError(f"{options.edited}: is empty")
    return send(options, control.Answer(approval=waits.approval, verdict="edit", text=text))


def reject(options: argparse.Namespace) -> int:
    """Have it done otherwise."""
    waits = _waiting(*_state_of(options))
    if not options.reason.strip():
        raise UserError("reject: say why; the agent has nothing else to go by")
    check_note("reject", options.reason)
    return send(options, control.Answer(approval=waits.approval, verdict="reject", reason=options.reason))


def _waiting(run: RunFolder, state: RunState) -> ApprovalState:
    if state.approval is None:
        raise UserError(f"nothing of run {run.run_id} waits for an approval")
    return state.approval


def read(run: RunFolder, path: str) -> str:
    """A text of the run's folder."""
    return (run.root / path).read_text(encoding="utf-8", errors="replace")


def _state_of(options: argparse.Namespace) -> tuple[RunFolder, RunState]:
    run = find_run(options.run, options.runs_dir)
    return run, state_of(run.journal)
