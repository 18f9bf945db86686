"""Only cells that differ are sent, and what a terminal then shows is what was drawn."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from agentomics_tui.picture import Picture

WIDTH, HEIGHT = 24, 4
_MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
_TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(.)", re.DOTALL)
styles = st.sampled_from([Style.parse("red"), Style.parse("bold on blue"), Style()])
texts = st.text(alphabet="ab 1─é", max_size=12)
wide = st.text(alphabet="a日e\u0301😀", max_size=6)


class Terminal:
    """As much of a terminal as shows characters and their attributes in cells of equal width."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}
        self._x = self._y = 0
        self._style = ""

    def write(self, text: str) -> None:
        for row, column, style, character in _TOKEN.findall(text):
            if row:
                self._x, self._y = int(column) - 1, int(row) - 1
            elif character:
                self.cells[self._x, self._y] = (character, self._style)
                self._x += 1
            else:
                self._style = style if style != "0" else ""


def _console() -> Console:
    return Console(force_terminal=True, color_system="256")


def _line(parts: list[tuple[str, Style]]) -> Strip:
    strip = Strip([Segment(text, style) for text, style in parts if text])
    return strip.adjust_cell_length(WIDTH, Style())


lines = st.lists(st.tuples(texts, styles), max_size=4).map(_line)
pictures = st.lists(lines, min_size=HEIGHT, max_size=HEIGHT)


def _update(picture: list[Strip]) -> LayoutUpdate:
    return LayoutUpdate([[line] for line in picture], Region(0, 0, WIDTH, HEIGHT))


@given(st.lists(pictures, min_size=1, max_size=5))
def test_the_terminal_shows_the_last_picture_whatever_came_before(drawn: list[list[Strip]]) -> None:
    picture, thin, whole = Picture(), Terminal(), Terminal()
    picture.fit(WIDTH, HEIGHT)
    for frame in drawn:
        thin.write(picture.update(_update(frame), _console()))
    whole.write(_update(drawn[-1]).render_segments(_console()).replace("\n", ""))
    assert thin.cells == whole.cells


def test_what_stands_there_is_not_sent_again_and_of_a_clock_only_the_digit() -> None:
    picture = Picture()
    picture.fit(WIDTH, HEIGHT)
    red = Style.parse("red")
    first = [_line([("0:04:07", red)]), *[_line([])] * 3]
    assert picture.update(_update(first), _console())
    assert picture.update(_update(first), _console()) == ""
    later = picture.update(_update([_line([("0:04:08", red)]), *first[1:]]), _console())
    assert _MOVE.findall(later) == [("1", "7")]
    assert "8" in later
    assert len(later) < 25


def test_a_picture_that_was_forgotten_or_has_another_size_is_drawn_whole() -> None:
    picture = Picture()
    picture.fit(WIDTH, HEIGHT)
    frame = _update([_line([("text", Style())])] * HEIGHT)
    whole = picture.update(frame, _console())
    picture.forget()
    picture.fit(WIDTH, HEIGHT)
    assert picture.update(frame, _console()) == whole
    picture.fit(WIDTH + 1, HEIGHT)
    assert picture.update(frame, _console()) == whole


@given(wide, wide)
def test_a_line_with_characters_of_other_widths_is_drawn_whole_or_not_at_all(before: str, after: str) -> None:
    picture = Picture()
    picture.fit(WIDTH, HEIGHT)
    for text in (before, after):
        strip = _line([(text, Style.parse("red"))])
        sent = list(picture.put(0, 0, strip))
        if len(strip.text) != strip.cell_length:
            assert sent in ([(0, strip)], [])
    assert list(picture.put(0, 0, _line([(after, Style.parse("red"))]))) == []
