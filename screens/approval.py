"""What waits for a person's approval, and where a run waits for one at all."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from agents.control import NOTE_LENGTH, Answer, Command, SetGates
from agents.state import ApprovalState
from agents.vocabulary import Gate
from screens.plain import harmless, one_line

_KEYS: Final = "a approve · e edit · r reject · {d}esc later"
_EDITING: Final = "ctrl+s approves it as you edited it · esc gives the editing up"
_REJECTING: Final = "Enter rejects it for this reason · esc goes back"
_GATES: Final = {Gate.PLAN: "the plan of each iteration", Gate.TRAINING: "each script that a training step runs"}


class ApprovalScreen(ModalScreen[Command | None]):
    """Approve, edit or reject ``approval``; None lets it wait. ``change`` is a unified diff, or empty."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", "Approve", show=False, id="approval.approve"),
        Binding("e", "edit", "Edit", show=False, id="approval.edit"),
        Binding("r", "reject", "Reject", show=False, id="approval.reject"),
        Binding("d", "change", "What changed", show=False, id="approval.change"),
        Binding("ctrl+s", "send", "Approve as edited", show=False, priority=True, id="approval.send"),
        Binding("escape", "back", "Back", show=False, priority=True, id="approval.back"),
    ]

    def __init__(self, approval: ApprovalState, text: str, change: str) -> None:
        super().__init__()
        self.approval = approval
        self._text = harmless(text)
        self._change = harmless(change)
        self._shows_change = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static(f"The {self.approval.gate} waits for your approval", classes="asked", markup=False)
            yield Static(one_line(self.approval.title), classes="what", markup=False)
            yield TextArea(self._text, read_only=True, show_line_numbers=False, soft_wrap=True)
            yield Input(placeholder="what the agent should do otherwise", max_length=NOTE_LENGTH)
            yield Static(self._hint, classes="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).display = False

    @property
    def _hint(self) -> str:
        if self.query(Input) and self.query_one(Input).display:
            return _REJECTING
        if self._edits:
            return _EDITING
        other = "d the whole · " if self._shows_change else "d what changed · "
        return _KEYS.format(d=other if self._change else "")

    @property
    def _edits(self) -> bool:
        return bool(self.query(TextArea)) and not self.query_one(TextArea).read_only

    def _tell(self) -> None:
        self.query_one(".hint", Static).update(self._hint)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        typing = self._edits or (bool(self.query(Input)) and self.query_one(Input).display)
        if action in {"approve", "edit", "reject", "change"}:
            return not typing
        return self._edits if action == "send" else True

    def action_approve(self) -> None:
        self.dismiss(Answer(approval=self.approval.approval, verdict="approve"))

    def action_edit(self) -> None:
        if self._shows_change:
            self.action_change()
        area = self.query_one(TextArea)
        area.read_only = False
        area.focus()
        self._tell()

    def action_send(self) -> None:
        text = self.query_one(TextArea).text
        if not text.strip():
            self.notify("The text is empty.", severity="warning", markup=False)
        elif text == self._text:
            self.action_approve()
        else:
            self.dismiss(Answer(approval=self.approval.approval, verdict="edit", text=text))

    def action_reject(self) -> None:
        field = self.query_one(Input)
        field.display = True
        field.focus()
        self._tell()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if reason := event.value.strip():
            self.dismiss(Answer(approval=self.approval.approval, verdict="reject", reason=reason))
        else:
            self.notify("Say why: the agent has nothing else to go by.", severity="warning", markup=False)

    def action_change(self) -> None:
        if not self._change:
            return
        self._shows_change = not self._shows_change
        self.query_one(TextArea).load_text(self._change if self._shows_change else self._text)
        self._tell()

    def action_back(self) -> None:
        field, area = self.query_one(Input), self.query_one(TextArea)
        if field.display:
            field.display = False
            area.focus()
        elif not area.read_only:
            area.read_only = True
            area.load_text(self._text)
        else:
            self.dismiss(None)
            return
        self._tell()


class GatesScreen(ModalScreen[Command | None]):
    """Where the run waits for an approval from now on."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "Choose", show=False, priority=True, id="gates.choose"),
        Binding("enter", "apply", "Apply", show=False, priority=True, id="gates.apply"),
        Binding("escape,q", "dismiss(None)", "Cancel", show=False, id="gates.cancel"),
    ]

    def __init__(self, gates: Sequence[Gate]) -> None:
        super().__init__()
        self._gates = frozenset(gates)
        self._chosen = set(gates)

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static("Wait for your approval of", classes="asked", markup=False)
            yield OptionList(*(Option(self._line(gate), id=gate) for gate in Gate))
            yield Static("space chooses, Enter applies, esc cancels.", classes="hint", markup=False)

    def _line(self, gate: Gate) -> Content:
        return Content(f"{'● yes' if gate in self._chosen else '○ no '}   {_GATES[gate]}")

    def action_choose(self) -> None:
        listed = self.query_one(OptionList)
        if listed.highlighted is not None:
            gate = list(Gate)[listed.highlighted]
            self._chosen ^= {gate}
            listed.replace_option_prompt(gate, self._line(gate))

    def action_apply(self) -> None:
        self.dismiss(None if self._chosen == self._gates else SetGates(gates=sorted(self._chosen)))
