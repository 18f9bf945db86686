"""States and figures read the same everywhere."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from agents.vocabulary import BUILTIN_MODEL, IterationStatus, RunStatus, StepName, StepStatus, ToolOutcome
from screens import vocabulary as words


@pytest.mark.parametrize(
    ("table", "states"),
    [
        (words.RUN, RunStatus),
        (words.STEP, StepStatus),
        (words.ITERATION, IterationStatus),
        (words.TOOL, ToolOutcome),
    ],
)
def test_every_state_has_a_word_of_its_own_and_a_glyph_of_one_cell(table: dict, states: type) -> None:
    assert set(table) == set(states)
    assert len({look.word for look in table.values()}) == len(table)
    assert all(cell_len(look.glyph) == 1 for look in table.values())


def test_every_step_has_a_short_word_of_its_own() -> None:
    short = [words.short_step(step) for step in StepName]
    assert len(set(short)) == len(short)
    assert max(map(len, short)) <= 8


def test_a_run_without_an_engine_is_not_called_running() -> None:
    assert words.run_look(RunStatus.RUNNING, engine_alive=False) is words.ENGINE_GONE
    assert words.run_look(RunStatus.FINISHED, engine_alive=False) is words.RUN[RunStatus.FINISHED]
    assert words.run_look(RunStatus.RUNNING, engine_alive=None) is words.RUN[RunStatus.RUNNING]


def test_a_run_at_its_limit_is_not_called_paused_by_anything_on_the_screen() -> None:
    held, at_limit = RunStatus.HELD, words.AT_LIMIT
    assert words.run_look(held, engine_alive=True, at_limit=True) is at_limit
    assert words.standstill(held, engine_alive=True, at_limit=True) is at_limit
    assert words.standstill(held, engine_alive=True) is words.RUN[held]
    assert words.standstill(held, engine_alive=False, at_limit=True) is words.CUT_OFF
    assert words.standstill(RunStatus.RUNNING, engine_alive=True, at_limit=True) is None
    assert len(at_limit.word) <= 8, "the steps have no more room for it"


@given(st.floats(min_value=0, max_value=90 * 86_400))
def test_what_ticks_counts_whole_seconds_that_passed(seconds: float) -> None:
    assert "." not in words.ticking(seconds)
    assert words.ticking(59.9) == "59s"


def test_the_built_in_policy_is_not_passed_off_as_an_llm() -> None:
    assert "no LLM" in words.model_words(BUILTIN_MODEL)
    assert words.model_words("openai/gpt-5") == "openai/gpt-5"


@given(st.integers(min_value=0, max_value=999_000_000_000))
def test_a_size_fits_its_column(size: int) -> None:
    assert len(words.size(size)) <= 7


def test_a_clock_of_days_keeps_its_form() -> None:
    assert words.clock(timedelta(seconds=247.9)) == "0:04:07"
    assert words.clock(timedelta(days=3, hours=4)) == "3d 04:00:00"


@given(st.text(max_size=60), st.integers(min_value=1, max_value=40))
def test_a_shortened_text_never_exceeds_its_cells(text: str, width: int) -> None:
    assert cell_len(words.shorten(text, width)) <= width
    assert len(words.shorten_left(text, width)) <= width
