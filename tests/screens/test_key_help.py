"""``?`` shows a screen's own keys on a card and nothing else, and Ctrl-C says which key leaves."""

from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from textual.pilot import Pilot

from agentomics_tui.app import AgentomicsApp
from screens.key_card import Card, KeyCard, KeyLine, card_content, card_of
from screens.run_library import RunLibraryScreen
from screens.tool_inspector import ToolInspectorScreen
from tests.support import journals
from tests.support.watching import app_on, opened, settled, text_of, until, with_engine

RUNS = Path("runs")
SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def _dashboard(pilot: Pilot[str]) -> None:
    await settled(pilot)


async def _inspector(pilot: Pilot[str]) -> None:
    await settled(pilot)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ToolInspectorScreen), "the inspector")
    await until(pilot, lambda: pilot.app.screen.focused is not None)


async def _library(pilot: Pilot[str]) -> None:
    await settled(pilot)
    await pilot.press("l")
    await until(pilot, lambda: isinstance(pilot.app.screen, RunLibraryScreen), "the library")
    await until(pilot, lambda: "peptides-demo" in text_of(pilot), "its runs")


Way = Callable[[Pilot[str]], Coroutine[None, None, None]]
SCREENS = pytest.mark.parametrize("go", [_dashboard, _inspector, _library], ids=["dashboard", "inspector", "library"])


@SCREENS
@pytest.mark.parametrize("key", ["escape", "question_mark"])
async def test_question_mark_shows_the_keys_and_it_or_escape_closes_them(go: Way, key: str) -> None:
    async with opened(with_engine(journals.running_run(RUNS))) as pilot:
        await go(pilot)
        screen = pilot.app.screen
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, KeyCard)
        assert "esc or ? closes this" in text_of(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.screen is screen


@SCREENS
async def test_all_keys_of_a_screen_are_shown_on_the_smallest_terminal_between_its_head_and_its_footer(go: Way) -> None:
    async with opened(with_engine(journals.running_run(RUNS)), size=(80, 24)) as pilot:
        await go(pilot)
        card = card_of(pilot.app.screen)
        before = text_of(pilot).splitlines()
        await pilot.press("question_mark")
        await pilot.pause()
        await pilot.pause()
        shown = text_of(pilot).splitlines()
        for line in card.keys:
            assert any(line.name in row and line.purpose in row for row in shown), line
        for name, words in card.widgets:
            assert any(name in row and words in row for row in shown), words
        assert "Focus Next" not in "\n".join(shown)
        assert "Copy selected" not in "\n".join(shown)
        assert (shown[0][:20], shown[-1]) == (before[0][:20], before[-1])


async def test_keys_stand_in_groups_and_those_that_do_not_apply_are_left_out() -> None:
    async with opened(with_engine(journals.running_run(RUNS)), size=(80, 24)) as pilot:
        dashboard = await settled(pilot)
        groups = [line.group for line in card_of(dashboard).keys]
        assert groups == sorted(groups, key=["Steer", "Look", "App"].index)
        assert [line.keys for line in card_of(dashboard).keys if line.name == "Say"] == ["h :"]
    async with opened(journals.finished_run(RUNS, "over"), size=(120, 40)) as pilot:
        over = await settled(pilot)
        assert {line.group for line in card_of(over).keys} == {"Look", "App"}
        assert "Chart" not in [line.name for line in card_of(over).keys]


async def test_a_key_that_cannot_be_pressed_now_is_there_and_muted() -> None:
    async with opened(journals.running_run(RUNS)) as pilot:
        lines = {line.name: line.works for line in card_of(await settled(pilot)).keys}
        assert (lines["Resume"], lines["Stop"]) == (True, False)


def test_a_long_purpose_goes_on_in_the_next_line() -> None:
    card = Card((KeyLine("Look", "c", "Chart", "several words that are too long for it"),), (("Log", "[/x] scrolls"),))
    assert card_content(card, 40).plain.split("\n") == [
        "Look   c  Chart  several words that are",
        " " * 17 + "too long for it",
        "",
        "Log    [/x] scrolls",
    ]


@pytest.mark.parametrize(
    ("go", "words"),
    [
        (_dashboard, "q leaves; the run goes on"),
        (_inspector, "esc goes back to the run"),
        (_library, "q leaves; runs go on"),
    ],
)
async def test_ctrl_c_leaves_nothing_and_says_what_does(go: Way, words: str) -> None:
    async with opened(with_engine(journals.running_run(RUNS))) as pilot:
        await go(pilot)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: words in text_of(pilot), words)
        assert pilot.app.return_value is None


async def test_ctrl_c_on_a_run_that_is_over_does_not_say_that_it_goes_on() -> None:
    async with opened(journals.finished_run(RUNS)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "q leaves" in text_of(pilot))
        assert "goes on" not in text_of(pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_how_it_looks(snap_compare, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    async def asked(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        await pilot.pause()

    app: AgentomicsApp = app_on(with_engine(journals.running_run(RUNS)))
    assert snap_compare(app, terminal_size=size, run_before=asked)
