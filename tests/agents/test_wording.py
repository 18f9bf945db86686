"""Scores, durations and counts read the same everywhere, at any scale."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.wording import counted, duration, last_line, score


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0.0000"),
        (0.81234, "0.8123"),
        (-12.345, "-12.35"),
        (1234.56, "1234.6"),
        (2.5e-9, "2.5e-09"),
        (-4.89e-8, "-4.89e-08"),
        (1.5e308, "1.5e+308"),
    ],
)
def test_a_score_has_the_digits_that_its_scale_asks_for(value: float | None, shown: str) -> None:
    assert score(value) == shown


@given(st.floats(min_value=-1e307, max_value=1e307))
def test_a_score_is_short_and_near_its_value_at_any_scale(value: float) -> None:
    shown = score(value)
    assert len(shown) <= 10
    assert math.isclose(float(shown), value, rel_tol=0.06, abs_tol=0)


@given(st.floats(min_value=0, max_value=90 * 86_400))
def test_a_duration_fits_its_column(seconds: float) -> None:
    assert len(duration(seconds)) <= 6


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (0.04, "0.0s"), (9.96, "10s"), (59.7, "1m00s"), (3599.6, "1h00m"), (180_000, "2d02h")],
)
def test_durations_round_up_into_the_next_unit(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_a_count_agrees_with_its_noun() -> None:
    assert (counted(1, "model call"), counted(2_000, "line")) == ("1 model call", "2,000 lines")
    assert counted(0, "process", "processes") == "0 processes"


@pytest.mark.parametrize(
    ("text", "line"), [("Traceback\n  File\nValueError: x\n \n", "ValueError: x"), ("one", "one"), ("\n", "")]
)
def test_the_last_line_that_says_something(text: str, line: str) -> None:
    assert last_line(text) == line
