"""What the terminal shows, remembered, so that only the cells that differ are sent to it.

Textual draws the lines of a widget anew where anything in it changed; over a slow link that is most of what is sent.
"""

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

_Cell = tuple[str, object]
"""A character and its style."""
_GAP: Final = 12
"""Unchanged cells that are drawn along, since moving over them would take as many bytes."""


class Picture:
    """The cells of a terminal as they were last drawn. A cell that is not known differs from everything."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._lines: list[list[_Cell | None]] = []

    def forget(self) -> None:
        """Know nothing any more: the next update is drawn whole."""
        self._size, self._lines = (0, 0), []

    def fit(self, width: int, height: int) -> None:
        """Be of that size; what was known of another size is forgotten."""
        if self._size != (width, height):
            self._size = (width, height)
            self._lines = [[None] * width for _ in range(height)]

    def update(self, drawn: CompositorUpdate, console: Console) -> str:
        """What to write to the terminal so that it shows what is ``drawn``; empty where it does already."""
        return "".join(
            f"{Control.move_to(x, y).segment.text}{strip.render(console)}"
            for left, y, whole in _strips(drawn)
            for x, strip in self.put(left, y, whole)
        )

    def put(self, left: int, y: int, strip: Strip) -> Iterator[tuple[int, Strip]]:
        """Remember ``strip`` at column ``left`` of line ``y``; the parts of it that differ, each with its column."""
        if not 0 <= y < len(self._lines):
            yield left, strip
            return
        line = self._lines[y]
        width = min(strip.cell_length, len(line) - left)
        cells = _cells(strip)
        is_even = len(cells) == strip.cell_length
        if not is_even:
            # Where a character takes no or two cells, terminals may disagree: such a strip is drawn whole.
            cells = [("", tuple(strip))] * width
        before, after = line[left : left + width], cells[:width]
        if before == after:
            return
        line[left : left + width] = after
        if not is_even:
            yield left, strip
            return
        for start, end in _runs(before, after):
            yield left + start, strip.crop(start, end)


def _cells(strip: Strip) -> list[_Cell]:
    return [(character, segment.style) for segment in strip for character in segment.text]


def _runs(before: list[_Cell | None], after: list[_Cell]) -> Iterator[tuple[int, int]]:
    """Where the two differ: first cell and the one after the last, of stretches that lie apart."""
    start = end = -1
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        if start >= 0 and place - end > _GAP:
            yield start, end
            start = -1
        if start < 0:
            start = place
        end = place + 1
    if start >= 0:
        yield start, end


def _strips(drawn: CompositorUpdate) -> Iterator[tuple[int, int, Strip]]:
    """Column, line and strip of all that an update draws."""
    if isinstance(drawn, LayoutUpdate):
        for y, strips in enumerate(drawn.strips, drawn.region.y):
            x = drawn.region.x
            for drawn_strip in strips:
                yield x, y, drawn_strip
                x += drawn_strip.cell_length
    elif isinstance(drawn, ChopsUpdate):
        for y, first, last in drawn.spans:
            for end, (x, strip) in zip(drawn.chop_ends[y], drawn.chops[y].items(), strict=False):
                if strip is None:
                    continue
                if x <= last and end > first:
                    yield x, y, strip if end <= last else strip.crop(0, last - x)
