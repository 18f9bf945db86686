"""Small screens that ask a person one thing."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from agents.control import Stop


class StopScreen(ModalScreen[Stop | None]):
    """How to stop: after this iteration, now, or not at all."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "choose('finish')", "Finish", show=False, id="stop.finish"),
        Binding("n", "choose('now')", "Now", show=False, id="stop.now"),
        Binding("escape,q", "choose('no')", "No", show=False, id="stop.no"),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static("Stop the run?", classes="asked", markup=False)
            yield OptionList(
                Option(Content("No, go on                 esc"), id="no"),
                Option(Content("Finish this iteration     f"), id="finish"),
                Option(Content("Stop now                  n"), id="now"),
            )
            yield Static(
                "Either way the best snapshot is kept, tested and reported. "
                "Stopping now ends the running tool and gives up the current iteration.",
                classes="hint",
                markup=False,
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option.id or "no")

    def action_choose(self, answer: str) -> None:
        self.dismiss(None if answer == "no" else Stop(now=answer == "now"))


class SayScreen(ModalScreen[str | None]):
    """A note to the agent."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", show=False, id="say.cancel")]

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static("Say to the agent", classes="asked", markup=False)
            yield Input(placeholder="for example: keep the model small enough for a laptop", max_length=20_000)
            yield Static("Enter sends it with the next model call, esc cancels.", classes="hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)
