"""The tool-call log: a cursor, following, and only visible lines drawn."""

from datetime import UTC, datetime

import pytest
from textual.app import App, ComposeResult

from agents.state import ToolCallState
from agents.vocabulary import StepName, ToolOutcome
from screens.messages import InspectorWanted
from screens.vocabulary import Look
from screens.widgets import tool_log
from screens.widgets.tool_log import ToolLog, tool_line


def _calls(count: int) -> list[ToolCallState]:
    return [
        ToolCallState(
            call=number,
            tool="bash",
            title=f"ls [/{number}",
            iteration=0,
            step=StepName.DATA_SPLIT,
            log="",
            arguments="",
            started=datetime(2026, 1, 1, tzinfo=UTC),
            outcome=ToolOutcome.OK,
            seconds=0.1,
            bytes=10,
        )
        for number in range(1, count + 1)
    ]


class LogApp(App[None]):
    """The log alone."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[int] = []

    def compose(self) -> ComposeResult:
        yield ToolLog(id="tools")

    def on_inspector_wanted(self, message: InspectorWanted) -> None:
        self.wanted.append(message.call.call)

    @property
    def log_view(self) -> ToolLog:
        return self.query_one(ToolLog)


async def test_calls_that_come_into_an_empty_log_on_the_screen_end_with_the_newest_in_view() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        app.log_view.show(_calls(30))
        await pilot.pause()
        assert app.log_view.scroll_offset.y == app.log_view.max_scroll_y > 0
        assert app.log_view.vertical_scrollbar.position == app.log_view.max_scroll_y


async def test_the_newest_call_is_followed_until_a_person_moves_up() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        calls = _calls(30)
        app.log_view.show(calls)
        app.log_view.focus()
        await pilot.pause()
        assert app.log_view.selected is calls[29]
        calls += _calls(31)[30:]
        app.log_view.show(calls, 30)
        assert app.log_view.selected is calls[30]
        await pilot.press("up", "up")
        calls += _calls(32)[31:]
        app.log_view.show(calls, 31)
        await pilot.pause()
        assert app.log_view.selected is calls[28]
        assert not app.log_view.following
        await pilot.press("end")
        assert app.log_view.selected is calls[31]
        assert app.log_view.following


@pytest.mark.parametrize(
    ("keys", "call"),
    [
        (["home"], 1),
        (["home", "down", "j"], 3),
        (["home", "up"], 1),
        (["home", "pagedown"], 10),
        (["pageup"], 21),
        (["k"], 29),
        (["g"], 1),
        (["g", "G"], 30),
    ],
)
async def test_keys_move_the_cursor_and_enter_opens_its_call(keys: list[str], call: int) -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.log_view.show(_calls(30))
        app.log_view.focus()
        await pilot.press(*keys, "enter")
        await pilot.pause()
        assert app.wanted == [call]


async def test_a_double_click_opens_a_call() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.log_view.show(_calls(5))
        await pilot.pause()
        await pilot.click(ToolLog, offset=(5, 2), times=2)
        await pilot.pause()
        assert app.wanted == [3]


async def test_an_empty_log_takes_every_key() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        app.log_view.show([])
        app.log_view.focus()
        await pilot.press("up", "down", "pageup", "pagedown", "home", "end", "enter")
        assert app.wanted == []


async def test_of_ten_thousand_calls_only_visible_ones_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def counted(call: ToolCallState, width: int, still: Look | None) -> object:
        drawn.append(call.call)
        return tool_line(call, width, still)

    monkeypatch.setattr(tool_log, "tool_line", counted)
    app = LogApp()
    async with app.run_test(size=(80, 20)) as pilot:
        app.log_view.show(_calls(10_000))
        app.log_view.focus()
        await pilot.press("home")
        await pilot.pause()
        assert len(drawn) <= 3 * 20


@pytest.mark.parametrize("width", [30, 60, 99, 100, 180])
@pytest.mark.parametrize("title", ["short", "long " * 60, "日本語" * 30, "x[/", "a\nb\x1b[31m"])
def test_a_line_has_exactly_the_cells_there_are(width: int, title: str) -> None:
    call = _calls(1)[0]
    call.title = title
    assert tool_line(call, width).cell_length == max(width, tool_line(call, 43).cell_length if width < 43 else width)


async def test_calls_that_are_no_longer_listed_move_nothing_that_is_looked_at() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        calls = _calls(60)
        app.log_view.show(calls)
        app.log_view.focus()
        await pilot.press("home", *["down"] * 30)
        selected, seen_at = app.log_view.selected, 30 - int(app.log_view.scroll_offset.y)
        calls += _calls(61)[60:]
        del calls[:20]
        app.log_view.show(calls, 61, 20)
        await pilot.pause()
        assert app.log_view.selected is selected
        assert 10 - int(app.log_view.scroll_offset.y) == seen_at
        assert str(app.log_view.border_title) == "Tool calls (61)"
        assert "from call 21 on" in str(app.log_view.border_subtitle)
        del calls[:20]
        app.log_view.show(calls, 61, 40)
        assert app.log_view.selected is calls[0]
