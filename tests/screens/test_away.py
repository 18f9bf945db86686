"""What a person is told who comes back to a run."""

from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from agentomics_tui.last_seen import read_seen, write_seen
from agents import events as ev
from agents.fold import fold
from agents.vocabulary import STEPS, RunStatus
from screens.away import AWAY_SECONDS, AwayView, Seen, away_view, seen_of
from screens.away_card import AwayScreen
from tests.support import journals
from tests.support.journals import CANDIDATES, StagedRun
from tests.support.waiting import until_true
from tests.support.watching import app_on, dashboard_of, opened, settled, text_of, until, with_engine


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def left_after_the_first_iteration(model: str = "openai/gpt-5") -> tuple[StagedRun, Seen]:
    run = journals.stage(Path("runs"))
    run.begin(model=model)
    run.iterate(0, CANDIDATES[0], None)
    return run, seen_of(fold(run.written), run.clock.now)


def view(seen: Seen | None, run: StagedRun, *, engine_alive: bool = True) -> AwayView | None:
    return away_view(seen, fold(run.written), run.clock.now, engine_alive=engine_alive)


def lines(seen: Seen, run: StagedRun, *, engine_alive: bool = True) -> dict[str, str]:
    shown = view(seen, run, engine_alive=engine_alive)
    assert shown is not None
    return dict(shown.lines)


# --- what it says ----------------------------------------------------------------------------------------------------


def test_a_first_look_and_one_that_missed_nothing_are_told_nothing() -> None:
    run, seen = left_after_the_first_iteration()
    assert view(None, run) is None
    run.clock.pass_(100_000)
    assert view(seen, run) is None, "nothing was written meanwhile"


def test_a_moment_away_is_told_only_where_an_iteration_ended() -> None:
    run, seen = left_after_the_first_iteration()
    run.emit(ev.IterationStarted(iteration=1), AWAY_SECONDS / 2)
    assert view(seen, run) is None
    run.clock.pass_(AWAY_SECONDS)
    assert view(seen, run) is not None
    run, seen = _other_run()
    assert run.clock.now - seen.time < timedelta(seconds=AWAY_SECONDS)
    assert lines(seen, run)["done"] == "iteration 1 of 5"


def _other_run() -> tuple[StagedRun, Seen]:
    run = journals.stage(Path("runs"), "other")
    run.begin()
    best = run.iterate(0, CANDIDATES[0], None)
    seen = seen_of(fold(run.written), run.clock.now)
    run.iterate(1, CANDIDATES[1], best)
    return run, seen


def test_iterations_best_hours_and_money_are_those_since_the_last_look() -> None:
    run, seen = left_after_the_first_iteration()
    run.iterate(1, CANDIDATES[1], 0.893)
    run.fail_iteration(2, CANDIDATES[2])
    told = lines(seen, run)
    assert told["done"] == "iterations 1 to 2 of 5, 1 failed"
    assert told["best"] == "AUROC 0.8930 → 0.9310 (iteration 1)"
    assert told["took"] == "1m22s of work for $0.25"
    assert told["failed"] == "iteration 2: no train.py that runs"
    assert "waits" not in told


def test_held_time_is_no_work() -> None:
    run, seen = left_after_the_first_iteration("builtin/omics")
    run.emit(ev.Held(reason="paused by ana@lab"))
    run.clock.pass_(7_200)
    told = lines(seen, run)
    assert told["took"] == "0.0s of work"
    assert told["waits"] == "it stands still: paused by ana@lab; p goes on"
    assert told["best"] == "AUROC 0.8930, as before"
    assert told["done"] == "no iteration ended; the current one goes on"


def test_what_waits_for_the_person_is_named() -> None:
    run, seen = left_after_the_first_iteration()
    run.emit(ev.NoteReceived(note_id="n", text="keep [it] small", by="ana"), 600)
    assert lines(seen, run)["note"] == "not delivered yet: keep [it] small"
    assert lines(seen, run, engine_alive=False)["waits"] == "its engine is gone; p resumes the run"
    limit = journals.limit_run(Path("runs"), "limit")
    nothing = Seen(0, journals.START, 0, None, None, 0.0, 0.0)
    assert lines(nothing, limit)["waits"].startswith("for you at its limit: the next model call may cost $0.12")
    approval = journals.approval_run(Path("runs"), "approval")
    assert lines(nothing, approval)["waits"] == "for your approval of the plan: 3-mers instead of 2-mers"


