"""Notes to the agent: writing one, and what became of them."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from agents.control import NOTE_LENGTH, Command, EditNote, Say, WithdrawNote
from agents.state import NoteState
from agents.vocabulary import NoteTime
from screens.plain import one_line
from screens.vocabulary import shorten

_WHEN: Final = {
    NoteTime.NOW: "with the next model call",
    NoteTime.STEP: "when the next step begins",
    NoteTime.PLAN: "with the next plan",
}
_WIDTH: Final = 54
"""Cells of a line of the list."""


class SayScreen(ModalScreen[Command | None]):
    """A note to the agent, or another text for ``note``, which waits."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "later", "When", show=False, priority=True, id="say.when"),
        Binding("escape", "dismiss(None)", "Cancel", show=False, id="say.cancel"),
    ]

    def __init__(self, note: NoteState | None = None) -> None:
        super().__init__()
        self._note = note
        self._when = note.when if note else NoteTime.NOW

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static("Change the note" if self._note else "Say to the agent", classes="asked", markup=False)
            yield Input(
                self._note.text if self._note else "",
                placeholder="for example: keep the model small enough for a laptop",
                max_length=NOTE_LENGTH,
            )
            yield Static(self._hint, classes="hint", markup=False)

    @property
    def _hint(self) -> str:
        return f"Enter sends it {_WHEN[self._when]}; tab chooses when, esc cancels."

    def action_later(self) -> None:
        times = list(NoteTime)
        self._when = times[(times.index(self._when) + 1) % len(times)]
        self.query_one(".hint", Static).update(self._hint)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if not text:
            self.dismiss(None)
        elif self._note is None:
            self.dismiss(Say(text=text, when=self._when))
        else:
            self.dismiss(EditNote(note_id=self._note.note_id, text=text, when=self._when))


class NotesScreen(ModalScreen[None]):
    """All notes with what became of each; those that wait can be changed and taken back."""

    CSS_PATH = "questions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "Change", show=False, id="notes.edit"),
        Binding("w", "withdraw", "Withdraw", show=False, id="notes.withdraw"),
        Binding("escape,q", "dismiss(None)", "Close", show=False, id="notes.close"),
    ]

    def __init__(self, notes: Sequence[NoteState], give: Callable[[Command], None]) -> None:
        super().__init__()
        self._shown = list(notes)
        self._give = give
        self._drawn: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="question"):
            yield Static("Notes to the agent", classes="asked", markup=False)
            yield OptionList()
            yield Static("e changes and w withdraws a note that waits; esc closes.", classes="hint", markup=False)

    def on_mount(self) -> None:
        self._draw()

    def show(self, notes: Sequence[NoteState]) -> None:
        """Bring the list up to date."""
        self._shown = list(notes)
        if self.is_mounted:
            self._draw()

    def _draw(self) -> None:
        lines = [words_of(note) for note in self._shown]
        if lines == self._drawn:
            return
        self._drawn = lines
        listed = self.query_one(OptionList)
        chosen = listed.highlighted
        listed.clear_options()
        listed.add_options(
            Option(Content(line), id=note.note_id) for line, note in zip(lines, self._shown, strict=True)
        )
        listed.highlighted = (
            chosen if chosen is not None and chosen < len(lines) else (len(lines) - 1 if lines else None)
        )

    def _waiting(self) -> NoteState | None:
        """The highlighted note, where it still waits."""
        index = self.query_one(OptionList).highlighted
        note = self._shown[index] if index is not None else None
        if note is not None and not note.waits:
            self.notify("The agent has this note already." if note.delivered else "It was withdrawn.", markup=False)
            return None
        return note

    def action_edit(self) -> None:
        def changed(command: Command | None) -> None:
            if command is not None:
                self._give(command)

        if (note := self._waiting()) is not None:
            self.app.push_screen(SayScreen(note), changed)

    def action_withdraw(self) -> None:
        if (note := self._waiting()) is not None:
            self._give(WithdrawNote(note_id=note.note_id))


def words_of(note: NoteState) -> str:
    """A note in three lines at most: its text, what became of it, and what the agent did next."""
    text = shorten(one_line(note.text), _WIDTH)
    if note.withdrawn:
        return f"{text}\n  × withdrawn"
    if not note.delivered:
        return f"{text}\n  ◌ goes out {_WHEN[note.when]}"
    step = f" at step {note.step.label}" if note.step else ""
    where = f"{step} of iteration {note.iteration}" if note.iteration is not None else step
    followed = f"\n  → {shorten(one_line(note.followed), _WIDTH - 4)}" if note.followed else ""
    return f"{text}\n  ✓ delivered{where}{followed}"
