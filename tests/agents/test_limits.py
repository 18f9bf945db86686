"""Money, tokens and time: what is left of each, and which call cannot be afforded."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agents.limits import breach, expected_output, reserve, time_left, unpriced, working_time_left
from agents.models.gateway import ModelFacts
from agents.settings import RunSettings
from agents.state import RunState, Usage
from agents.vocabulary import Limit

START = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
PRICED = ModelFacts(input_price=2e-6, output_price=8e-6)


def run(usage: Usage | None = None, **limits: float | None) -> RunState:
    return RunState(started=START, settings=dict(limits), usage=usage or Usage())


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_without_limits_every_call_can_be_made() -> None:
    spent = Usage(calls=9, input_tokens=10**9, output_tokens=10**9, cost_usd=10**6)
    assert breach(run(spent), after(10**6), input_tokens=10**9, facts=PRICED) is None


def test_a_call_that_would_break_the_budget_is_not_made_although_the_last_one_was_within_it() -> None:
    state = run(Usage(calls=1, input_tokens=1000, output_tokens=500, cost_usd=0.99), budget_usd=1.0)
    assert breach(state, START, input_tokens=100, facts=PRICED) is None
    found = breach(state, START, input_tokens=10_000, facts=PRICED)
    assert found is not None
    assert (found.limit, found.used, found.allowed) == (Limit.USD, 0.99, 1.0)
    assert found.message == "$0.9900 of $1.0000 are spent, and the next model call may cost $0.0240"


def test_tokens_count_in_both_directions() -> None:
    state = run(Usage(calls=1, input_tokens=600, output_tokens=300), budget_tokens=1500)
    assert breach(state, START, input_tokens=300, facts=PRICED) is None
    found = breach(state, START, input_tokens=301, facts=PRICED)
    assert found is not None
    assert found.limit is Limit.TOKENS
    assert "900 of 1,500 tokens are used" in found.message


def test_a_tool_needs_time_only() -> None:
    state = run(Usage(cost_usd=5.0, input_tokens=10**6), budget_usd=1.0, budget_tokens=10, timeout=600)
    assert breach(state, after(500)) is None
    found = breach(state, after(580))
    assert found is not None
    assert found.limit is Limit.TIME


def test_what_a_person_raised_counts_more_than_the_settings() -> None:
    state = run(Usage(cost_usd=1.5), budget_usd=1.0)
    assert breach(state, START, facts=PRICED) is not None
    state.raised[Limit.USD] = 2.0
    assert breach(state, START, facts=PRICED) is None
    assert state.allowed(Limit.USD) == 2.0
    assert state.allowed(Limit.TIME) is None


def test_time_on_hold_does_not_count_and_a_part_is_kept_for_the_end() -> None:
    state = run(timeout=1000)
    state.held_since = after(100)
    assert time_left(state, after(900)) == 900
    assert working_time_left(state, after(900)) == 850


@given(st.floats(0.001, 10**7))
def test_the_reserve_is_always_a_small_part_of_the_time(limit: float) -> None:
    assert 0 < reserve(limit) <= 0.2 * limit


def test_a_typical_reply_is_learnt_from_those_that_came() -> None:
    assert expected_output(run()) == 1000
    assert expected_output(run(Usage(calls=5, failed=1, output_tokens=800))) == 200


def test_models_without_a_price_are_named() -> None:
    settings = RunSettings(dataset=Path("/d"), model="a/x", iteration_plan_model="b/y", fallback_models=("a/x", "c/z"))
    known = {"a/x": PRICED, "b/y": ModelFacts(input_price=0.0), "c/z": ModelFacts(input_price=0.0, output_price=0.0)}
    assert unpriced(settings, known.__getitem__) == ["b/y"]
