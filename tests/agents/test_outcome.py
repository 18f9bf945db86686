"""A run's end as an exit status."""

from datetime import UTC, datetime

import pytest

from agents.outcome import exit_status, nothing_left_to_do, undefined_on_tests
from agents.state import BestState, IterationState, RunState
from agents.vocabulary import IterationStatus, RunStatus

_BEST = BestState(0, "AUROC", 0.9, 1, "k-mers", "best", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "best", "code"),
    [
        (RunStatus.FINISHED, _BEST, 0),
        (RunStatus.FINISHED, None, 1),
        (RunStatus.FAILED, None, 1),
        (RunStatus.FAILED, _BEST, 1),
        (RunStatus.REFUSED, None, 2),
        (RunStatus.STOPPED, _BEST, 3),
        (RunStatus.STOPPED, None, 3),
        (RunStatus.RUNNING, None, 0),
    ],
)
def test_the_exit_status_says_how_the_run_ended(status: RunStatus, best: BestState | None, code: int) -> None:
    assert exit_status(RunState(status=status, best=best)) == code


@pytest.mark.parametrize("status", [RunStatus.STOPPED, RunStatus.FAILED])
@pytest.mark.parametrize(
    ("best", "scores", "left"),
    [(_BEST, {}, True), (_BEST, {"test": {"AUROC": 0.8}}, False), (None, {}, False)],
)
def test_a_run_whose_iterations_are_over_can_be_taken_up_for_its_test_score_only(
    status: RunStatus, best: BestState | None, scores: dict[str, dict[str, float | None]], left: bool
) -> None:
    iteration = IterationState(0, datetime(2026, 1, 1, tzinfo=UTC), status=IterationStatus.DONE)
    state = RunState(
        status=status,
        planned_iterations=1,
        iterations=[iteration],
        rows={"train": 9, "test": 3},
        best=best,
        test_scores=scores,
    )
    assert (nothing_left_to_do(state) is None) == left


def test_only_a_test_split_without_a_value_is_named_with_the_reason() -> None:
    scores: dict[str, dict[str, float | None]] = {"test": {"AUROC": 0.8}, "test_b": {"AUROC": None}, "test_c": {}}
    state = RunState(metric="AUROC", test_scores=scores, test_undefined={"test": "", "test_b": "only one class (a)"})
    assert undefined_on_tests(state) == {
        "test_b": "only one class (a)",
        "test_c": "the journal does not say why",
    }
