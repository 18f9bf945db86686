"""Where a fork leaves its parent, told from events alone."""

from pathlib import Path

import pytest

from agents.errors import UserError
from agents.fork_point import ForkPoint, find_fork_point
from agents.journal import JournalReader
from agents.vocabulary import StepName, StepStatus
from tests.support.journals import CANDIDATES, StagedRun, running_run, stage

TRAINING = StepName.MODEL_TRAINING


def point_of(run: StagedRun, iteration: int | None = None, step: StepName | None = None) -> ForkPoint:
    return find_fork_point(list(JournalReader(run.folder.journal).read_all()), iteration, step)


def test_a_step_that_runs_is_not_shared(tmp_path: Path) -> None:
    point = point_of(running_run(tmp_path))
    assert (point.iteration, point.step) == (3, TRAINING)
    assert point.state.iterations[3].steps[TRAINING].status is StepStatus.PENDING


def test_the_beginning_of_an_iteration_is_before_its_first_event(tmp_path: Path) -> None:
    point = point_of(running_run(tmp_path), 1)
    assert (point.iteration, point.step, len(point.state.iterations)) == (1, None, 1)


def test_a_step_alone_means_the_newest_iteration_that_came_to_it(tmp_path: Path) -> None:
    run = running_run(tmp_path)
    assert point_of(run, step=StepName.VALIDATION_EVALUATION).iteration == 1, "iteration 2 failed before it"
    assert point_of(run, step=TRAINING).iteration == 3


def test_an_iteration_that_would_come_next_can_be_named(tmp_path: Path) -> None:
    run = stage(tmp_path)
    run.begin()
    run.iterate(0, CANDIDATES[0], None)
    for step in (None, StepName.ITERATION_PLAN):
        point = point_of(run, 1, step)
        assert (point.iteration, point.step, len(point.state.iterations)) == (1, None, 1)


def test_of_a_step_that_was_begun_twice_the_first_attempt_counts(tmp_path: Path) -> None:
    run = running_run(tmp_path)
    first = point_of(run, 3, TRAINING).seq
    run.emit(running_run(tmp_path / "other").written[-1])
    run.start_step(3, TRAINING)
    assert point_of(run, 3, TRAINING).seq == first


def test_a_place_that_was_not_reached_is_named(tmp_path: Path) -> None:
    run = running_run(tmp_path)
    with pytest.raises(UserError, match="--step model_inference: iteration 3 did not come to it"):
        point_of(run, 3, StepName.MODEL_INFERENCE)
    with pytest.raises(UserError, match="--iteration 4: the run has iterations 0 to 3"):
        point_of(run, 4)


def test_a_run_without_a_finished_step_has_nothing_to_share(tmp_path: Path) -> None:
    run = stage(tmp_path)
    run.begin()
    with pytest.raises(UserError, match="no step of it is finished"):
        point_of(run)
