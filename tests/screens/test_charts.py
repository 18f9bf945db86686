"""Charts have round ticks, fit their cells and can be read without colour."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agents.fold import fold
from agents.journal import JournalReader
from agents.state import RunState
from screens.charts import Chart, Series, chart_of, draw_chart, integer_ticks, legend, nice_ticks, tick_labels
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
    series = Series("a", "●", 75, tuple((float(x), y) for x, y in enumerate(values)))
    lines = _drawn(Chart("t", (series,), 0, max(1, len(values) - 1)), width, height)
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


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
    assert draw_chart(Chart("t", (Series("a", "●", 75, ((0.0, 1.0),)),), 0, 1), 12, 3) == ""
