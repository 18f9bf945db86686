"""The dashboard of a replay: its strip, its clock, its keys. Time passes only when the test says so."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.pilot import Pilot

from agentomics_tui.app import AgentomicsApp
from screens.key_card import KeyCard
from screens.messages import ReplayPhase
from screens.replay import ReplayScreen
from screens.widgets.header import Clock
from screens.widgets.replay_strip import ReplayStrip, StripView
from tests.support import journals
from tests.support.journals import StagedRun
from tests.support.watching import settled, text_of, until, with_engine


class Seconds:
    """A clock for the replay that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def replay_of(run: StagedRun, seconds: Seconds | None = None) -> AgentomicsApp:
    return AgentomicsApp(run.folder, Path("runs"), now=lambda: run.clock.now, replay=True, ticking=seconds or Seconds())


async def begun(pilot: Pilot[str]) -> ReplayScreen:
    screen = await settled(pilot)
    assert isinstance(screen, ReplayScreen)
    await until(pilot, lambda: "REPLAY" in text_of(pilot))
    return screen


async def pressed(pilot: Pilot[str], key: str, words: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: words in text_of(pilot), words)


async def at_the_second_iteration(pilot: Pilot[str]) -> None:
    await begun(pilot)
    await pressed(pilot, "space", "paused")
    await pressed(pilot, "right_square_bracket", "1 of 5")
    await pressed(pilot, "right_square_bracket", "2 of 5")
    await pressed(pilot, "plus", "×2")
    await pilot.pause(0.3)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_replay_at_its_second_iteration(snap_compare, size: tuple[int, int]) -> None:
    app = replay_of(journals.finished_run(Path("runs")))
    assert snap_compare(app, terminal_size=size, run_before=at_the_second_iteration)


async def test_it_plays_by_its_own_clock_and_every_age_is_that_of_then() -> None:
    seconds = Seconds()
    async with replay_of(journals.finished_run(Path("runs")), seconds).run_test(size=(120, 40)) as pilot:
        screen = await begun(pilot)
        assert not screen.state.iterations
        seconds.now = 6.0
        await until(pilot, lambda: bool(screen.state.iterations))
        await until(pilot, lambda: "09:30:06" in text_of(pilot))
        screen.draw()
        assert str(screen.query_one(Clock).render()) == "0:00:06"


async def test_the_keys_play_and_jump() -> None:
    async with replay_of(journals.finished_run(Path("runs"))).run_test(size=(120, 40)) as pilot:
        screen = await begun(pilot)
        await pressed(pilot, "plus", "×2")
        await pressed(pilot, "minus", "×1 ")
        await pressed(pilot, "end", "■ end")
        assert screen.state.status.is_over
        assert screen.tools.virtual_size.height == len(screen.state.tool_calls) > 10
        await pressed(pilot, "left_square_bracket", "5 of 5")
        assert not screen.state.status.is_over
        await pressed(pilot, "home", "not begun")
        await until(pilot, lambda: screen.tools.virtual_size.height == 0)
        assert "No tool has been called yet." in text_of(pilot)


@pytest.mark.parametrize("key", ["p", "s", "n", "x", "a", "h"])
async def test_keys_that_steer_are_off_and_say_why(key: str) -> None:
    run = with_engine(journals.running_run(Path("runs")))
    async with replay_of(run).run_test(size=(120, 40), notifications=True) as pilot:
        await begun(pilot)
        await pressed(pilot, "end", "● live")
        await pressed(pilot, key, "keys that steer the run are off")
        assert list(run.folder.control.glob("*.json")) == []


async def test_a_run_that_stood_at_a_limit_does_not_ask_again_and_no_banner_names_a_key() -> None:
    run = with_engine(journals.limit_run(Path("runs")))
    async with replay_of(run).run_test(size=(120, 40)) as pilot:
        screen = await begun(pilot)
        await pressed(pilot, "end", "stands at its limit")
        await pilot.pause(0.5)
        assert pilot.app.screen is screen
        assert "Press p" not in text_of(pilot)


async def test_the_card_shows_the_keys_of_a_replay_and_the_palette_plays() -> None:
    async with replay_of(journals.finished_run(Path("runs"))).run_test(size=(120, 50)) as pilot:
        screen = await begun(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, KeyCard) and "Play or pause" in text_of(pilot))
        card = text_of(pilot)
        assert "Steer" not in card
        assert "All runs" in card
        await pilot.press("escape")
        faster = next(command for command in screen.palette() if command.title == "Faster")
        await faster.callback()
        await until(pilot, lambda: "×2" in text_of(pilot))


async def test_leaving_says_how_to_play_it_again() -> None:
    app = replay_of(journals.running_run(Path("runs")))
    async with app.run_test() as pilot:
        await begun(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value is not None
    assert app.return_value.endswith(f"watch {journals.RUN_ID} --replay")
    assert app.return_code == 0


@pytest.mark.parametrize("width", [10, 40, 60, 80, 200])
def test_the_strip_fits_any_width(width: int) -> None:
    view = StripView(ReplayPhase.PLAYING, 1000, 0.5, datetime(2026, 3, 2, tzinfo=UTC), 1000, 1000)
    [line] = ReplayStrip().draw(view, width, 1)
    if width >= 60:
        assert line.cell_length <= width
        assert line.plain.startswith("REPLAY ▶ playing ×1000")
        assert "50%" in line.plain
