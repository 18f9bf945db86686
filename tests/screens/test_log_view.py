import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from agents.log_file import Found, Search
from screens.widgets.log_messages import LinesRead, LogGrew, SearchEnded, SearchProgressed
from screens.widgets.log_pane import LogPane, SearchField
from screens.widgets.log_view import LogView, styled

MARKUP = ["x[/", "a [/etc/x] b", "list[int]", "[task1]", r"\[0-9\]+", "[bold]x[/bold]"]
HOSTILE = [*MARKUP, "\x1b]0;title\x07y", "\x1b[2Jz\x07"]
PIECES = [*HOSTILE, "\x1b[31m", "\x1b[0m", "\x1b[8m", "\t", "é", "\x9b3m"]


class Lines:
    """A source over a list: wishes are noted, and answered when the test says so or at once."""

    def __init__(self, view: LogView, lines: list[str]) -> None:
        self.view = view
        self.lines = lines
        self.wants: list[tuple[int, int]] = []
        self.searches: list[tuple[Search, int, bool]] = []
        self.cancelled = 0
        self.closed = False
        self.answers = True

    def grow(self, *more: str, counted: bool = True, generation: int = 0) -> None:
        self.lines += more
        size = sum(len(line) + 1 for line in self.lines)
        self.view.post_message(LogGrew(len(self.lines), size, counted, generation, self.lines[-50:]))

    def want(self, start: int, count: int) -> None:
        self.wants.append((start, count))
        if self.answers:
            self.view.post_message(LinesRead(start, self.lines[start : start + count], 0))

    def search(self, search: Search, start: int, backwards: bool) -> None:
        self.searches.append((search, start, backwards))
        if not self.answers:
            return
        order = list(range(start, -1, -1)) if backwards else list(range(start, len(self.lines)))
        hit = next((line for line in order if search.compile().search(self.lines[line])), None)
        self.view.post_message(SearchEnded(Found(hit)))

    def cancel_search(self) -> None:
        self.cancelled += 1

    def close(self) -> None:
        self.closed = True


class Host(App[None]):
    def __init__(self, lines: list[str], following: bool = False) -> None:
        super().__init__()
        self.pane = LogPane("Output", following=following)
        self.source = Lines(self.pane.log_view, lines)

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.log_view.connect(self.source)
        self.pane.log_view.focus()
        self.source.grow()

    @property
    def view(self) -> LogView:
        return self.pane.log_view

    def rows(self) -> list[str]:
        """What the view shows, row by row."""
        return [self.view.render_line(row).text.rstrip() for row in range(self.view.size.height)]

    def status(self) -> str:
        return str(self.pane.query_one(".log-status").render())


def numbered(count: int) -> list[str]:
    return [f"line {number}" for number in range(count)]


async def press(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()
    await pilot.pause()


# --- one line --------------------------------------------------------------------------------------------------------


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_line_brings_an_escape_or_a_control_character_to_the_terminal(line: str) -> None:
    shown = styled(line.replace("\n", " "))
    assert all(char >= " " and char != "\x7f" and not "\x80" <= char < "\xa0" for char in shown.plain)


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("x[/ [bold]b[/]", "x[/ [bold]b[/]"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("a\tb\x1b[1mc\td", "a       bc      d"),
        ("\x1b[" + "9" * 5_000 + "mx", "x"),
    ],
)
def test_a_line_reads_as_its_writer_meant_it(line: str, plain: str) -> None:
    assert styled(line).plain == plain


def test_colours_stay_and_hidden_text_is_shown() -> None:
    red, hidden = styled("\x1b[31mred\x1b[0m\x1b[8mhidden\x1b[0m").spans
    assert red.style.color.number == 1  # type: ignore[union-attr]
    assert not hidden.style.conceal  # type: ignore[union-attr]


# --- the view --------------------------------------------------------------------------------------------------------


async def test_a_view_asks_only_for_lines_near_the_ones_it_shows() -> None:
    app = Host(numbered(100_000))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert app.rows()[:2] == ["line 0", "line 1"]
        assert all(count < 400 for _, count in app.source.wants)
        await press(pilot, "G")
        assert app.rows()[-1] == "line 99999"
        assert sum(count for _, count in app.source.wants) < 2_000


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        ("down", 1),
        ("j", 1),
        ("down down up", 1),
        ("down down k", 1),
        ("pagedown", 10),
        ("space", 10),
        ("pagedown pageup", 0),
        ("space b", 0),
        ("G", 989),
        ("end", 989),
        ("G g", 0),
        ("end home", 0),
    ],
)
async def test_keys_move_the_view(keys: str, first: int) -> None:
    app = Host(numbered(1_000))
    async with app.run_test(size=(40, 12)) as pilot:
        await press(pilot, *keys.split())
        assert app.view.first_line == first
        assert app.rows() == numbered(1_000)[first : first + 11]


async def test_long_lines_shift_sideways_and_show_that_they_go_on() -> None:
    app = Host(["0123456789" * 6])
    async with app.run_test(size=(22, 6)) as pilot:
        await pilot.pause()
        assert app.rows()[0].endswith("›")
        await press(pilot, "right")
        assert app.rows()[0].startswith("89012")
        await press(pilot, "left")
        assert app.rows()[0].startswith("01234")


