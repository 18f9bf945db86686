"""Small screens that ask a person one thing."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from agents.control import Stop
from screens.plain import one_line

_KEPT: Final = "Either way the best snapshot is kept, tested and reported."
_NOTHING_YET: Final = "There is no model yet: one that this iteration may give is tested, now there is nothing to test."


class StopScreen(ModalScreen[Stop | None]):
    """How to stop: after this iteration, now, or not at all."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "choose('finish')", "Finish", show=False, id="stop.finish"),
        Binding("n", "choose('now')", "Now", show=False, id="stop.now"),
        Binding("escape,q", "choose('no')", "No", show=False, id="stop.no"),
    ]

    def __init__(self, *, has_best: bool) -> None:
        super().__init__()
        self.has_best = has_best

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static("Stop the run?", classes="asked", markup=False)
            yield OptionList(
                Option(Content("No, go on                 esc"), id="no"),
                Option(Content("Finish this iteration     f"), id="finish"),
                Option(Content("Stop now                  n"), id="now"),
            )
            yield Static(
                f"{_KEPT if self.has_best else _NOTHING_YET} "
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


class TakeControlScreen(ModalScreen[bool]):
    """Whether to take control from ``holder``."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,n", "choose(False)", "No", show=False, id="control.no"),
        Binding("t,y", "choose(True)", "Yes", show=False, id="control.yes"),
    ]

    def __init__(self, holder: str) -> None:
        super().__init__()
        self._holder = holder

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static("Take control?", classes="asked", markup=False)
            yield Static(f"{one_line(self._holder)} steers this run now, and will only watch then.", markup=False)
            yield OptionList(
                Option(Content("No, only watch            esc"), id="no"),
                Option(Content("Take control              t"), id="yes"),
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option.id == "yes")

    def action_choose(self, yes: bool) -> None:
        self.dismiss(yes)
