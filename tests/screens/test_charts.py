"""Charts have round ticks, fit their cells and can be read without colour."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import plotext
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agents.fold import fold
from agents.journal import JournalReader
from agents.state import RunState, ToolCallState, TrainingPoint
from screens.charts import (
    Chart,
    ChartSource,
    Series,
    chart_of,
    draw_chart,
    integer_ticks,
    legend,
    nice_ticks,
    tick_labels,
)
from screens.curves import thinned
from tests.support import journals

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _state(run: journals.StagedRun) -> RunState:
    return fold(JournalReader(run.folder.journal).read_all())


def _drawn(chart: Chart, width: int = 70, height: int = 12) -> list[str]:
    return _COLOUR.sub("", draw_chart(chart, width, height)).split("\n")


_finite = st.floats(min_value=-1e9, max_value=1e9)


@given(_finite, _finite, st.integers(min_value=2, max_value=30))
def test_ticks_enclose_the_values_and_are_not_too_many(a: float, b: float, at_most: int) -> None:
    low, high = min(a, b), max(a, b)
    ticks = nice_ticks(low, high, at_most)
    slack = 1e-6 * max(1e-9, abs(low), abs(high), ticks[-1] - ticks[0])
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= max(3, at_most)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.567, 0.631, [0.55, 0.6, 0.65]),
        (0.0, 1.0, [0.0, 0.5, 1.0]),
        (12, 87, [0.0, 50.0, 100.0]),
        (0.9, 0.9, [0.85, 0.9, 0.95]),
    ],
)
def test_ticks_stand_where_a_person_would_put_them(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high, 4) == ticks


def test_labels_have_as_many_decimals_as_they_differ_by() -> None:
    assert tick_labels([0.55, 0.6, 0.65]) == ["0.55", "0.60", "0.65"]
    assert tick_labels([0.0, 50.0, 100.0]) == ["  0", " 50", "100"]


@given(st.integers(0, 50), st.integers(1, 5_000), st.integers(2, 40))
def test_iteration_ticks_are_whole_evenly_apart_and_not_too_many(first: int, length: int, at_most: int) -> None:
    ticks = integer_ticks(first, first + length, at_most)
    assert len(ticks) <= at_most
    assert len({b - a for a, b in pairwise(ticks)}) <= 1
    assert all(first <= tick <= first + length for tick in ticks)


@given(st.integers(20, 200), st.integers(4, 60), st.lists(_finite, min_size=1, max_size=8))
def test_a_chart_fills_its_cells_and_no_more(width: int, height: int, values: list[float]) -> None:
    points = tuple((float(x), y) for x, y in enumerate(values))
    series = Series("a", "●", 75, (points,), points)
    lines = _drawn(Chart("t", (series,), 0, max(1, len(values) - 1)), width, height)
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


_any_float = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True),
    st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1e-300, 1e299, 1e300, 1.2e307, 1.7976931348623157e308, -1.79e308]),
)


@given(
    st.integers(1, 120),
    st.integers(1, 40),
    st.lists(st.tuples(st.one_of(st.integers(0, 50).map(float), _any_float), _any_float), max_size=8),
    st.one_of(st.just((0.0, 1.0)), st.tuples(_any_float, _any_float)),
)
def test_whatever_numbers_come_a_chart_is_drawn_within_its_cells(
    width: int, height: int, points: list[tuple[float, float]], ends: tuple[float, float]
) -> None:
    series = Series("a", "●", 75, (tuple(points), ()), tuple(points))
    chart = Chart("t", (series,), *ends, failed=(1,), breaks=(0.5,))
    picture = draw_chart(chart, width, height)
    lines = _COLOUR.sub("", picture).split("\n")
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width
    assert legend(chart)


@given(st.lists(_any_float, min_size=1, max_size=6), st.integers(1, 6))
def test_a_constant_series_of_any_height_is_drawn(values: list[float], count: int) -> None:
    points = tuple((float(x), values[0]) for x in range(count))
    drawn = draw_chart(Chart("t", (Series("a", "●", 75, (points,), points),), 0, count), 60, 10)
    assert bool(drawn) == (math.isfinite(values[0]) and abs(values[0]) <= 1e300)


def test_what_has_no_place_on_the_axes_is_counted_in_the_legend() -> None:
    points = ((0.0, 0.5), (1.0, 1.2e307), (2.0, math.nan), (3.0, 0.75))
    chart = Chart("t", (Series("a", "●", 75, (points,), points),), 0, 3)
    assert legend(chart)[-1][2] == "2 beyond what can be drawn"
    assert "0.5┤" in "\n".join(_drawn(chart))


def test_each_series_has_a_marker_of_its_own(tmp_path: Path) -> None:
    chart = chart_of(_state(journals.finished_run(tmp_path)))
    assert chart is not None
    markers = [marker for marker, _, _ in legend(chart)]
    assert len(set(markers)) == len(markers)
    picture = "\n".join(_drawn(chart))
    assert all(marker in picture for marker in markers)


def test_scores_are_drawn_by_iteration_with_whole_ticks(tmp_path: Path) -> None:
    chart = chart_of(_state(journals.finished_run(tmp_path)))
    assert chart is not None
    assert chart.title == "AUROC by iteration"
    assert chart.failed == (2,)
    assert _drawn(chart)[-1].split() == ["0", "1", "2", "3", "4"]


def test_before_the_first_score_the_training_curve_is_drawn(tmp_path: Path) -> None:
    chart = chart_of(_state(journals.first_training_run(tmp_path)))
    assert chart is not None
    assert chart.title.startswith("AUROC by epoch")
    assert [series.name for series in chart.series] == ["train AUROC", "validation AUROC"]
    assert chart.x_last == 10


def test_a_single_score_is_a_point_between_two_ticks(tmp_path: Path) -> None:
    run = journals.stage(tmp_path)
    run.begin()
    run.iterate(0, journals.CANDIDATES[0], None)
    chart = chart_of(_state(run))
    assert chart is not None
    lines = _drawn(chart)
    assert sum("◆" in line for line in lines) == 1
    assert len([line for line in lines if "┤" in line]) >= 2


def test_a_run_without_figures_has_no_chart() -> None:
    assert chart_of(RunState()) is None


def test_a_chart_that_cannot_fit_is_left_out() -> None:
    assert draw_chart(Chart("t", (Series("a", "●", 75, (), ((0.0, 1.0),)),), 0, 1), 12, 3) == ""


# --- the staircase and the splits ------------------------------------------------------------------------------------


def _series(chart: Chart | None, name: str) -> Series:
    assert chart is not None
    return next(series for series in chart.series if series.name == name)


def test_the_best_so_far_is_a_staircase_with_the_best_snapshot_marked(tmp_path: Path) -> None:
    best = _series(chart_of(_state(journals.finished_run(tmp_path))), "best so far")
    stairs = ((0, 0.893), (1, 0.893), (1, 0.931), (3, 0.931), (3, 0.947), (4, 0.947), (4, 0.951))
    assert best.parts == (stairs,)
    assert best.marks == ((4, 0.951),)


def test_where_lower_is_better_the_staircase_goes_down(tmp_path: Path) -> None:
    state = _state(journals.finished_run(tmp_path))
    state.higher_is_better = False
    assert _series(chart_of(state), "best so far").parts == (((0, 0.893), (1, 0.893), (3, 0.893), (4, 0.893)),)


def test_scores_on_different_splits_are_not_joined(tmp_path: Path) -> None:
    state = _state(journals.finished_run(tmp_path))
    for iteration, version in zip(state.iterations, (1, 1, 2, 2, 2), strict=True):
        iteration.split_version = version
    chart = chart_of(state)
    assert chart is not None
    assert chart.breaks == (2.5,)  # iteration 2 failed: 3 is the first that is scored on the new split
    assert _series(chart, "validation").parts == (((0, 0.893), (1, 0.931)), ((3, 0.947), (4, 0.951)))
    assert len(_series(chart, "train").parts) == 2
    assert _series(chart, "best so far").parts[1] == ((3, 0.947), (4, 0.947), (4, 0.951))
    assert "new split" in [name for _, _, name in legend(chart)]
    picture = _drawn(chart)
    assert sum("┊" in line for line in picture) >= 8


# --- long trainings --------------------------------------------------------------------------------------------------


def _training(heights: Sequence[float]) -> tuple[RunState, list[TrainingPoint]]:
    reports = [TrainingPoint(x, len(heights), {"val_loss": y}, "") for x, y in enumerate(heights)]
    call = ToolCallState(1, "run_python", "train.py", 0, None, "log", "arguments", journals.START)
    return RunState(tool_calls=[call]), reports


@given(st.lists(_finite, min_size=1, max_size=3_000), st.integers(4, 300))
def test_a_thinned_curve_keeps_its_ends_and_its_extremes(values: list[float], at_most: int) -> None:
    points = [(float(x), y) for x, y in enumerate(values)]
    kept = thinned(points, at_most)
    assert len(kept) <= at_most
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(values), max(values)} <= {y for _, y in kept}
    assert list(kept) == sorted(kept)


def test_a_long_training_is_drawn_with_about_two_points_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    state, reports = _training([1 / (x + 1) for x in range(20_000)])
    state.tool_calls[0].training = reports
    chart = chart_of(state)
    assert chart is not None
    drawn: list[int] = []
    for name in ("plot", "scatter"):
        real = getattr(plotext, name)
        monkeypatch.setattr(
            plotext, name, lambda xs, ys, real=real, **how: drawn.append(len(xs)) or real(xs, ys, **how)
        )
    assert draw_chart(chart, 100, 16)
    assert drawn
    assert max(drawn) <= 2 * 100


def test_the_newest_training_takes_the_place_of_the_one_before() -> None:
    state, reports = _training([0.5, 0.4])
    state.tool_calls[0].training = reports
    source = ChartSource()
    source.chart(state)
    state.tool_calls.append(replace(state.tool_calls[0], call=2, training=[]))
    shown = source.chart(state)
    assert shown is not None
    assert shown.title.endswith("tool call 1")
    state.tool_calls[1].training.append(reports[0])
    shown = source.chart(state)
    assert shown is not None
    assert shown.title.endswith("tool call 2")
