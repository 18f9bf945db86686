"""Pictures of the dashboard at three sizes, running and finished, and of what it asks."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from screens.limit_question import LimitScreen
from screens.questions import EndIterationScreen
from tests.support import journals
from tests.support.watching import app_on, settled, until, with_engine, with_pulse

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def _ready(pilot: Pilot[str]) -> None:
    await settled(pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_running_run(snap_compare, size: tuple[int, int]) -> None:
    app = app_on(with_engine(journals.running_run(Path("runs"))))
    assert snap_compare(app, terminal_size=size, run_before=_ready)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_finished_run(snap_compare, size: tuple[int, int]) -> None:
    app = app_on(journals.finished_run(Path("runs")))
    assert snap_compare(app, terminal_size=size, run_before=_ready)


def test_the_first_training_with_its_curve(snap_compare) -> None:
    app = app_on(with_engine(journals.first_training_run(Path("runs"))))
    assert snap_compare(app, terminal_size=(120, 40), run_before=_ready)


def test_a_run_that_stands_still(snap_compare) -> None:
    app = app_on(with_engine(journals.held_run(Path("runs"))))
    assert snap_compare(app, terminal_size=(80, 24), run_before=_ready)


def test_the_question_how_to_stop(snap_compare) -> None:
    async def asked(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("x")
        await pilot.pause()

    app = app_on(with_engine(journals.running_run(Path("runs"))))
    assert snap_compare(app, terminal_size=(80, 24), run_before=asked)


@pytest.mark.parametrize("key", ["n", "s"], ids=["next_iteration", "skip_step"])
def test_the_question_before_an_iteration_ends(snap_compare, key: str) -> None:
    async def asked(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, EndIterationScreen), "the question")
        await pilot.pause()

    staged = journals.running_run if key == "n" else journals.asking_run
    app = app_on(with_engine(staged(Path("runs"))))
    assert snap_compare(app, terminal_size=(80, 24), run_before=asked)


def test_the_chart_in_the_place_of_the_tool_calls(snap_compare) -> None:
    async def charted(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("c")
        await settled(pilot)

    app = app_on(with_engine(journals.running_run(Path("runs"))))
    assert snap_compare(app, terminal_size=(80, 24), run_before=charted)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_reply_that_streams(snap_compare, size: tuple[int, int]) -> None:
    app = app_on(with_engine(journals.streaming_run(Path("runs"))))
    assert snap_compare(app, terminal_size=size, run_before=_ready)


def test_a_call_that_waits_for_its_retry(snap_compare) -> None:
    app = app_on(with_engine(journals.retrying_run(Path("runs"))))
    assert snap_compare(app, terminal_size=(120, 40), run_before=_ready)


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_question_at_a_limit(snap_compare, size: tuple[int, int]) -> None:
    async def asked(pilot: Pilot[str]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, LimitScreen), "the question")
        await settled(pilot)

    app = app_on(with_engine(journals.limit_run(Path("runs"))))
    assert snap_compare(app, terminal_size=size, run_before=asked)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_tool_that_probably_hangs(snap_compare, size: tuple[int, int]) -> None:
    run = journals.running_run(Path("runs"))
    app = app_on(with_pulse(run, "tool", 512, 312, idle=298, cpu_percent=0.3, processes=4, memory=812_000_000))
    assert snap_compare(app, terminal_size=size, run_before=_ready)
