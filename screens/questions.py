"""Small screens that ask a person one thing."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
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


class EndIterationScreen(ModalScreen[bool]):
    """Whether to end an iteration, whose work so far is then lost; ``why`` says what else than that was asked for.

    ``key``, which was pressed to come here, confirms.
    """

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "choose(False)", "No", show=False, id="iteration.no"),
    ]

    def __init__(self, iteration: int, key: str, why: str = "") -> None:
        super().__init__()
        self.iteration = iteration
        self._key = key
        self._why = why

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static(f"End iteration {self.iteration}?", classes="asked", markup=False)
            yield OptionList(
                Option(Content("No, go on                 esc"), id="no"),
                Option(Content(f"End it                    {self._key}"), id="end"),
            )
            yield Static(f"{self._why}\nIts work so far is lost.".lstrip(), classes="hint", markup=False)

    def on_key(self, event: Key) -> None:
        if event.character == self._key:
            event.stop()
            self.action_choose(True)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option.id == "end")

    def action_choose(self, ends: bool) -> None:
        self.dismiss(ends)


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
