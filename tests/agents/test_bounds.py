"""A state stays small however long its run, and numbers stay right."""

import math
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import bounds
from agents import events as ev
from agents.bounds import BLOCK, CALLS_KEPT, POINTS_KEPT, TRAININGS_KEPT
from agents.fold import apply, fold
from agents.state import RunState, ToolCallState
from agents.vocabulary import ToolOutcome

START = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _trained(heights: list[float], call: int = 1, state: RunState | None = None) -> RunState:
    state = RunState() if state is None else state
    begun = ev.ToolCallStarted(call=call, tool="run_python", title="t", log="l", arguments="a")
    told = (ev.TrainingProgress(call=call, epoch=x, values={"loss": y}) for x, y in enumerate(heights))
    for seq, event in enumerate((begun, *told), start=state.last_seq + 1):
        apply(state, event.model_copy(update={"seq": seq, "time": START}))
    return state


def _curve(call: ToolCallState) -> list[tuple[float, float | None]]:
    return [(point.epoch, point.values["loss"]) for point in call.training]


def test_of_a_hundred_thousand_calls_the_newest_are_kept_under_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "CALLS_KEPT", 50)
    monkeypatch.setattr(bounds, "BLOCK", 10)
    state = RunState()
    for call in range(1, 1_001):
        seq = 3 * call
        begun = ev.ToolCallStarted(call=call, tool="bash", title=f"call {call}", log="l", arguments="a", seq=seq)
        asked = ev.ModelCallStarted(call=call, model="m", seq=seq + 1)
        ended = ev.ToolCallFinished(call=call, tool="bash", outcome=ToolOutcome.OK, seconds=1.0, seq=seq + 2)
        fold((begun, asked, ended), state)
    assert 50 <= len(state.tool_calls) <= 60
    assert 50 <= len(state.model_calls) <= 60
    assert (state.tool_calls_made, state.model_calls_made) == (1_000, 1_000)
    newest, asked_last = state.tool_call(1_000), state.model_call(1_000)
    assert newest is not None
    assert asked_last is not None
    assert (newest.title, newest.outcome, asked_last.call) == ("call 1000", ToolOutcome.OK, 1_000)
    assert state.tool_call(state.earlier_tool_calls) is None
    first = state.tool_call(state.earlier_tool_calls + 1)
    assert first is state.tool_calls[0]
    assert state.tool_call(1_001) is None


def test_the_bounds_leave_room_for_what_a_screen_and_a_report_list() -> None:
    assert CALLS_KEPT >= 1_000
    assert BLOCK < CALLS_KEPT


@pytest.mark.parametrize("count", [1, 4, POINTS_KEPT, POINTS_KEPT + 1, 5_000, 30_000])
def test_a_curve_stays_small_and_as_fine_at_its_beginning_as_at_its_end(count: int) -> None:
    heights = [math.sin(x / 7) * x for x in range(count)]
    [call] = _trained(heights).tool_calls
    curve = _curve(call)
    xs = [x for x, _ in curve]
    assert call.reports == count
    assert len(xs) <= POINTS_KEPT
    assert (xs[0], xs[-1]) == (0, count - 1)
    assert {min(heights), max(heights)} <= {y for _, y in curve}
    assert max((b - a for a, b in pairwise(xs)), default=0) <= max(1, 16 * count / POINTS_KEPT)


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=1_200))
def test_a_thinned_curve_keeps_its_ends_and_its_extremes_in_order(heights: list[float]) -> None:
    [call] = _trained(heights).tool_calls
    curve = _curve(call)
    finite = [y for y in heights if math.isfinite(y)]
    assert (curve[0], curve[-1]) == ((0.0, heights[0]), (float(len(heights) - 1), heights[-1]))
    assert [x for x, _ in curve] == sorted({x for x, _ in curve})
    if finite:
        assert {min(finite), max(finite)} <= {y for _, y in curve}


def test_of_older_trainings_the_first_and_the_last_report_stay() -> None:
    state = RunState()
    for call in range(1, TRAININGS_KEPT + 3):
        _trained([3.0, 2.0, 1.0], call, state)
    assert [len(call.training) for call in state.tool_calls] == [2, 2] + [3] * TRAININGS_KEPT
    assert _curve(state.tool_calls[0]) == [(0, 3.0), (2, 1.0)]
