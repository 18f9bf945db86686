"""How much of a long run its state keeps: the newest calls, and of each training a curve in some hundred points.

What is left out here is in the journal and in the files of the calls. Nothing here reads anything but the state.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from agents.events import TrainingProgress
from agents.state import ModelCallState, RunState, ToolCallState, TrainingPoint

CALLS_KEPT: Final = 3_000
"""Of tool calls and of model calls; up to a block more, since they go a block at a time."""
BLOCK: Final = 500
RECEIPTS_KEPT: Final = 500
WARNINGS_KEPT: Final = 50
TRAININGS_KEPT: Final = 20
"""Tool calls whose whole curve is kept; of older ones the first and the last report stay."""
POINTS_KEPT: Final = 512
"""Of one curve, at most."""
_OF_A_STRETCH: Final = 4


def keep_newest(items: list[Any], kept: int) -> None:
    """Leave the last ``kept`` of ``items``."""
    if len(items) > kept:
        del items[:-kept]


def add_tool_call(state: RunState, call: ToolCallState) -> None:
    """Take up a call that began; the oldest ones make room."""
    state.tool_calls.append(call)
    state.earlier_tool_calls += _make_room(state.tool_calls)


def add_model_call(state: RunState, call: ModelCallState) -> None:
    """Take up a call that began; the oldest ones make room."""
    state.model_calls.append(call)
    state.earlier_model_calls += _make_room(state.model_calls)


def _make_room(calls: list[Any]) -> int:
    """How many calls were taken out."""
    if len(calls) <= CALLS_KEPT + BLOCK:
        return 0
    del calls[:BLOCK]
    return BLOCK


def add_report(state: RunState, call: ToolCallState, event: TrainingProgress) -> None:
    """Take up a report of a training, and thin its curve where it has become too long."""
    if not call.reports:
        state.trainings.append(call.call)
        if len(state.trainings) > TRAININGS_KEPT and (oldest := state.tool_call(state.trainings.pop(0))):
            oldest.training = oldest.training[:: max(1, len(oldest.training) - 1)]
    call.training.append(TrainingPoint(event.epoch, event.of, event.values, event.message, call.reports))
    call.reports += 1
    _thin_newest(call)
    if len(call.training) > POINTS_KEPT:
        _thin(call)


def _thin_newest(call: ToolCallState) -> None:
    """Hold the stretch that is being filled at its few points."""
    points = call.training
    stretch = points[-1].number // call.stride
    start = len(points) - 1
    while start > 0 and points[start - 1].number // call.stride == stretch:
        start -= 1
    if len(points) - start > _OF_A_STRETCH:
        del points[start + _least(points[start:])]


def _thin(call: ToolCallState) -> None:
    """Let each stretch stand for more reports, until half of the room is free."""
    while len(call.training) > POINTS_KEPT // 2:
        call.stride *= 2
        stretches: dict[int, list[TrainingPoint]] = {}
        for point in call.training:
            stretches.setdefault(point.number // call.stride, []).append(point)
        for points in stretches.values():
            while len(points) > _OF_A_STRETCH:
                del points[_least(points)]
        call.training = [point for points in stretches.values() for point in points]


def _least(points: Sequence[TrainingPoint]) -> int:
    """Which point but the first and the last the curves would miss least; the earliest of equal ones.

    The lowest and the highest value of each curve stay as long as anything else can go.
    """
    needed = dict.fromkeys(range(1, len(points) - 1), 0.0)
    for name in points[0].values:
        curve = [_finite(point, name) for point in points]
        values = [value for value in curve if value is not None]
        if not values:
            continue
        low, high = min(values), max(values)
        for place in needed:
            needed[place] = max(needed[place], _need(curve[place - 1 : place + 2], low, high))
    return min(needed, key=lambda place: needed[place])


def _need(three: Sequence[float | None], low: float, high: float) -> float:
    """Of the middle one: how far it lies off the line between its neighbours, as a part of the values' range."""
    before, here, after = three
    if here is None or low == high:
        return 0.0
    extreme = 2.0 if here in (low, high) else 0.0
    if before is None or after is None:
        return extreme
    span = high - low
    off = abs(here / span - (before / span + after / span) / 2)
    return extreme + min(1.0, off) if math.isfinite(off) else extreme


def _finite(point: TrainingPoint, name: str) -> float | None:
    value = point.values.get(name)
    return value if value is not None and math.isfinite(value) else None
