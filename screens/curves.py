"""Curves in few points: what a chart draws of a training, of which the state keeps some hundred reports."""

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from agents.state import RunState, ToolCallState

Point = tuple[float, float]
_Sample = tuple[int, float, float]
"""Number, x and y."""
_KEPT: Final = 4
_HEIGHT: Final = itemgetter(2)


def thinned(points: Sequence[Point], at_most: int) -> tuple[Point, ...]:
    """At most ``at_most`` (at least four) points: of each even stretch the first, the last, the lowest, the highest."""
    if len(points) <= at_most:
        return tuple(points)
    stretch = math.ceil(len(points) / max(1, at_most // _KEPT))
    samples = [(number, x, y) for number, (x, y) in enumerate(points)]
    kept = (_extremes(samples[start : start + stretch]) for start in range(0, len(samples), stretch))
    return tuple((x, y) for bucket in kept for _, x, y in bucket)


def _extremes(samples: Sequence[_Sample]) -> tuple[_Sample, ...]:
    if len(samples) < 3:
        return tuple(samples)
    return tuple(sorted({samples[0], samples[-1], min(samples, key=_HEIGHT), max(samples, key=_HEIGHT)}))


class Training:
    """The curves of one tool call that trains, from the reports that its state keeps."""

    def __init__(self, call: ToolCallState) -> None:
        reports = call.training
        self.call = call.call
        self.of = reports[-1].of
        """How many epochs there will be, where that is known."""
        self.first = reports[0].epoch
        self.lowest = min(report.epoch for report in reports)
        self.highest = max(report.epoch for report in reports)
        self.curves: dict[str, list[Point]] = {}
        """By the name of the value, in the order in which the names first came; finite values only."""
        for report in reports:
            for name, value in report.values.items():
                if value is not None and math.isfinite(value):
                    self.curves.setdefault(name, []).append((report.epoch, value))


class TrainingFollower:
    """Finds the newest training of a run that grows, looking at each tool call once."""

    def __init__(self) -> None:
        self._call: ToolCallState | None = None
        self._passed = 0
        self._seen = (0, 0)
        self._training: Training | None = None

    def take(self, state: RunState) -> Training | None:
        """The newest training that ``state`` knows, None where there is none."""
        for place in range(len(state.tool_calls) - 1, -1, -1):
            call = state.tool_calls[place]
            if call.training:
                self._call = call
            if call.training or state.earlier_tool_calls + place + 1 <= self._passed:
                break
        self._passed = state.tool_calls_made - 1  # the newest one may yet begin to train
        if self._call is not None and (seen := (self._call.call, self._call.training[-1].number)) != self._seen:
            self._seen, self._training = seen, Training(self._call)
        return self._training
