"""The limits of a run: money, tokens and time, and what is left of each. Pure functions of the run's state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agents.models.gateway import ModelFacts
from agents.settings import RunSettings
from agents.state import RunState
from agents.vocabulary import Limit

_EXPECTED_OUTPUT: Final = 1000
"""Tokens of a reply, before any was seen."""
_RESERVE_SHARE: Final = 0.05
_LEAST_RESERVE: Final = 15.0
_MOST_RESERVE_SHARE: Final = 0.2


@dataclass(frozen=True)
class Breach:
    """A limit that keeps a call from being made."""

    limit: Limit
    used: float
    allowed: float
    needed: float
    """What would have to be allowed in all."""
    message: str


def time_left(state: RunState, now: datetime) -> float | None:
    """Seconds until the time limit, the reserve for the end included; time on hold does not count."""
    limit = state.allowed(Limit.TIME)
    return None if limit is None else limit - state.active(now).total_seconds()


def reserve(limit: float) -> float:
    """Seconds of a time limit that are kept for the final evaluation and the report."""
    return min(max(_LEAST_RESERVE, _RESERVE_SHARE * limit), _MOST_RESERVE_SHARE * limit)


def working_time_left(state: RunState, now: datetime) -> float | None:
    """Seconds left for iterations: the reserve for the end is taken off."""
    limit = state.allowed(Limit.TIME)
    left = time_left(state, now)
    return None if limit is None or left is None else left - reserve(limit)


def breach(state: RunState, now: datetime, *, input_tokens: int = 0, facts: ModelFacts | None = None) -> Breach | None:
    """Why a call must not be made now.

    With ``facts`` of a model it is a call of that model with ``input_tokens``, which must be affordable; without them
    it is a tool call, which takes time only.
    """
    if facts is None:
        return _breach_of_time(state, now)
    output = expected_output(state)
    return (
        _breach_of_time(state, now)
        or _breach_of_tokens(state, input_tokens + output)
        or _breach_of_money(state, facts.price(input_tokens, output) or 0.0)
    )


def _breach_of_time(state: RunState, now: datetime) -> Breach | None:
    limit, left = state.allowed(Limit.TIME), working_time_left(state, now)
    if limit is None or left is None or left > 0:
        return None
    kept = f"{reserve(limit):.0f} s of it are kept for the final evaluation"
    line = f"the time limit of {limit:.0f} s is reached; {kept}"
    used = state.active(now).total_seconds()
    return Breach(Limit.TIME, used, limit, used + reserve(limit), line)


def _breach_of_tokens(state: RunState, needed: int) -> Breach | None:
    used, limit = state.usage.tokens, state.allowed(Limit.TOKENS)
    if limit is None or used + needed <= limit:
        return None
    line = f"{used:,} of {limit:,.0f} tokens are used, and the next model call needs about {needed:,}"
    return Breach(Limit.TOKENS, used, limit, used + needed, line)


def _breach_of_money(state: RunState, needed: float) -> Breach | None:
    used, limit = state.usage.cost_usd, state.allowed(Limit.USD)
    if limit is None or used + needed <= limit:
        return None
    line = f"${used:.4f} of ${limit:.4f} are spent, and the next model call may cost ${needed:.4f}"
    return Breach(Limit.USD, used, limit, used + needed, line)


def expected_output(state: RunState) -> int:
    """Tokens of a typical reply of this run so far."""
    answered = state.usage.calls - state.usage.failed
    return round(state.usage.output_tokens / answered) if answered else _EXPECTED_OUTPUT


def unpriced(settings: RunSettings, facts_of: Callable[[str], ModelFacts]) -> Sequence[str]:
    """Models of the run whose price nobody knows: a budget in dollars cannot hold with them."""
    return [model for model in settings.models if not facts_of(model).is_priced]
