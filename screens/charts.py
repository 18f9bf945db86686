"""Charts as text: pure functions from a run's numbers to the lines of a chart.

A series is told apart by its marker, colour only helps. Ticks stand where a person would put them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from agents.state import RunState, TrainingPoint
from agents.vocabulary import IterationStatus

BLUE: Final = 75
GREY: Final = 246
ORANGE: Final = 214
_MOST_TICKS: Final = 9
_TRAIN_MARK, _VALIDATION_MARK, _BEST_MARK, _FAILED_MARK = "○", "●", "◆", "✗"
_PALETTE: Final = ((_VALIDATION_MARK, BLUE), (_TRAIN_MARK, GREY), ("▲", ORANGE), ("□", 252))


@dataclass(frozen=True)
class Series:
    """Points that belong together; ``color`` is one of the 256 of a terminal."""

    name: str
    marker: str
    color: int
    points: tuple[tuple[float, float], ...]
    line: bool = True
    """Neighbours are joined."""


@dataclass(frozen=True)
class Chart:
    """What is drawn. ``x_last`` is where the axis ends, so that it does not grow while a run goes on."""

    title: str
    series: tuple[Series, ...]
    x_first: float
    x_last: float
    failed: tuple[int, ...] = ()
    """Where on the x axis an iteration failed."""


def chart_of(state: RunState) -> Chart | None:
    """The chart that tells most now: scores by iteration, else the training that runs, else nothing yet."""
    return _scores(state) or _training(state)


def _scores(state: RunState) -> Chart | None:
    metric = state.metric
    drawn = []
    for split, marker, color in (("train", _TRAIN_MARK, GREY), ("validation", _VALIDATION_MARK, BLUE)):
        points = tuple(
            (float(iteration.index), value)
            for iteration in state.iterations
            if (value := iteration.score(split, metric)) is not None and math.isfinite(value)
        )
        if points:
            drawn.append(Series(split, marker, color, points))
    if not drawn:
        return None
    last = max(state.planned_iterations - 1, len(state.iterations) - 1, 1)
    best = _best_so_far(state, last)
    failed = tuple(iteration.index for iteration in state.iterations if iteration.status is IterationStatus.FAILED)
    series = tuple(drawn) + ((Series("best so far", _BEST_MARK, ORANGE, best, line=False),) if best else ())
    return Chart(f"{metric} by iteration", series, 0, last, failed)


def _best_so_far(state: RunState, last: int) -> tuple[tuple[float, float], ...]:
    """The best snapshot's point; iterations on another split version do not count, so the journal's best is taken."""
    best = state.best
    return ((float(best.iteration), best.value),) if best and best.iteration <= last else ()


def _training(state: RunState) -> Chart | None:
    call = next((call for call in reversed(state.tool_calls) if call.training), None)
    if call is None:
        return None
    names = _worth_drawing(call.training, state.metric)
    series = tuple(
        Series(name.replace("_", " "), marker, color, _curve(call.training, name))
        for name, (marker, color) in zip(names, _PALETTE, strict=False)
    )
    if not series:
        return None
    series = series[::-1]  # the first one is drawn last and lies on top
    epochs = [point.epoch for point in call.training]
    last = max(*epochs, call.training[-1].of or 0, epochs[0] + 1)
    return Chart(f"{_kind(names, state.metric)} by epoch of tool call {call.call}", series, min(epochs), last)


def _worth_drawing(points: Sequence[TrainingPoint], metric: str) -> list[str]:
    """At most two names of one kind: the run's metric where it is reported, else losses, else the first value."""
    finite = (name for point in points for name, value in point.values.items() if value is not None)
    names = list(dict.fromkeys(finite))
    for wanted in (metric.lower(), "loss"):
        found = [name for name in names if wanted and wanted in name.lower()]
        if found:
            return sorted(found, key=lambda name: "val" not in name.lower())[:2]
    return names[:1]


def _kind(names: Sequence[str], metric: str) -> str:
    """What the curves have in common: the metric, the loss, or the name of the only one."""
    if metric and all(metric.lower() in name.lower() for name in names):
        return metric
    return "Loss" if all("loss" in name.lower() for name in names) else names[0]


def _curve(points: Sequence[TrainingPoint], name: str) -> tuple[tuple[float, float], ...]:
    return tuple(
        (point.epoch, value)
        for point in points
        if (value := point.values.get(name)) is not None and math.isfinite(value)
    )


def nice_ticks(low: float, high: float, at_most: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that enclose ``low`` … ``high``.

    At least two, and at most ``at_most`` or three: values on both sides of zero may need three.
    """
    if not high > low:
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


def legend(chart: Chart) -> list[tuple[str, int, str]]:
    """Marker, colour and name of everything that is drawn."""
    entries = [(series.marker, series.color, series.name) for series in chart.series]
    return [*entries, (_FAILED_MARK, ORANGE, "failed")] if chart.failed else entries


def draw_chart(chart: Chart, width: int, height: int) -> str:
    """``chart`` in exactly ``width`` × ``height`` cells, lines with ANSI colours; an empty text where it cannot fit."""
    if width < 20 or height < 4:
        return ""
    import plotext  # 0.15 s, and no screen needs it before its first picture

    values = [value for series in chart.series for _, value in series.points]
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
    for series in chart.series:
        _plot(plotext, series)
    if chart.failed:
        plotext.scatter(list(chart.failed), [ticks[0]] * len(chart.failed), marker=_FAILED_MARK, color=ORANGE)
    return str(plotext.build()).rstrip("\n")


def _plot(plotext: object, series: Series) -> None:
    xs, ys = [x for x, _ in series.points], [y for _, y in series.points]
    if series.line and len(xs) > 1:
        plotext.plot(xs, ys, marker="braille", color=series.color)  # type: ignore[attr-defined]
    plotext.scatter(xs, ys, marker=series.marker, color=series.color)  # type: ignore[attr-defined]
