"""A log of any length on the screen: only the lines in view are asked for, styled and kept."""

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from rich.text import Span, Text
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from agents.log_file import Found, Search
from screens.plain import harmless, one_line
from screens.widgets.log_messages import LineSource, LinesRead, LogFailed, LogGrew, SearchEnded, SearchProgressed

# --- one line --------------------------------------------------------------------------------------------------------

_COLOUR: Final = re.compile(r"(\x1b\[\d{0,3}(?:;\d{0,3}){0,20}m)")
_SHOWN_AS_WRITTEN: Final = Style(conceal=False, blink=False, blink2=False)
_TAB: Final = 8


def styled(line: str) -> Text:
    """``line`` with its colours and without any other escape. Text that asks to be hidden is shown."""
    if "\x1b" not in line:
        return Text(harmless(line))
    pieces: list[str] = []
    column = 0
    for number, piece in enumerate(_COLOUR.split(line)):
        if number % 2 == 0:
            # Tab stops count from the start of the line, not of the piece.
            offset = column % _TAB
            piece = harmless(" " * offset + piece)[offset:]
            column += len(piece)
        pieces.append(piece)
    text = Text.from_ansi("".join(pieces), end="")
    text.spans = [
        Span(start, end, style + _SHOWN_AS_WRITTEN if isinstance(style, Style) else style)
        for start, end, style in text.spans
    ]
    return text


# --- the view --------------------------------------------------------------------------------------------------------