def test_a_run_that_ended_says_how() -> None:
    run, seen = left_after_the_first_iteration()
    run.finish(RunStatus.FAILED, "no key for openai")
    run.clock.pass_(3_600)
    assert lines(seen, run)["ended"] == "✗ the run failed: no key for openai"


def test_scores_of_different_splits_are_not_compared() -> None:
    run, seen = left_after_the_first_iteration()
    run.emit(ev.BestChanged(iteration=1, metric="AUROC", value=0.7, split_version=2), 600)
    assert lines(seen, run)["best"] == "AUROC 0.7000 on a new split (iteration 1); before 0.8930 on the old one"


def test_many_failures_are_counted() -> None:
    run, seen = left_after_the_first_iteration()
    for index in range(1, 8):
        run.fail_iteration(index, CANDIDATES[2])
    shown = view(seen, run)
    assert shown is not None
    assert [label for label, _ in shown.lines].count("failed") == 2
    assert ("", "and 5 before") in shown.lines


# --- where the marker lies -------------------------------------------------------------------------------------------


def test_a_marker_is_kept_for_each_run_outside_of_its_folder(tmp_path: Path) -> None:
    run, seen = left_after_the_first_iteration()
    before = {*run.folder.root.rglob("*")}
    assert read_seen(run.folder) is None
    write_seen(run.folder, seen)
    assert read_seen(run.folder) == seen
    assert {*run.folder.root.rglob("*")} == before
    assert read_seen(_other_run()[0].folder) is None
    (marker,) = (tmp_path / "state").rglob("*.json")
    marker.write_text("{")
    assert read_seen(run.folder) is None


# --- on the screen ---------------------------------------------------------------------------------------------------


def _a_night_later() -> StagedRun:
    run, seen = left_after_the_first_iteration()
    write_seen(run.folder, seen)
    run.iterate(1, CANDIDATES[1], 0.893)
    run.fail_iteration(2, CANDIDATES[2])
    run.clock.pass_(9 * 3_600)
    run.plan(3, CANDIDATES[3])
    run.start_step(3, STEPS[1])
    run.emit(ev.NoteReceived(note_id="n", text="keep the model small enough for a laptop", by="ana"))
    return with_engine(run)


async def _told(pilot: Pilot[str]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, AwayScreen), "the card")


@pytest.mark.parametrize("key", ["x", "q", "enter", "p", "escape"])
async def test_any_key_closes_the_card_and_does_nothing_else(key: str) -> None:
    run = _a_night_later()
    async with opened(run) as pilot:
        await _told(pilot)
        await until(pilot, lambda: "Since you were away" in text_of(pilot), "its words")
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.screen is dashboard_of(pilot), "the dashboard")
        assert not list(run.folder.control.glob("*.json"))
        assert pilot.app.is_running


async def test_who_leaves_and_comes_back_at_once_is_told_nothing_more() -> None:
    run = _a_night_later()
    async with opened(run) as pilot:
        await _told(pilot)
        await pilot.press("x")
        await settled(pilot)
    await until_true(lambda: (seen := read_seen(run.folder)) is not None and seen.iterations == 3, "a marker")
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.pause(0.6)
        assert pilot.app.screen is dashboard_of(pilot)


async def test_the_first_look_shows_the_run_alone() -> None:
    run = with_engine(journals.running_run(Path("runs")))
    async with opened(run) as pilot:
        await settled(pilot)
        await pilot.pause(0.6)
        assert pilot.app.screen is dashboard_of(pilot)
        dashboard_of(pilot)._mark_seen()
        await until(pilot, lambda: read_seen(run.folder) is not None, "a marker")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_how_it_looks(snap_compare, size: tuple[int, int]) -> None:
    async def told(pilot: Pilot[str]) -> None:
        await _told(pilot)
        await pilot.pause()

    assert snap_compare(app_on(_a_night_later()), terminal_size=size, run_before=told)
