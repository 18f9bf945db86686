"""The tool-call log: one line a call, as long as a run is, drawn only where it is looked at."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from agents.state import ToolCallState
from screens.messages import InspectorWanted
from screens.plain import one_line
from screens.vocabulary import Look, duration, short_step, size, tool_look
from screens.widgets.pane import cell, set_border

_NUMBER, _STEP, _STATUS, _SECONDS, _BYTES = 5, 9, 9, 7, 8
_TOOL_NARROW, _TOOL_WIDE = 12, 22
_WIDE = 100


class ToolLog(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of tool calls with a cursor. It follows the newest call until a person moves away from it."""

    KEY_HELP: ClassVar[tuple[str, str]] = (
        "Tool calls",
        "↑ ↓ select · Home End first, newest · Enter opens the call",
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Earlier call", show=False, id="tools.up"),
        Binding("down,j", "move(1)", "Later call", show=False, id="tools.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="tools.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="tools.page_down"),
        Binding("home,g", "first", "First call", show=False, id="tools.first"),
        Binding("end,G", "last", "Newest call, and follow", show=False, id="tools.last"),
        Binding("enter", "inspect", "Open the call", show=False, id="tools.inspect"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tool-log--cursor"}
    DEFAULT_CSS = """
    ToolLog {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .tool-log--cursor { background: $panel; }
        &:focus > .tool-log--cursor { background: $block-cursor-background; text-style: bold; }
    }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._calls: Sequence[ToolCallState] = ()
        self._count = 0
        self._earlier = 0
        self._cursor = 0
        self._following = True
        self._hint = ""
        self._still: Look | None = None
        self._strips: dict[tuple[object, ...], Strip] = {}

    # --- data --------------------------------------------------------------------------------------------------------

    def show(self, calls: Sequence[ToolCallState], changed_from: int = 0, earlier: int = 0) -> None:
        """Take over ``calls``; only those from number ``changed_from`` on differ from the last time.

        ``earlier`` calls came before the first of them and are not listed.
        """
        grown = (len(calls), earlier) != (self._count, self._earlier)
        gone, self._earlier = earlier - self._earlier if self._count else 0, earlier
        self._calls, self._count = list(calls), len(calls)
        if not calls:
            self.virtual_size = Size(self.size.width, 0)
            self._heading()
            return
        if gone:
            self._move_up(gone)
        if grown:
            self.virtual_size = Size(self.size.width, self._count)
            if self._following:
                self._go(self._count - 1)
            self._heading()
        top = int(self.scroll_offset.y)
        for row in range(max(changed_from - earlier - 1, top), min(self._count, top + self.size.height)):
            self._repaint(row)

    def _move_up(self, rows: int) -> None:
        """The first ``rows`` lines are gone: let what is looked at stay where it is."""
        self._cursor = max(0, self._cursor - rows)
        self.scroll_to(y=max(0, self.scroll_offset.y - rows), animate=False, immediate=True)
        self.refresh()

    def forget(self) -> None:
        """Be as at the beginning: what :meth:`show` gets next has nothing to do with what it got before."""
        self._calls, self._count, self._cursor, self._following = [], 0, 0, True
        self._earlier = 0
        self._strips.clear()
        self.refresh()

    def set_hint(self, hint: str) -> None:
        """What the border says while the newest call is followed."""
        if hint != self._hint:
            self._hint = hint
            self._heading()

    def stand(self, still: Look | None) -> None:
        """Say that a call which seems to run does not, because the run stands still; None: it runs."""
        if still != self._still:
            self._still = still
            self._strips.clear()
            if self._count:
                self._repaint(self._count - 1)  # only the newest call can be running

    @property
    def selected(self) -> ToolCallState | None:
        """The call under the cursor."""
        return self._calls[self._cursor] if self._cursor < self._count else None

    @property
    def following(self) -> bool:
        return self._following

    # --- drawing -----------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        row = y + int(self.scroll_offset.y)
        width = self.scrollable_content_region.width
        base = self.rich_style
        if row >= self._count:
            return self._empty(y, width, base)
        call = self._calls[row]
        on_cursor = row == self._cursor
        key = (call.call, call.outcome, call.seconds, call.bytes, width, on_cursor and self.has_focus, on_cursor)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) > 2_000:
                self._strips.clear()
            strip = self._strips[key] = self._draw(call, width, on_cursor)
        return strip

    def _draw(self, call: ToolCallState, width: int, on_cursor: bool) -> Strip:
        name = "tool-log--cursor" if on_cursor else ""
        style = self.get_visual_style(name) if on_cursor else self.visual_style
        line = tool_line(call, width, self._still)
        strips = Visual.to_strips(self, line, width, 1, style, pad=True)
        return strips[0] if strips else Strip.blank(width)

    def _empty(self, y: int, width: int, base: Style) -> Strip:
        if self._count or y:
            return Strip.blank(width, base)
        text = cell(Content.styled("No tool has been called yet.", "$text-muted"), width)
        return Visual.to_strips(self, text, width, 1, self.visual_style, pad=True)[0]

    def notify_style_update(self) -> None:
        self._strips.clear()
        super().notify_style_update()

    def _repaint(self, row: int) -> None:
        self.refresh(Region(0, row - int(self.scroll_offset.y), self.size.width, 1))

    def _heading(self) -> None:
        behind = self._count - 1 - self._cursor
        hint = f"{behind} newer, End follows them" if not self._following and behind > 0 else self._hint
        if self._earlier:
            hint = " · ".join(words for words in (f"from call {self._earlier + 1} on", hint) if words)
        title = Content(f"Tool calls ({self._earlier + self._count})" if self._count else "Tool calls")
        set_border(self, title, Content(hint) if self._count else None)

    # --- the cursor --------------------------------------------------------------------------------------------------

    def _go(self, row: int) -> None:
        before, self._cursor = self._cursor, max(0, min(self._count - 1, row))
        height = max(1, self.size.height)
        top = int(self.scroll_offset.y)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)
        self._repaint(before)
        self._repaint(self._cursor)

    def _move_to(self, row: int) -> None:
        if not self._count:
            return
        self._following = row >= self._count - 1
        self._go(row)
        self._heading()

    def action_move(self, by: int) -> None:
        self._move_to(self._cursor + by)

    def action_page(self, by: int) -> None:
        self._move_to(self._cursor + by * max(1, self.size.height - 1))

    def action_first(self) -> None:
        self._move_to(0)

    def action_last(self) -> None:
        self._move_to(self._count - 1)

    def action_inspect(self) -> None:
        if call := self.selected:
            self.post_message(InspectorWanted(call))

    def on_click(self, event: Click) -> None:
        row = event.y + int(self.scroll_offset.y) - self.gutter.top
        if 0 <= row < self._count:
            self._move_to(row)
            if event.chain == 2:
                self.action_inspect()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, self._count)
        if self._following and self._count:
            self._go(self._count - 1)

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Nothing scrolls before its bar is there, and that comes with the layout after the lines."""
        if shown and self._following and self._count:
            self._go(self._count - 1)


def tool_line(call: ToolCallState, width: int, still: Look | None = None) -> Content:
    """One call in exactly ``width`` cells: number, step, tool, title, status, time, size."""
    look = tool_look(call.outcome, still)
    wide = width >= _WIDE
    left: list[Content | str] = [
        cell(Content.styled(str(call.call), "$text-muted"), _NUMBER - 1, right=True),
        "  ",
        *([cell(Content.styled(short_step(call.step), "$text-muted"), _STEP)] if wide else []),
        cell(one_line(call.tool), _TOOL_WIDE if wide else _TOOL_NARROW),
        " ",
    ]
    done = call.outcome is not None
    right = [
        cell(Content.styled(f"{look.glyph} {look.word}", look.style), _STATUS),
        cell(duration(call.seconds) if done else "", _SECONDS, right=True),
        cell(size(call.bytes) if done else "", _BYTES, right=True),
    ]
    head, tail = Content.assemble(*left), Content.assemble(*right)
    title = cell(one_line(call.title), max(0, width - head.cell_length - tail.cell_length - 1))
    return Content.assemble(head, title, " ", tail)
