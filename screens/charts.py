"""Charts as text: pure functions from a run's numbers to the lines of a chart.

A series is told apart by its marker, colour only helps. Ticks stand where a person would put them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from types import ModuleType
from typing import Final

from agents.state import RunState
from agents.vocabulary import IterationStatus
from screens.curves import Point, Training, TrainingFollower, thinned

BLUE: Final = 75
GREY: Final = 246
ORANGE: Final = 214
_MOST_TICKS: Final = 9
_LARGEST: Final = 1e300
"""What is larger, either way, is not drawn: distances between such values are beyond what floats hold."""
_TRAIN_MARK, _VALIDATION_MARK, _BEST_MARK, _FAILED_MARK, _BREAK_MARK = "○", "●", "◆", "✗", "┊"
_PALETTE: Final = ((_VALIDATION_MARK, BLUE), (_TRAIN_MARK, GREY), ("▲", ORANGE), ("□", 252))


@dataclass(frozen=True)
class Series:
    """Points that belong together; ``color`` is one of the 256 of a terminal."""

    name: str
    marker: str
    color: int
    parts: tuple[tuple[Point, ...], ...]
    """Neighbours within a part are joined; parts are not."""
    marks: tuple[Point, ...]
    """Where the marker stands."""


@dataclass(frozen=True)
class Chart:
    """What is drawn. ``x_last`` is where the axis ends, so that it does not grow while a run goes on."""

    title: str
    series: tuple[Series, ...]
    x_first: float
    x_last: float
    failed: tuple[int, ...] = ()
    """Where on the x axis an iteration failed."""
    breaks: tuple[float, ...] = ()
    """Where on the x axis the split changed: scores on its two sides cannot be compared."""


class ChartSource:
    """Makes the charts of a run that grows, at a cost that does not depend on how long it has been running."""

    def __init__(self) -> None:
        self._follower = TrainingFollower()

    def chart(self, state: RunState) -> Chart | None:
        """The chart that tells most now: the training that runs, else scores by iteration, else the last training."""
        training = self._follower.take(state)
        running = state.running_tool_call
        if training and running is not None and len(running.training) > 1:
            return _training_chart(training, state.metric)
        return _scores(state) or (_training_chart(training, state.metric) if training else None)


def chart_of(state: RunState) -> Chart | None:
    """The chart of a state that is looked at once; see :class:`ChartSource`."""
    return ChartSource().chart(state)


# --- scores by iteration ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scored:
    """The scores of one iteration, of which one at least is known."""

    index: int
    version: int | None
    train: float | None
    validation: float | None


def _scores(state: RunState) -> Chart | None:
    scored = list(_scored(state))
    if not scored:
        return None
    stretches = [tuple(stretch) for _, stretch in groupby(scored, key=lambda iteration: iteration.version)]
    series = [
        _score_series("train", _TRAIN_MARK, GREY, [[(one.index, one.train) for one in many] for many in stretches]),
        _score_series(
            "validation", _VALIDATION_MARK, BLUE, [[(one.index, one.validation) for one in many] for many in stretches]
        ),
        _best_series(state, stretches),
    ]
    return Chart(
        title=f"{state.metric} by iteration",
        series=tuple(one for one in series if one.marks),
        x_first=0,
        x_last=max(state.planned_iterations - 1, len(state.iterations) - 1, 1),
        failed=tuple(one.index for one in state.iterations if one.status is IterationStatus.FAILED),
        breaks=tuple(stretch[0].index - 0.5 for stretch in stretches[1:]),
    )


def _scored(state: RunState) -> Iterator[_Scored]:
    for iteration in state.iterations:
        train, validation = (_finite(iteration.score(split, state.metric)) for split in ("train", "validation"))
        if train is not None or validation is not None:
            yield _Scored(iteration.index, iteration.split_version, train, validation)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _score_series(
    name: str, marker: str, color: int, stretches: Sequence[Sequence[tuple[int, float | None]]]
) -> Series:
    parts = (tuple((float(x), y) for x, y in stretch if y is not None) for stretch in stretches)
    kept = tuple(part for part in parts if part)
    return Series(name, marker, color, kept, tuple(point for part in kept for point in part))


def _best_series(state: RunState, stretches: Sequence[Sequence[_Scored]]) -> Series:
    """The best validation score so far as a staircase, each split version for itself; the mark is the best snapshot."""
    best_of: dict[int | None, float] = {}
    better = max if state.higher_is_better else min
    parts = []
    for stretch in stretches:
        stairs: list[Point] = []
        for one in stretch:
            before = best_of.get(one.version)
            values = [value for value in (before, one.validation) if value is not None]
            if not values:
                continue
            best_of[one.version] = now = better(values)
            if before is not None and now != before:
                stairs.append((float(one.index), before))
            stairs.append((float(one.index), now))
        parts.append(tuple(stairs))
    best = state.best
    marks = ((float(best.iteration), best.value),) if best else ()
    return Series("best so far", _BEST_MARK, ORANGE, tuple(part for part in parts if part), marks)


# --- the training that runs ------------------------------------------------------------------------------------------


def _training_chart(training: Training, metric: str) -> Chart | None:
    names = _worth_drawing(list(training.curves), metric)
    if not names:
        return None
    drawn = []
    for name, (marker, color) in zip(names, _PALETTE, strict=False):
        points = tuple(training.curves[name])
        drawn.append(Series(name.replace("_", " "), marker, color, (points,), points))
    last = max(training.highest, training.of or 0, training.first + 1)
    title = f"{_kind(names, metric)} by epoch of tool call {training.call}"
    return Chart(title, tuple(drawn[::-1]), training.lowest, last)  # the first one is drawn last and lies on top


def _worth_drawing(names: Sequence[str], metric: str) -> list[str]:
    """At most two names of one kind: the run's metric where it is reported, else losses, else the first value."""
    for wanted in (metric.lower(), "loss"):
        found = [name for name in names if wanted and wanted in name.lower()]
        if found:
            return sorted(found, key=lambda name: "val" not in name.lower())[:2]
    return list(names[:1])


