"""Whose limit a call has: its own, or what is left of the run's time."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.budget import Budget
from agents.calls import Calls
from agents.environment import RunEnvironment
from agents.recorder import Recorder
from agents.run_folder import RunFolder, create_run
from agents.scripts import ScriptFailed, Scripts
from agents.settings import RunSettings
from agents.steering import Steering
from agents.time_limit import TimeLimit
from agents.vocabulary import TaskType

START = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path / "runs", RunSettings(dataset=tmp_path), "1.0")


@pytest.fixture
def recorder(run: RunFolder) -> Recorder:
    recorder = Recorder(run.journal, run.run_id)
    recorder.state.started = START
    recorder.state.settings = {"timeout": 1000.0}
    return recorder


def budget_after(seconds: float, run: RunFolder, recorder: Recorder) -> Budget:
    now = START + timedelta(seconds=seconds)
    return Budget(run.record().settings, recorder, Steering(run, recorder), now=lambda: now)


@pytest.mark.parametrize(
    ("after", "limit"),
    [
        (0, TimeLimit(300)),
        (650, TimeLimit(300)),
        (700, TimeLimit(250, own=300)),
        (949.5, TimeLimit(1, own=300)),
    ],
)
def test_in_an_iteration_a_call_has_its_own_limit_or_what_is_left_before_the_reserve(
    run: RunFolder, recorder: Recorder, after: float, limit: TimeLimit
) -> None:
    recorder.iteration = 0
    assert budget_after(after, run, recorder).cap(300) == limit


def test_at_the_end_of_a_run_the_reserve_may_be_used_and_a_minute_in_any_case(
    run: RunFolder, recorder: Recorder
) -> None:
    assert budget_after(900, run, recorder).cap(300) == TimeLimit(100, own=300)
    assert budget_after(5000, run, recorder).cap(300) == TimeLimit(60, own=300)


async def test_a_script_that_the_engine_ran_until_the_end_of_the_run_is_not_blamed_for_its_own_limit(
    run: RunFolder, recorder: Recorder, tmp_path: Path
) -> None:
    recorder.iteration = 0
    budget = budget_after(946, run, recorder)
    settings = run.record().settings
    calls = Calls(run, recorder, settings, Steering(run, recorder), budget)
    script = tmp_path / "train.py"
    script.write_text("import time; time.sleep(1000)")
    scripts = Scripts(
        calls, RunEnvironment(Path(sys.executable), {}, {}, "3.11"), tmp_path / "work", TaskType.BINARY, 2
    )
    with pytest.raises(ScriptFailed, match=r"^no end after 4 s, all that was left for it of the run's time \("):
        await scripts.train(script, train=tmp_path, validation=tmp_path, artifacts=tmp_path, title="train")
