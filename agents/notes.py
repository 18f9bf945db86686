"""Notes from the person who watches to the agent. What waits is what the state says: nothing is lost over a restart."""

from agents.control import EditNote, Say, WithdrawNote
from agents.events import NoteChanged, NoteDelivered, NoteReceived, NoteWithdrawn
from agents.recorder import Recorder
from agents.state import NoteState
from agents.vocabulary import NoteTime, StepName

_GOES: dict[NoteTime, str] = {
    NoteTime.NOW: "goes to the agent with its next model call",
    NoteTime.STEP: "goes to the agent when its next step begins",
    NoteTime.PLAN: "goes to the agent with its next plan",
}


class NoteGone(Exception):
    """A note cannot be changed any more; the message says why."""


class Notes:
    """Receives, changes and hands out notes. Each method that takes a command returns the words of its receipt."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def take(self, *, first: bool) -> list[str]:
        """The notes whose time has come; they count as delivered from now on.

        ``first``: the model call to come is the first of its step.
        """
        planning = self._recorder.step is StepName.ITERATION_PLAN
        due = {NoteTime.NOW}
        if first:
            due |= {NoteTime.STEP, NoteTime.PLAN} if planning else {NoteTime.STEP}
        notes = [note for note in self._recorder.state.notes.values() if note.waits and note.when in due]
        for note in notes:
            self._recorder.emit(NoteDelivered(note_id=note.note_id), durable=True)
        return [note.text for note in notes]

    def receive(self, command: Say) -> str:
        self.add(command.command_id, command.text, command.by, command.when)
        return self._words(command.when)

    def add(self, note_id: str, text: str, by: str, when: NoteTime = NoteTime.NOW) -> None:
        """Take a note up, once: an engine may have died between the note and the receipt of its command."""
        if note_id not in self._recorder.state.notes:
            self._recorder.emit(NoteReceived(note_id=note_id, text=text, by=by, when=when), durable=True)

    def change(self, command: EditNote) -> str:
        """Raises :class:`NoteGone`."""
        note = self._waiting(command.note_id)
        when = command.when or note.when
        self._recorder.emit(
            NoteChanged(note_id=note.note_id, text=command.text, when=when, by=command.by), durable=True
        )
        return self._words(when)

    def withdraw(self, command: WithdrawNote) -> str:
        """Raises :class:`NoteGone`."""
        note = self._waiting(command.note_id)
        self._recorder.emit(NoteWithdrawn(note_id=note.note_id, by=command.by), durable=True)
        return "the agent does not get it"

    def _waiting(self, note_id: str) -> NoteState:
        note = self._recorder.state.notes.get(note_id)
        if note is None:
            raise NoteGone(f"there is no note {note_id}")
        if note.withdrawn:
            raise NoteGone("it was withdrawn already")
        if note.delivered:
            raise NoteGone(f"the agent has it already{f', since step {note.step.label}' if note.step else ''}")
        return note

    def _words(self, when: NoteTime) -> str:
        state = self._recorder.state
        if when is NoteTime.PLAN and len(state.iterations) >= state.planned_iterations:
            return "waits for a next plan, and none is planned any more"
        return _GOES[when]
