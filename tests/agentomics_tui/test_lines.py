"""An event as a line."""

from datetime import UTC, datetime

import pytest

from agentomics_tui.lines import line_of
from agents import events as ev
from agents.state import RunState
from agents.vocabulary import RunStatus

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVIL = "one\nFORGED\r\x1b[2J\u2028FORGED\x85FORGED"


@pytest.mark.parametrize(
    "event",
    [
        ev.RunStarted(dataset=EVIL, model=EVIL, iterations=1),
        ev.RunFinished(status=RunStatus.FAILED, reason=EVIL),
        ev.Held(reason=EVIL),
        ev.CommandReceived(command_id="c", command="pause", by=EVIL, outcome="refused", detail=EVIL),
        ev.TrainingWarned(call=1, rule="overfitting", message=EVIL),
        ev.IterationPlanned(iteration=1, mode="explore", combination=EVIL, change=EVIL, reason=EVIL, expectation=EVIL),
    ],
    ids=lambda event: event.type,
)
def test_no_event_makes_a_second_line(event: ev.Event) -> None:
    line = line_of(event.model_copy(update={"time": NINE}), RunState())
    assert line is not None
    assert len(line.splitlines()) == 1
    assert line.startswith("09:00:00  ")
    assert line.isprintable()


def test_a_line_keeps_its_indentation() -> None:
    event = ev.ToolCallStarted(call=3, tool="bash", title="ls  -l", log="l", arguments="a", time=NINE)
    assert line_of(event, RunState()) == "09:00:00        3 bash: ls  -l"


def test_what_only_screens_show_has_no_line() -> None:
    assert line_of(ev.ModelCallStarted(call=1, model="m", time=NINE), RunState()) is None
