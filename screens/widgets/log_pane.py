"""A log with its status line and its search field: what a screen embeds."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from agents.errors import UserError
from agents.log_file import Search
from screens.plain import one_line
from screens.vocabulary import size
from screens.widgets.log_view import LogView
from screens.widgets.pane import justified

_WIDE: Final = 100


class SearchField(Input):
    """Where a person types what to look for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Search"),
        Binding("ctrl+r", "toggle_regex", "Text/regex", priority=True),
        Binding("escape", "close", "Close", priority=True),
    ]

    regex: reactive[bool] = reactive(False)

    @dataclass
    class Closed(Message):
        """The person does not want to search after all."""

    def watch_regex(self, regex: bool) -> None:
        self.placeholder = "Regular expression, any case" if regex else "Text to look for; a capital makes it exact"

    def action_close(self) -> None:
        self.post_message(self.Closed())

    def action_toggle_regex(self) -> None:
        self.regex = not self.regex


class LogPane(Vertical):
    """A :class:`LogView` below one line that says what it is and where it stands; ``/`` opens the search field."""

    DEFAULT_CSS = """
    LogPane {
        height: 1fr;
        & > .log-status { height: 1; padding: 0 1; color: $text-muted; background: $panel; }
        & > SearchField { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
        & > SearchField.-open { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/"),
    ]

    def __init__(self, title: str, *, following: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = title
        self.log_view = LogView(following=following)
        self._field = SearchField(compact=True)
        self._status = Static("", classes="log-status", markup=False)
        self.empty_words = "no output"
        """What the status line says of a log without lines."""

    def compose(self) -> ComposeResult:
        yield self._status
        yield self._field
        yield self.log_view

    @on(LogView.Moved)
    def _show_status(self) -> None:
        self.refresh_status()

    def on_descendant_focus(self) -> None:
        self.refresh_status()

    def on_descendant_blur(self) -> None:
        self.refresh_status()

    def on_resize(self) -> None:
        self.refresh_status()

    def refresh_status(self) -> None:
        """Draw the status line anew, in place."""
        width = max(0, self.size.width - 2)
        view = self.log_view
        title = Content.styled(self._title, "bold $accent" if view.has_focus else "bold")
        left = Content.assemble(title, "  ", search_words(view))
        place = place_words(view, self.empty_words, brief=width < _WIDE)
        self._status.update(justified(left, place, width), layout=False)

    # --- search ------------------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        self._field.add_class("-open")
        self._field.focus()

    @on(SearchField.Closed)
    def _close_field(self) -> None:
        self._field.remove_class("-open")
        self.log_view.focus()

    @on(Input.Submitted)
    def _search(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value
        try:
            self.log_view.look_for(Search(text, self._field.regex) if text else None)
        except UserError as error:
            self.notify(one_line(str(error)), severity="error", markup=False)
            return
        self._close_field()

    def cancel_search(self) -> bool:
        """End a search that runs; False where none does."""
        running = self.log_view.is_searching
        self.log_view.cancel_search()
        return running


def search_words(view: LogView) -> Content:
    """What the status line says of the search."""
    if view.search is None:
        return Content("")
    quoted = f"“{one_line(view.search.text)}”"
    if view.search_fraction is not None:
        return Content.assemble(f"searching {quoted} ", (f"{view.search_fraction:.0%}", "$accent"), "  esc cancels")
    if view.problem:
        return Content.styled(one_line(view.problem), "$error")
    if view.outcome is None:
        return Content(f"{quoted}  search cancelled")
    if view.outcome.line is None:
        return Content.styled(f"{quoted} not found", "$warning")
    wrapped = ", round the end" if view.outcome.wrapped else ""
    return Content.assemble(quoted, f" line {view.outcome.line + 1:,}{wrapped}")


def place_words(view: LogView, empty: str, *, brief: bool = False) -> Content:
    """What the status line says of the place: which lines, of how many, and whether it follows."""
    follow = Content.styled("● follows", "$accent") if view.following and view.grows else Content("")
    if view.unseen:
        follow = Content.styled(f"▼ {view.unseen:,} new, f follows", "$warning")
    if not view.counted:
        counting = "counting lines" if view.size_in_bytes else "opening"
        return Content.assemble(follow, "  ", f"{counting} … {view.lines:,}  {size(view.size_in_bytes)}")
    if view.lines == 0:
        return Content(empty)
    whole = view.first_line == 0 and view.last_line == view.lines
    span = "" if whole else f"{view.first_line + 1:,}–{view.last_line:,} of "
    lines = f"{view.lines:,} line" if view.lines == 1 else f"{view.lines:,} lines"
    return Content.assemble(follow, "  ", f"{span}{lines}" + ("" if brief else f"  {size(view.size_in_bytes)}"))
