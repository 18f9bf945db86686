"""Long curves in few points: what a chart draws of a training that reports a hundred thousand times.

Points are taken up once, in the order in which they came; asking for the curve costs the same however many there were.
"""

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from agents.state import RunState, ToolCallState, TrainingPoint

Point = tuple[float, float]
_Sample = tuple[int, float, float]
"""Number, x and y."""
_BUCKETS: Final = 256
"""Of a curve; each gives up to four points. Even, since they are merged by two."""
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


class Curve:
    """Points that arrive one by one, kept as at most a thousand.

    Each bucket stands for as many points as any other; when all are full, neighbours are merged. So the curve is as
    fine at its beginning as at its end, and a point costs a constant time on average.
    """

    def __init__(self) -> None:
        self._full: list[tuple[_Sample, ...]] = []
        self._open: list[_Sample] = []
        self._stride = 1
        self._count = 0

    def add(self, x: float, y: float) -> None:
        self._open.append((self._count, x, y))
        self._count += 1
        if len(self._open) < self._stride:
            return
        self._full.append(_extremes(self._open))
        self._open = []
        if len(self._full) == _BUCKETS:
            pairs = zip(self._full[::2], self._full[1::2], strict=True)
            self._full = [_extremes(first + second) for first, second in pairs]
            self._stride *= 2

    @property
    def points(self) -> tuple[Point, ...]:
        """In the order in which they came."""
        return tuple((x, y) for bucket in (*self._full, _extremes(self._open)) for _, x, y in bucket)


class Training:
    """The curves of one tool call that trains."""

    def __init__(self, call: ToolCallState) -> None:
        self.call = call
        self.curves: dict[str, Curve] = {}
        """By the name of the value, in the order in which the names first came; finite values only."""
        self.first = self.lowest = self.highest = call.training[0].epoch
        self._taken = 0

    @property
    def of(self) -> float | None:
        """How many epochs there will be, where that is known."""
        return self.call.training[-1].of

    def take(self) -> int:
        """Take up what was reported since the last time; the number of reports so far."""
        reports = self.call.training
        for number in range(self._taken, len(reports)):
            self._add(reports[number])
        self._taken = len(reports)
        return self._taken

    def _add(self, report: TrainingPoint) -> None:
        self.lowest = min(self.lowest, report.epoch)
        self.highest = max(self.highest, report.epoch)
        for name, value in report.values.items():
            if value is not None and math.isfinite(value):
                self.curves.setdefault(name, Curve()).add(report.epoch, value)


class TrainingFollower:
    """Finds the newest training of a run that grows, looking at each tool call once."""

    def __init__(self) -> None:
        self._training: Training | None = None
        self._passed = 0

    def take(self, state: RunState) -> Training | None:
        """Take up what ``state`` has gained; the newest training, None where there is none."""
        calls = state.tool_calls
        for number in range(len(calls) - 1, self._passed - 1, -1):
            call = calls[number]
            if call.training and (self._training is None or call is not self._training.call):
                self._training = Training(call)
            if call.training:
                break
        self._passed = max(0, len(calls) - 1)  # the newest one may yet begin to train
        if self._training is not None:
            self._training.take()
        return self._training
