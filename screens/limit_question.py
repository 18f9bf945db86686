"""The question at a limit of money, tokens or time: allow more, finish, end, or let the run stand."""

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from agents.control import Command, RaiseLimit, Stop
from agents.state import LimitState
from agents.vocabulary import Limit
from screens.plain import as_sentence
from screens.spending import UNITS, amount, read_raise, suggested, typed


class LimitScreen(ModalScreen[Command | None]):
    """What a person decides at ``limit``, which has held the run since ``since``; None lets it stand.

    Finishing is offered only where the run ``has_best``: else there is nothing to test.
    """

    CSS_PATH = "questions.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "choose('raise')", "Raise the limit", show=False, id="limit.raise"),
        Binding("f", "choose('finish')", "Finish now", show=False, id="limit.finish"),
        Binding("e", "choose('end')", "End", show=False, id="limit.end"),
        Binding("escape,q", "choose('later')", "Later", show=False, id="limit.later"),
    ]

    def __init__(self, limit: LimitState, since: datetime, *, has_best: bool) -> None:
        super().__init__()
        self.limit = limit
        self.since = since
        self.has_best = has_best

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.has_best or parameters != ("finish",)

    def compose(self) -> ComposeResult:
        limit = self.limit
        with Vertical(classes="question"):
            yield Static("The run stands at its limit", classes="asked", markup=False)
            yield Static(as_sentence(limit.message), markup=False)
            yield Static(numbers(limit), classes="hint", markup=False)
            yield OptionList(
                Option(Content("Later, let it stand                     esc"), id="later"),
                Option(Content("Raise the limit and go on               r"), id="raise"),
                *self._ends(),
            )
            with Horizontal(classes="amount"):
                yield Static("Raise by ", markup=False)
                yield Input(typed(limit.limit, suggested(limit)), compact=True, max_length=20)
                yield Static(f" {UNITS[limit.limit]}", markup=False)
            yield Static(classes="hint", id="outcome", markup=False)

    def _ends(self) -> Iterator[Option]:
        if self.has_best:
            yield Option(Content("Finish now: test the best, and report   f"), id="finish")
            yield Option(Content("End without testing; resume later       e"), id="end")
        else:
            yield Option(Content("End: no model yet to test; resume later e"), id="end")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option.id or "later")

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one("#outcome", Static).update(outcome(self.limit, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            value = read_raise(self.limit, event.value)
        except ValueError:
            return  # the line below the field says what is wrong
        self.dismiss(raising(self.limit.limit, value))

    def action_choose(self, answer: str) -> None:
        match answer:
            case "raise":
                self.query_one(Input).focus()
            case "finish":
                self.dismiss(Stop(now=True))
            case "end":
                self.dismiss(Stop(now=True, evaluate=False))
            case _:
                self.dismiss(None)


def numbers(limit: LimitState) -> str:
    """How much is used of what is allowed."""
    return f"{amount(limit.limit, limit.used)} used of {amount(limit.limit, limit.allowed)} allowed"


def outcome(limit: LimitState, text: str) -> Content:
    """What comes of the amount that a person types."""
    try:
        value = read_raise(limit, text)
    except ValueError as error:
        return Content.styled(f"To raise it, {error}.", "$warning")
    return Content(f"Enter here allows {amount(limit.limit, limit.allowed + value)} in all and lets the run go on.")


def raising(limit: Limit, value: float) -> RaiseLimit:
    """The command that allows ``value`` US dollars, tokens or seconds more."""
    match limit:
        case Limit.USD:
            return RaiseLimit(usd=value)
        case Limit.TOKENS:
            return RaiseLimit(tokens=round(value))
        case Limit.TIME:
            return RaiseLimit(seconds=value)
