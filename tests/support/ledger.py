"""What a run's journal must say of the commands that were given, checked event by event with nothing else."""

from collections import Counter
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from agents import control
from agents.events import (
    ApprovalAnswered,
    ApprovalAsked,
    CommandReceived,
    Event,
    LimitRaised,
    ModelCallStarted,
    NoteChanged,
    NoteDelivered,
    NoteReceived,
    NoteWithdrawn,
    RunFinished,
    RunResumed,
    ToolCallStarted,
)
from agents.state import RunState
from agents.vocabulary import IterationStatus, Limit, RunStatus, StepStatus

_STATE: TypeAdapter[RunState] = TypeAdapter(RunState)


@dataclass
class _Note:
    text: str
    waits: bool = True


@dataclass
class Ledger:
    """The commands that were given, and what the journal tells of them so far."""

    usd: float | None
    tokens: float | None
    commands: dict[str, control.Command] = field(default_factory=dict)
    receipts: Counter[str] = field(default_factory=Counter)
    delivered: list[str] = field(default_factory=list)
    """Texts of the notes that went to the agent."""
    _bad: set[str] = field(default_factory=set)
    _notes: dict[str, _Note] = field(default_factory=dict)
    _raised: dict[Limit, float] = field(default_factory=dict)
    _paused: bool = False
    _approval: int | None = None

    def sent(self, command: control.Command) -> None:
        self.commands[command.command_id] = command

    def dropped(self, name: str) -> None:
        """A file that is no command."""
        self._bad.add(name)

    def take_in(self, event: Event) -> None:
        match event:
            case CommandReceived():
                self._receipt(event)
            case ModelCallStarted() | ToolCallStarted():
                assert not self._paused, f"{event.type} while the run is paused"
                assert self._approval is None, f"{event.type} while the run waits for an approval"
            case RunResumed() | RunFinished():
                self._paused, self._approval = False, None
            case NoteReceived() | NoteChanged() | NoteWithdrawn() | NoteDelivered():
                self._note(event)
            case LimitRaised():
                self._raised[event.limit] = event.allowed
            case ApprovalAsked():
                assert self._approval is None
                self._approval = event.approval
            case ApprovalAnswered():
                assert event.approval == self._approval, "what did not wait was answered"
                self._approval = None
            case _:
                pass

    def _receipt(self, receipt: CommandReceived) -> None:
        self.receipts[receipt.command_id] += 1
        assert self.receipts[receipt.command_id] == 1, f"a second receipt: {receipt}"
        assert receipt.outcome != "refused" or receipt.detail, "refused without a reason"
        if receipt.command == "unknown":
            assert receipt.command_id in self._bad
            assert receipt.outcome == "refused"
            return
        command = self.commands[receipt.command_id]
        assert (receipt.command, receipt.by) == (command.command, command.by)
        accepted = receipt.outcome == "accepted"
        match command:
            case control.Pause() if accepted:
                self._paused = True
            case control.Resume() | control.Stop() if accepted:
                self._paused = False
            case control.RaiseLimit():
                self._limits(command, accepted=accepted)
            case control.Say():
                assert not accepted or command.command_id in self._notes
            case control.EditNote() if accepted:
                assert self._notes[command.note_id].text == command.text
            case control.WithdrawNote() if accepted:
                assert not self._notes[command.note_id].waits
            case _:
                pass

    def _limits(self, command: control.RaiseLimit, *, accepted: bool) -> None:
        """After each receipt as much is allowed as all accepted commands together allow."""
        if accepted:
            self.usd = self.usd + (command.usd or 0.0) if self.usd is not None else None
            self.tokens = self.tokens + (command.tokens or 0) if self.tokens is not None else None
        for limit, allowed in ((Limit.USD, self.usd), (Limit.TOKENS, self.tokens)):
            assert self._raised.get(limit) in (None, allowed), f"{limit}: {self._raised[limit]} instead of {allowed}"

    def _note(self, event: NoteReceived | NoteChanged | NoteWithdrawn | NoteDelivered) -> None:
        if isinstance(event, NoteReceived):
            assert event.note_id not in self._notes, "a note came twice"
            command = self.commands[event.note_id]
            assert event.text == (
                command.text
                if isinstance(command, control.Say)
                else command.note
                if isinstance(command, control.Redo)
                else None
            )
            self._notes[event.note_id] = _Note(event.text)
            return
        note = self._notes[event.note_id]
        assert note.waits, f"{event.type} of a note that does not wait"
        match event:
            case NoteChanged():
                note.text = event.text
            case NoteWithdrawn():
                note.waits = False
            case NoteDelivered():
                note.waits = False
                self.delivered.append(note.text)

    def assert_settled(self, left: set[str]) -> None:
        """Each command has its receipt, except those that came after the end and still lie there (``left``)."""
        for identity in [*self.commands, *self._bad]:
            assert self.receipts[identity] == 1 or identity in left, f"no receipt: {self.commands.get(identity)}"


def assert_valid(state: RunState) -> None:
    """Every field is what it says it is, and the fields agree with each other."""
    assert _STATE.validate_json(_STATE.dump_json(state)) == state
    running = [step for it in state.iterations for step in it.steps.values() if step.status is StepStatus.RUNNING]
    assert len(running) <= 1
    assert [it.index for it in state.iterations] == list(range(len(state.iterations)))
    assert sum(it.status is IterationStatus.RUNNING for it in state.iterations) <= 1
    assert (state.held_since is not None) == (state.status is RunStatus.HELD)
    assert (state.ended is not None) == state.status.is_over
    assert state.stop_asked or state.status is not RunStatus.STOPPING
    if state.status.is_over:
        assert not running
        assert state.approval is None
        assert state.running_tool_call is None
        assert state.running_model_call is None
    assert all(note.withdrawn is False or note.delivered is False for note in state.notes.values())
    assert len({receipt.command_id for receipt in state.receipts}) == len(state.receipts)