async def test_a_following_view_stays_at_the_end_until_the_person_scrolls_up() -> None:
    app = Host(numbered(100), following=True)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert app.rows()[-1] == "line 99"
        app.source.grow("new")
        await pilot.pause()
        assert app.rows()[-1] == "new"
        assert "follows" in app.status()
        await press(pilot, "up")
        app.source.grow("newer", "newest")
        await pilot.pause()
        assert app.rows()[-1] == "line 99"
        assert app.view.unseen == 2
        assert "2 new" in app.status()
        await press(pilot, "f")
        assert app.rows()[-1] == "newest"
        assert app.view.unseen == 0


async def test_coming_back_to_the_end_follows_again() -> None:
    app = Host(numbered(100), following=True)
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "up", "down")
        app.source.grow("new")
        await pilot.pause()
        assert app.rows()[-1] == "new"


async def test_an_unfinished_line_is_drawn_anew_when_it_grows() -> None:
    app = Host(["10%"], following=True)
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        app.source.lines[-1] = "100%"
        app.source.grow()
        await pilot.pause()
        assert app.rows()[0] == "100%"


async def test_the_end_shows_before_the_lines_are_counted() -> None:
    app = Host([], following=True)
    async with app.run_test(size=(60, 12)) as pilot:
        app.view.post_message(LogGrew(5, 10**8, False, 0, ["almost the end", "the end"]))
        await pilot.pause()
        assert app.rows()[:2] == ["almost the end", "the end"]
        assert "counting" in app.status()


async def test_a_replaced_file_shows_its_own_lines() -> None:
    app = Host(numbered(30))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        app.source.lines[:] = ["other"]
        app.source.grow(generation=1)
        await pilot.pause()
        assert app.rows()[:2] == ["other", ""]


async def test_a_view_that_goes_closes_its_source() -> None:
    app = Host([])
    async with app.run_test() as pilot:
        await app.pane.remove()
        await pilot.pause()
        assert app.source.closed


async def test_hostile_lines_are_drawn_as_they_are() -> None:
    app = Host(list(HOSTILE))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert app.rows()[:8] == [*MARKUP, "y", "z␇"]


async def test_resizing_keeps_a_following_view_at_the_end() -> None:
    app = Host(numbered(100), following=True)
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.resize_terminal(40, 20)
        await pilot.pause()
        assert app.rows()[-1] == "line 99"
        await pilot.resize_terminal(40, 8)
        await pilot.pause()
        assert app.rows()[-1] == "line 99"


# --- search ----------------------------------------------------------------------------------------------------------


async def test_a_search_goes_from_match_to_match_and_back() -> None:
    app = Host([f"line {number}" + (" x[/" if number % 40 == 5 else "") for number in range(200)])
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "slash", *"x[/", "enter")
        assert app.view.outcome == Found(5)
        assert "line 6" in app.status()
        await press(pilot, "n")
        assert app.view.outcome == Found(45)
        assert "line 45 x[/" in app.rows()
        await press(pilot, "n", "N")
        assert app.view.outcome == Found(45)


async def test_a_match_at_the_end_ends_following_also_while_the_field_gives_its_row_back() -> None:
    app = Host(numbered(100), following=True)
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "slash", *"line 99", "enter")
        await pilot.pause(0.1)
        assert app.view.outcome == Found(99)
        assert not app.view.following


async def test_a_text_that_is_nowhere_is_said_so() -> None:
    app = Host(numbered(5))
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "slash", *"straw", "enter")
        assert "not found" in app.status()
        assert app.focused is app.view


async def test_escape_closes_the_search_field() -> None:
    app = Host(numbered(5))
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "slash")
        assert isinstance(app.focused, SearchField)
        await press(pilot, "escape")
        assert app.focused is app.view
        assert not app.source.searches


async def test_a_bad_expression_keeps_the_field_open() -> None:
    app = Host(numbered(5))
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "slash", "ctrl+r", "(", "enter")
        assert isinstance(app.focused, SearchField)
        assert not app.source.searches
        await press(pilot, "backspace", *"line [34]", "enter")
        assert app.view.outcome == Found(3)


async def test_an_empty_search_ends_the_marks() -> None:
    app = Host(numbered(5))
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "slash", *"line", "enter", "slash", *["backspace"] * 4, "enter")
        assert app.view.search is None


async def test_a_search_that_runs_tells_how_far_it_is_and_can_be_cancelled() -> None:
    app = Host(numbered(5))
    app.source.answers = False
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "slash", *"line", "enter")
        app.view.post_message(SearchProgressed(0.43))
        await pilot.pause()
        assert "43%" in app.status()
        assert app.pane.cancel_search()
        await pilot.pause()
        assert app.source.cancelled == 1
        app.view.post_message(SearchEnded(Found(3)))
        await pilot.pause()
        assert app.view.outcome is None
        assert not app.pane.cancel_search()
