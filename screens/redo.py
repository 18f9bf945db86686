"""Which step is begun again, and what the agent should do otherwise."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from agents.control import NOTE_LENGTH, Redo
from agents.vocabulary import STEPS, StepName


class RedoScreen(ModalScreen[Redo | None]):
    """``seen`` names the step that runs; what is chosen is it or an earlier one."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", show=False, id="redo.no")]

    def __init__(self, seen: Redo) -> None:
        super().__init__()
        assert seen.step is not None
        self._seen = seen
        self._steps = list(reversed(STEPS[: STEPS.index(seen.step) + 1]))

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static(f"Begin which step of iteration {self._seen.iteration} again?", classes="asked", markup=False)
            yield OptionList(*(Option(Content(self._words(step)), id=step) for step in self._steps))
            yield Input(placeholder="a note to the agent, if you like", max_length=NOTE_LENGTH)
            text = "Enter begins it again, esc cancels. What it and later steps made is put aside, not lost."
            yield Static(text, classes="hint", markup=False)

    def _words(self, step: StepName) -> str:
        return f"{step.label}, which runs now" if step is self._seen.step else step.label

    def on_option_list_option_selected(self, _: OptionList.OptionSelected) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        chosen = self.query_one(OptionList).highlighted or 0
        back_to = self._steps[chosen] if chosen else None
        self.dismiss(self._seen.model_copy(update={"back_to": back_to, "note": event.value.strip()}))
