"""Amounts are typed and told in the same words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.control import RaiseLimit
from agents.state import LimitState, RunState
from agents.vocabulary import BUILTIN_MODEL, Limit
from screens.limit_question import outcome, raising
from screens.spending import amount, asks_a_model, money, read_amount, read_raise, typed


@pytest.mark.parametrize(
    ("limit", "text", "value"),
    [
        (Limit.USD, "5", 5.0),
        (Limit.USD, " $2.50 ", 2.5),
        (Limit.USD, "1,000", 1000.0),
        (Limit.TOKENS, "200000", 200_000),
        (Limit.TOKENS, "200k", 200_000),
        (Limit.TOKENS, "1.5M", 1_500_000),
        (Limit.TIME, "90s", 90),
        (Limit.TIME, "30m", 1_800),
        (Limit.TIME, "1h 30m", 5_400),
        (Limit.TIME, "1.5h", 5_400),
    ],
)
def test_an_amount_that_is_typed_is_understood(limit: Limit, text: str, value: float) -> None:
    assert read_amount(limit, text) == value


@pytest.mark.parametrize("limit", Limit)
@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1e9", "abc", "[/", "5 dollars", "9" * 30, "0s"])
def test_what_is_no_amount_is_told_with_an_example(limit: Limit, text: str) -> None:
    with pytest.raises(ValueError, match="such as"):
        read_amount(limit, text)
    assert "such as" in outcome(LimitState(limit, 5, 5, ""), text).plain


@given(st.sampled_from(Limit), st.integers(1, 10_000_000))
def test_what_stands_in_the_field_can_be_read_back(limit: Limit, value: int) -> None:
    assert read_amount(limit, typed(limit, value)) == value
    assert isinstance(raising(limit, value), RaiseLimit)


def test_a_raise_has_to_lift_the_limit_above_what_is_used() -> None:
    limit = LimitState(Limit.USD, used=7.0, allowed=5.0, message="")
    assert read_raise(limit, "2.01") == 2.01
    with pytest.raises(ValueError, match=r"the next call needs \$7\.00 in all: type more than 2\.00"):
        read_raise(limit, "2")


def test_little_money_is_not_shown_as_none() -> None:
    assert [money(value) for value in (0, 0.0042, 0.0142, 1234.5)] == ["$0.00", "$0.0042", "$0.01", "$1,234.50"]
    assert [amount(limit, 5_400) for limit in Limit] == ["$5,400.00", "5,400 tokens", "1h30m"]


def test_what_a_person_raised_counts_before_the_settings() -> None:
    state = RunState(settings={"budget_usd": 5.0, "budget_tokens": None, "timeout": "much"})
    assert [state.allowed(limit) for limit in Limit] == [5.0, None, None]
    state.raised = {Limit.USD: 9.0, Limit.TOKENS: 100.0}
    assert [state.allowed(limit) for limit in Limit] == [9.0, 100.0, None]


@pytest.mark.parametrize(
    ("model", "settings", "is_asked"),
    [
        (BUILTIN_MODEL, {}, False),
        (BUILTIN_MODEL, {"iteration_plan_model": None, "fallback_models": []}, False),
        (BUILTIN_MODEL, {"iteration_plan_model": "openai/gpt-5"}, True),
        (BUILTIN_MODEL, {"fallback_models": ["ollama/qwen3"]}, True),
        ("openai/gpt-5", {}, True),
    ],
)
def test_only_the_built_in_policy_costs_nothing(model: str, settings: dict, is_asked: bool) -> None:
    assert asks_a_model(RunState(model=model, settings=settings)) is is_asked