_MARGIN: Final = 100
"""Lines asked for beyond each end of the view, so that a key press finds its line there."""


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of a log, drawn as they are scrolled into view.

    Takes the messages of a :class:`LineSource` and posts :class:`LogView.Moved` when what its status line says changed.
    Following sticks to the end while the log grows; scrolling up ends it, coming back to the end takes it up again.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log-view--match", "log-view--current", "log-view--more"}
    DEFAULT_CSS = """
    LogView {
        height: 1fr;
        background: $surface;
        color: $foreground;
        scrollbar-size-horizontal: 0;
        scrollbar-size-vertical: 1;
        & > .log-view--match { background: $warning 35%; text-style: underline; }
        & > .log-view--more { color: $text-muted; }
        & > .log-view--current { background: $warning; color: auto; text-style: bold; }
    }
    """
    KEY_HELP: ClassVar[tuple[str, str]] = (
        "Output",
        "↑ ↓ ← → scroll · g G start, end · f follow · / search · n N match",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("left", "shift(-8)", "Left", show=False),
        Binding("right", "shift(8)", "Right", show=False),
        Binding("pageup,b", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "first", "Start", show=False, key_display="g"),
        Binding("end,G", "last", "End", show=False, key_display="G"),
        Binding("f", "follow", "Follow"),
        Binding("n", "repeat_search(False)", "Match", key_display="n/N"),
        Binding("N", "repeat_search(True)", "Match before", show=False),
    ]

    following: reactive[bool] = reactive(False, repaint=False)

    @dataclass
    class Moved(Message):
        """Another part of the log is in view, or more is known of it."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LogView.Moved)

    def __init__(self, *, following: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(LogView.following, following)
        self.lines = 0
        self.size_in_bytes = 0
        self.counted = False
        self.search: Search | None = None
        self.search_fraction: float | None = None
        """How far a search is that runs now."""
        self.outcome: Found | None = None
        """What the last search found."""
        self.problem = ""
        self.grows = True
        """More output may come. Set by whoever knows that the tool ended."""
        self._source: LineSource | None = None
        self._generation = 0
        self._seen: int | None = None
        self._texts: LRUCache[int, str] = LRUCache(4096)
        self._strips: LRUCache[int, Strip] = LRUCache(512)
        self._asked = range(0)
        self._pattern: re.Pattern[str] | None = None
        self._tail: list[str] = []
        self._widest = 0

    def connect(self, source: LineSource) -> None:
        """Show what ``source`` reads. The view closes it when it goes."""
        self._source = source

    def on_unmount(self) -> None:
        if self._source:
            self._source.close()

    # --- what the status line says -----------------------------------------------------------------------------------

    @property
    def first_line(self) -> int:
        """The first line in view, from 0."""
        return int(self.scroll_y)

    @property
    def last_line(self) -> int:
        """The line below the last one in view."""
        return min(self.lines, self.first_line + self._height)

    @property
    def unseen(self) -> int:
        """Lines that came since the end was last in view."""
        return 0 if self.following or self._seen is None else max(0, self.lines - self._seen)

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    @property
    def _shows_tail(self) -> bool:
        """The end is in view before its lines are counted."""
        return self.following and not self.counted

    # --- messages of the source --------------------------------------------------------------------------------------

    def on_log_grew(self, message: LogGrew) -> None:
        message.stop()
        if message.generation != self._generation:
            self._generation = message.generation
            self._forget()
        self._texts.discard(self.lines - 1)  # it may have been unfinished; what is drawn of it stays until it is read
        self.lines, self.size_in_bytes, self.counted = message.lines, message.size, message.counted
        self._tail = [] if message.counted else message.tail
        first_of_tail = message.lines - len(message.tail) if message.counted else message.lines
        for number, text in enumerate(message.tail, start=first_of_tail) if message.counted else ():
            self._keep(number, text)
        self.virtual_size = Size(self._widest, self.lines)
        if self.counted and (self.following or self._seen is None):
            self._seen = self.lines
        if self.following:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)
            self.refresh()
        elif first_of_tail < self.last_line:
            self.refresh()
        self._ask()
        self.post_message(self.Moved())

    def on_lines_read(self, message: LinesRead) -> None:
        message.stop()
        if message.generation != self._generation:
            return
        for number, text in enumerate(message.lines, start=message.start):
            self._keep(number, text)
        self._asked = range(0)
        self.refresh()
        self._ask()

    def on_log_failed(self, message: LogFailed) -> None:
        self.notify(f"The log cannot be read: {one_line(message.problem)}", severity="error", markup=False)

    def on_search_progressed(self, message: SearchProgressed) -> None:
        message.stop()
        if self.search_fraction is not None:
            self.search_fraction = message.fraction
            self.post_message(self.Moved())

    def on_search_ended(self, message: SearchEnded) -> None:
        message.stop()
        if self.search_fraction is None:
            return
        self.search_fraction = None
        self.outcome, self.problem = message.found, message.problem
        if message.found.line is not None:
            self._show_match(message.found.line)
        self._strips.clear()
        self.refresh()
        self.post_message(self.Moved())

    # --- lines -------------------------------------------------------------------------------------------------------

    def _keep(self, number: int, text: str) -> None:
        if self._texts.get(number) != text:
            self._texts[number] = text
            self._strips.discard(number)

    def _forget(self) -> None:
        self._texts.clear()
        self._strips.clear()
        self._asked = range(0)
        self._widest = 0
        self._seen = None
        self.outcome = None

    def _ask(self) -> None:
        """Ask for the lines in view that are not here, and some around them."""
        if self._source is None or self._shows_tail:
            return
        view = range(self.first_line, self.last_line)
        missing = [number for number in view if number not in self._texts]
        if not missing or (missing[0] in self._asked and missing[-1] in self._asked):
            return
        start = max(0, view.start - _MARGIN)
        self._asked = range(start, view.stop + _MARGIN)
        self._source.want(start, len(self._asked))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        strip = self._tail_strip(y) if self._shows_tail else self._strip(self.first_line + y)
        left = int(self.scroll_x)
        if strip.cell_length > left + width:
            more = Segment("›", self.get_component_rich_style("log-view--more", partial=True))
            strip = Strip([*strip.crop(left, left + width - 1), more])
        else:
            strip = strip.crop_extend(left, left + width, None)
        return strip.apply_style(base)

    def _tail_strip(self, y: int) -> Strip:
        shown = self._tail[-self._height :]
        return self._drawn(shown[y], None) if y < len(shown) else Strip.blank(0)

    def _strip(self, number: int) -> Strip:
        strip = self._strips.get(number)
        if strip is None:
            text = self._texts.get(number) if number < self.lines else None
            if text is None:
                return Strip.blank(0)
            strip = self._strips[number] = self._drawn(text, number)
            if strip.cell_length > self._widest:
                self._widest = strip.cell_length
                self.call_later(self._widen)
        return strip

    def _drawn(self, line: str, number: int | None) -> Strip:
        text = styled(line)
        if self._pattern:
            is_current = self.outcome is not None and number == self.outcome.line
            style = self.get_component_rich_style("log-view--current" if is_current else "log-view--match")
            for match in self._pattern.finditer(text.plain):
                text.stylize(style, *match.span())
        segments = [part for part in text.render(self.app.console) if isinstance(part, Segment) and part.text != "\n"]
        return Strip(segments)

    def _widen(self) -> None:
        self.virtual_size = Size(self._widest, self.lines)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    # --- moving ------------------------------------------------------------------------------------------------------

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) != round(old_value):
            # A view that became higher is moved up without anybody having scrolled: at the end, but not from above.
            at_end = new_value >= self.max_scroll_y
            if at_end == (new_value > old_value):
                self.following = at_end
            self._ask()
            self.post_message(self.Moved())

    def watch_following(self, following: bool) -> None:
        self._seen = self.lines if self.counted else None
        if not self.is_mounted:
            return
        if following:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)
        self.refresh()
        self._ask()
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        if self.following:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)
        self._ask()
        self.post_message(self.Moved())

    def _go(self, line: float) -> None:
        if line < self.scroll_y:
            self.following = False
        self.scroll_to(y=line, animate=False, force=True, immediate=True)

    def action_move(self, by: int) -> None:
        self._go(self.scroll_y + by)

    def action_page(self, by: int) -> None:
        self._go(self.scroll_y + by * max(1, self._height - 1))

    def action_shift(self, by: int) -> None:
        self.scroll_to(x=self.scroll_x + by, animate=False, force=True, immediate=True)

    def action_first(self) -> None:
        self.scroll_to(x=0, animate=False, force=True, immediate=True)
        self._go(0)

    def action_last(self) -> None:
        self.following = True

    def action_follow(self) -> None:
        self.following = not self.following

    # --- search ------------------------------------------------------------------------------------------------------

    def look_for(self, search: Search | None) -> None:
        """Search from the first line in view on; None ends the search and its marks.

        Raises :class:`agents.errors.UserError` where the text is no regular expression.
        """
        pattern = search.compile() if search else None
        self.cancel_search()
        self.search, self._pattern, self.outcome, self.problem = search, pattern, None, ""
        self._strips.clear()
        self.refresh()
        if search:
            self._start_search(self.first_line, backwards=False)
        self.refresh_bindings()
        self.post_message(self.Moved())

    @property
    def is_searching(self) -> bool:
        return self.search_fraction is not None

    def cancel_search(self) -> None:
        if self.is_searching and self._source:
            self._source.cancel_search()
        self.search_fraction = None
        self.post_message(self.Moved())

    def action_repeat_search(self, backwards: bool) -> None:
        if self.search is None or self.lines == 0:
            return
        found = self.outcome.line if self.outcome else None
        if found is not None and self.first_line <= found < self.last_line:
            start = (found + (-1 if backwards else 1)) % self.lines
        else:
            start = self.last_line - 1 if backwards else self.first_line
        self._start_search(start, backwards)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.search is not None if action == "repeat_search" else True

    def _start_search(self, start: int, backwards: bool) -> None:
        if self.search and self._source:
            self.search_fraction = 0.0
            self._source.search(self.search, start, backwards)

    def _show_match(self, line: int) -> None:
        """Bring the line into view, a third down, and its first match with it."""
        if not self.first_line <= line < self.last_line or self._shows_tail:
            self.scroll_to(y=max(0, line - self._height // 3), animate=False, force=True, immediate=True)
        self.following = False
        if self._pattern and (text := self._texts.get(line)) is not None:
            match = self._pattern.search(styled(text).plain)
            left, width = int(self.scroll_x), self.scrollable_content_region.width
            if match and not left <= match.start() < left + width - 1:
                self.scroll_to(x=max(0, match.start() - width // 3), animate=False, force=True, immediate=True)
