"""A run's end as an exit status."""

from datetime import UTC, datetime

import pytest

from agents.outcome import exit_status
from agents.state import BestState, RunState
from agents.vocabulary import RunStatus

_BEST = BestState(0, "AUROC", 0.9, 1, "k-mers", "best", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("status", "best", "code"),
    [
        (RunStatus.FINISHED, _BEST, 0),
        (RunStatus.FINISHED, None, 1),
        (RunStatus.FAILED, None, 1),
        (RunStatus.REFUSED, None, 2),
        (RunStatus.STOPPED, _BEST, 3),
        (RunStatus.STOPPED, None, 3),
        (RunStatus.RUNNING, None, 0),
    ],
)
def test_the_exit_status_says_how_the_run_ended(status: RunStatus, best: BestState | None, code: int) -> None:
    assert exit_status(RunState(status=status, best=best)) == code