def _kind(names: Sequence[str], metric: str) -> str:
    """What the curves have in common: the metric, the loss, or the name of the only one."""
    if metric and all(metric.lower() in name.lower() for name in names):
        return metric
    return "Loss" if all("loss" in name.lower() for name in names) else names[0]


# --- axes ------------------------------------------------------------------------------------------------------------


def nice_ticks(low: float, high: float, at_most: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that enclose ``low`` … ``high``.

    At least two, and at most ``at_most`` or three: values on both sides of zero may need three.
    """
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-290):  # no wider than what floats tell apart
        spread = abs(low) * 0.05 or 0.5
        low, high = low - spread, high + spread
    step = 10 ** math.floor(math.log10((high - low) / max(1, at_most)))
    while True:
        for factor in (1, 2, 5):
            width = step * factor
            first, last = math.floor(low / width + 1e-9), math.ceil(high / width - 1e-9)
            if last - first + 1 <= max(3, at_most):
                digits = max(0, -math.floor(math.log10(width)) + 1)
                return [round(index * width, digits) for index in range(first, last + 1)]
        step *= 10


def integer_ticks(first: float, last: float, at_most: int) -> list[int]:
    """Whole numbers of even distance (1, 2, 5, 10, …) from ``first`` on, at most ``at_most`` of them."""
    step, factors = 1, (2, 2.5, 2)
    turn = 0
    start = math.ceil(first)
    while (math.floor(last) - start) // step + 1 > max(1, at_most):
        step = int(step * factors[turn % 3])
        turn += 1
    if start > 0 and step > 1:
        start = math.ceil(start / step) * step
    return list(range(start, math.floor(last) + 1, step))


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Labels of equal width with as many decimals as the ticks differ by, and no more."""
    gap = min((abs(b - a) for a, b in pairwise(ticks)), default=1)
    largest = max(map(abs, ticks), default=0)
    if largest >= 1e6 or 0 < gap < 1e-5:
        labels = [f"{tick:.2g}" for tick in ticks]
    else:
        decimals = max(0, -math.floor(math.log10(gap) + 1e-9)) if gap > 0 else 0
        labels = [f"{tick:.{decimals}f}" for tick in ticks]
    width = max(map(len, labels), default=0)
    return [label.rjust(width) for label in labels]


# --- the picture -----------------------------------------------------------------------------------------------------


def legend(chart: Chart) -> list[tuple[str, int, str]]:
    """Marker, colour and name of everything that is drawn, and how much is not."""
    entries = [(series.marker, series.color, series.name) for series in chart.series]
    entries += [(_FAILED_MARK, ORANGE, "failed")] if chart.failed else []
    entries += [(_BREAK_MARK, GREY, "new split")] if chart.breaks else []
    missing = sum(len(series.marks) - len(_drawable(chart, series.marks)) for series in chart.series)
    return entries + ([("!", ORANGE, f"{missing} beyond what can be drawn")] if missing else [])


def _drawable(chart: Chart, points: Sequence[Point]) -> tuple[Point, ...]:
    """Those of ``points`` that have a place on the axes."""
    first, last = _ends(chart)
    return tuple((x, y) for x, y in points if _is_measurable(x) and first <= x <= last and _is_measurable(y))


def _is_measurable(number: float) -> bool:
    return math.isfinite(number) and abs(number) <= _LARGEST


def _ends(chart: Chart) -> tuple[float, float]:
    """Where the x axis really begins and ends: two measurable numbers apart from each other."""
    first = chart.x_first if _is_measurable(chart.x_first) else 0.0
    last = chart.x_last if _is_measurable(chart.x_last) else first
    return first, max(last, first + max(1.0, abs(first) * 1e-9))


def _drawable_chart(chart: Chart) -> Chart | None:
    """``chart`` without what has no place on its axes; None where nothing is left."""
    series = tuple(
        replace(
            one,
            parts=tuple(_drawable(chart, points) for points in one.parts),
            marks=_drawable(chart, one.marks),
        )
        for one in chart.series
    )
    first, last = _ends(chart)
    has_any = any(points for one in series for points in (*one.parts, one.marks))
    return replace(chart, series=series, x_first=first, x_last=last) if has_any else None


def draw_chart(chart: Chart, width: int, height: int) -> str:
    """``chart`` in exactly ``width`` × ``height`` cells, lines with ANSI colours; an empty text where it cannot fit.

    Any floats will do: those without a place on an axis (NaN, infinite, beyond 1e300) are left out. Of a series longer
    than two points a column, only the first, last, lowest and highest of each stretch are drawn.
    """
    drawn = _drawable_chart(chart)
    if width < 20 or height < 4 or drawn is None:
        return ""
    chart = drawn
    import plotext  # 0.15 s, and no screen needs it before its first picture

    values = [value for series in chart.series for points in (*series.parts, series.marks) for _, value in points]
    rows = height - 2
    ticks = nice_ticks(min(values), max(values), max(2, min(_MOST_TICKS, (rows + 1) // 2)))
    labels = tick_labels(ticks)
    columns = width - len(labels[0]) - 2
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    plotext.theme("clear")
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    plotext.ylim(ticks[0], ticks[-1])
    plotext.xlim(chart.x_first, chart.x_last)
    plotext.yticks(ticks, labels)
    numbers = integer_ticks(chart.x_first, chart.x_last, max(1, columns // 5))
    plotext.xticks(numbers, [str(number) for number in numbers])
    levels = [ticks[0] + (ticks[-1] - ticks[0]) * row / max(1, rows - 1) for row in range(rows)]
    for x in chart.breaks:
        plotext.scatter([x] * rows, levels, marker=_BREAK_MARK, color=GREY)
    for series in chart.series:
        _draw_lines(plotext, series, 2 * columns)
    for series in chart.series:
        xs, ys = _coordinates(thinned(series.marks, 2 * columns))
        plotext.scatter(xs, ys, marker=series.marker, color=series.color)
    if chart.failed:
        plotext.scatter(list(chart.failed), [ticks[0]] * len(chart.failed), marker=_FAILED_MARK, color=ORANGE)
    return str(plotext.build()).rstrip("\n")


def _draw_lines(plotext: ModuleType, series: Series, at_most: int) -> None:
    for part in series.parts:
        if len(part) > 1:
            plotext.plot(*_coordinates(thinned(part, at_most)), marker="braille", color=series.color)


def _coordinates(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
