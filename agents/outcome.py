"""How a run's end is told to a shell."""

from typing import Final

from agents.state import RunState
from agents.vocabulary import IterationStatus, RunStatus, is_test

FINISHED: Final = 0
WITHOUT_SNAPSHOT: Final = 1
BAD_INPUT: Final = 2
STOPPED: Final = 3


def exit_status(state: RunState) -> int:
    """Exit status of a run: 0 finished with a snapshot, or not over yet; 1 finished without one, or failed; 2 the
    dataset was refused; 3 stopped by a person or a budget.

    A run that failed has not done what it was asked to do, so it is 1 also where a snapshot was made before: a script
    that goes on after 0 must not take it for the result of the whole run.
    """
    match state.status:
        case RunStatus.REFUSED:
            return BAD_INPUT
        case RunStatus.STOPPED:
            return STOPPED
        case RunStatus.FAILED:
            return WITHOUT_SNAPSHOT
        case RunStatus.FINISHED:
            return FINISHED if state.best else WITHOUT_SNAPSHOT
        case _:
            return FINISHED


def is_tested(state: RunState) -> bool:
    """Whether every test split has a score of the present snapshot."""
    return set(state.test_scores) == {name for name in state.rows if is_test(name)}


def undefined_on_tests(state: RunState) -> dict[str, str]:
    """Test split to why the run's metric has no value on it; those where it has one are not named."""
    return {
        name: state.test_undefined.get(name) or "the journal does not say why"
        for name, values in state.test_scores.items()
        if values.get(state.metric) is None
    }


def nothing_left_to_do(state: RunState) -> str | None:
    """Why an engine has nothing to do for this run; None where it can be taken up.

    A run that was stopped or that failed may still have iterations to do, or the final evaluation.
    """
    match state.status:
        case RunStatus.REFUSED:
            return f"it was refused and did not start: {state.reason}"
        case RunStatus.FINISHED:
            return "it is finished"
        case RunStatus.FAILED if state.is_cut_off:
            return None
        case RunStatus.STOPPED | RunStatus.FAILED if (
            0 < len(state.iterations) >= state.planned_iterations
            and state.iterations[-1].status is not IterationStatus.RUNNING
            and not state.iterations[-1].is_cut_off
            and (state.best is None or is_tested(state))
        ):
            count = state.planned_iterations
            return "its only iteration is over" if count == 1 else f"all of its {count:,} iterations are over"
        case _:
            return None
