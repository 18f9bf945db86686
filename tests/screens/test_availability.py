"""Which steering keys can be pressed: what does not apply now is hidden or grey, and some way on is always left."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.state import IterationState, ModelCallState, RunState
from agents.vocabulary import BUILTIN_MODEL, IterationStatus, RunStatus, StepName, StepStatus
from screens.availability import STEERING, available, ends_iteration

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def state(status: RunStatus = RunStatus.RUNNING, model: str = "openai/m", *, asking: bool = False) -> RunState:
    found = RunState(status=status, model=model, iterations=[IterationState(0, NOW)])
    found.model_calls = [ModelCallState(1, model, 0, None, NOW, seconds=None if asking else 1.0)]
    return found


@given(
    st.sampled_from(RunStatus),
    st.sampled_from([None, True, False]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["openai/m", BUILTIN_MODEL]),
)
def test_nothing_steers_a_run_that_is_over_and_one_of_pause_and_resume_is_there_for_any_other(
    status: RunStatus, alive: bool | None, readable: bool, asking: bool, model: str
) -> None:
    run = state(status, model, asking=asking)
    found = {action: available(action, run, alive, readable=readable) for action in STEERING}
    if status.is_over:
        assert not any(value is not False for value in found.values())
        return
    assert [found["pause"], found["resume"]].count(False) == 1
    pressed = {action for action, value in found.items() if value}
    if alive is not True:
        assert pressed == ({"resume"} if alive is False else set())
    elif readable:
        assert "stop" in pressed
        assert "say" in pressed


@pytest.mark.parametrize(
    ("model", "asking", "expected"), [("openai/m", True, True), ("openai/m", False, None), (BUILTIN_MODEL, True, False)]
)
def test_asking_again_needs_a_call_of_a_model_that_takes_its_time(
    model: str, asking: bool, expected: bool | None
) -> None:
    assert available("ask_again", state(model=model, asking=asking), True) is expected


def test_between_two_iterations_there_is_nothing_to_skip() -> None:
    run = state()
    assert available("skip_step", run, True) is True
    run.iterations[0].status = IterationStatus.DONE
    assert available("skip_step", run, True) is None
    assert available("skip_iteration", run, True) is None


@pytest.mark.parametrize(
    ("step", "has_split", "ends"),
    [
        (StepName.ITERATION_PLAN, True, True),
        (StepName.MODEL_TRAINING, True, True),
        (StepName.MODEL_INFERENCE, True, True),
        (StepName.DATA_SPLIT, False, True),
        (StepName.DATA_SPLIT, True, False),
        (StepName.PREDICTION_EXPLORATION, True, False),
    ],
)
def test_a_skip_ends_the_iteration_where_nothing_can_run_without_the_step(
    step: StepName, has_split: bool, ends: bool
) -> None:
    run = state()
    run.splits = {1: {"train": 90}} if has_split else {}
    run.iterations[0].steps[step].status = StepStatus.RUNNING
    assert bool(ends_iteration(run)) is ends
