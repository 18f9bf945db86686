"""The forecast as a person reads it."""

from pathlib import Path

from agents import events as ev
from agents.fold import fold
from screens.forecast_words import forecast_words
from tests.support import journals


def words(run: journals.StagedRun, *, stands: bool = False) -> tuple[str, ...]:
    return forecast_words(fold(run.written), run.clock.now, stands=stands)


def test_a_free_run_tells_when_it_is_done(tmp_path: Path) -> None:
    assert words(journals.running_run(tmp_path)) == ("done about 09:33–09:35",)


def test_another_day_is_named(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    run.clock.now = run.clock.now.replace(hour=23, minute=59)
    assert "Tue 00:0" in words(run)[0]


def test_a_run_that_costs_tells_what_it_will_have_cost(tmp_path: Path) -> None:
    longest, *_, shortest = words(journals.asking_run(tmp_path))
    assert longest.startswith(f"{shortest} for $0.")
    assert shortest.startswith("done about ")


def test_a_limit_comes_with_what_is_allowed(tmp_path: Path) -> None:
    assert words(journals.asking_run(tmp_path, settings={"budget_usd": 0.5}))[0].endswith(" · reaches its $0.50")


def test_a_forecast_by_failed_iterations_says_so(tmp_path: Path) -> None:
    run = journals.stage(tmp_path)
    run.begin()
    run.fail_iteration(0, journals.CANDIDATES[0])
    longest, *_, shortest = words(run)
    assert longest == f"{shortest} · by failed iterations only"


def test_what_stands_tells_the_work_that_is_left(tmp_path: Path) -> None:
    told = words(journals.held_run(tmp_path), stands=True)
    assert told[0].endswith(" of work left")


def test_before_the_first_iteration_is_done_it_says_so(tmp_path: Path) -> None:
    assert words(journals.first_training_run(tmp_path))[-1] == "no forecast yet"
    assert words(journals.finished_run(tmp_path, "over")) == ()
    run = journals.stage(tmp_path, "new")
    run.begin()
    assert words(run) == ()


def test_the_final_evaluation_is_no_forecast(tmp_path: Path) -> None:
    run = journals.stage(tmp_path, iterations=1)
    run.begin(iterations=1)
    run.iterate(0, journals.CANDIDATES[0], None)
    run.emit(ev.ToolCallStarted(call=run.tools + 1, tool="engine", title="x", log="l", arguments="a"))
    assert words(run) == ("all iterations are done",)
