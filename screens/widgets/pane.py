"""A pane: one immutable view, drawn by a pure function into the cells there are, repainted only when it changed."""

import logging
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from screens.plain import one_line

V = TypeVar("V")
_logger: Final = logging.getLogger(__name__)


class Pane(Widget, Generic[V]):
    """Base of the dashboard's panes. A subclass says how its view is drawn and what stands in its border."""

    DEFAULT_CSS = """
    Pane {
        height: 1fr;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: V | None = None
        self._border_note: Content | None = None
        self._faulty: V | None = None
        """The view whose fault was logged, so that it is logged once and not at each repaint."""

    def show(self, view: V) -> None:
        """Draw ``view``, unless it is what is drawn already."""
        if view == self._view:
            return
        self._view = view
        set_border(self, self.heading(view), self._border_note)
        self.set_class(self.has_nothing(view), "-empty")
        self.refresh()

    def note(self, words: str | Content) -> None:
        """Let ``words`` stand in the lower border: for what ticks, since only the border is drawn anew."""
        self._border_note = (Content(words) if isinstance(words, str) else words) if words else None
        set_border(self, self.heading(self._view) if self._view is not None else None, self._border_note)

    def render(self) -> Content:
        width, height = self.content_size
        if self._view is None or width < 1 or height < 1:
            return Content("")
        lines = self._drawn(self._view, width, height)
        return Content("\n").join(fitted(line, width) for line in lines[:height])

    def _drawn(self, view: V, width: int, height: int) -> Sequence[Content]:
        """What :meth:`draw` gives; where it fails, a line that says so: one pane's fault takes no run out of sight."""
        try:
            return self.draw(view, width, height)
        except Exception as error:
            if view is not self._faulty:
                self._faulty = view
                _logger.exception("the pane #%s cannot be shown", self.id)
            return wrapped(f"cannot be shown: {type(error).__name__}: {one_line(str(error))}", width, height)

    def heading(self, view: V) -> Content | None:
        """The border's title. It is content, never markup."""
        return None

    def has_nothing(self, view: V) -> bool:
        """Whether there is nothing to show yet; the class ``-empty`` then lets the layout spare the room."""
        return False

    def draw(self, view: V, width: int, height: int) -> Sequence[Content]:
        """At most ``height`` lines; what is wider than ``width`` cells ends in an ellipsis."""
        raise NotImplementedError


def border_room(widget: Widget) -> int:
    """Cells that a line in a border can have: the corners and a blank on either side are taken."""
    return max(0, widget.outer_size.width - 6)


def fitting(wordings: Sequence[str], width: int) -> str:
    """The first of the wordings that fits, else nothing."""
    return next((words for words in wordings if len(words) <= width), "")


def set_border(widget: Widget, title: Content | None, subtitle: Content | None = None) -> None:
    """Let content stand in the two lines of a border, drawing anew nothing but the lines that change.

    Textual's own ``border_title`` takes content as well, but draws the whole widget anew; what it sets is set here.
    """
    width, height = widget.outer_size
    left, top = widget.content_offset
    for name, content, row in (("_border_title", title, 0), ("_border_subtitle", subtitle, height - 1)):
        before: Content | None = getattr(widget, name)
        if (before and before.markup) != (content and content.markup):
            setattr(widget, name, content)
            widget.refresh(Region(-left, row - top, width, 1))


def fitted(line: Content, width: int) -> Content:
    """``line`` in at most ``width`` cells."""
    return line.truncate(width, ellipsis=True) if line.cell_length > width else line


def cell(content: Content | str, width: int, *, right: bool = False) -> Content:
    """``content`` in exactly ``width`` cells."""
    content = Content(content) if isinstance(content, str) else content
    content = fitted(content, width)
    blank = " " * (width - content.cell_length)
    return Content.assemble(blank, content) if right else Content.assemble(content, blank)


def justified(left: Content, right: Content, width: int) -> Content:
    """``left`` and ``right`` at the two ends of a line; ``left`` gives way where both do not fit."""
    room = max(0, width - right.cell_length - 1)
    return Content.assemble(cell(left, room), " ", right)


def wrapped(text: str, width: int, at_most: int) -> list[Content]:
    """Harmless ``text`` as lines; where there are more than ``at_most``, the last one ends in an ellipsis."""
    lines = Content(text).wrap(max(1, width))
    if len(lines) <= at_most:
        return lines
    kept = lines[: max(0, at_most)]
    if kept:
        kept[-1] = fitted(Content.assemble(kept[-1].rstrip(), " …"), width)
    return kept


def labelled(label: str, lines: Sequence[Content], width: int) -> list[Content]:
    """``lines`` behind a muted label in a column of ``width`` cells."""
    first = cell(Content.styled(label, "$text-muted"), width)
    return [Content.assemble(first if index == 0 else " " * width, line) for index, line in enumerate(lines)]
