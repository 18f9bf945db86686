"""The card that greets a person who comes back to a run."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click, Key
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.away import AwayView
from screens.widgets.pane import labelled, wrapped

_LABELS = 8
_WIDTH = 58
"""Cells of a line inside of the frame, labels included; the frame fits into 80."""
_DEEP = 2
"""Lines of what is told at most, so that all of it fits into 24."""


class AwayScreen(ModalScreen[None]):
    """What happened meanwhile. Any key and any click closes it, and does nothing else."""

    CSS_PATH = "questions.tcss"

    def __init__(self, view: AwayView) -> None:
        super().__init__()
        self.view = view

    def compose(self) -> ComposeResult:
        lines: list[Content] = []
        for label, text in self.view.lines:
            lines += labelled(label, wrapped(text, _WIDTH - _LABELS, _DEEP), _LABELS)
        with Vertical(classes="question"):
            yield Static(self.view.title, classes="asked", markup=False)
            yield Static(Content("\n").join(lines))
            yield Static("Any key closes this.", classes="hint", markup=False)

    def on_key(self, event: Key) -> None:
        event.stop()
        event.prevent_default()
        self.dismiss()

    def on_click(self, event: Click) -> None:
        event.stop()
        self.dismiss()
