"""What a run may spend, in figures that a person reads and types. Pure, and without Textual: logs use it too."""

import math
import re
from typing import Final

from agents.state import LimitState, RunState, Usage
from agents.vocabulary import BUILTIN_MODEL, Limit, RunStatus
from screens.figures import duration

_EXAMPLE: Final = {
    Limit.USD: "an amount such as 5 or 2.50",
    Limit.TOKENS: "a number such as 200000, 200k or 1.5M",
    Limit.TIME: "a time such as 90s, 30m or 1h30m",
}
_TIMES: Final = {"k": 1_000, "m": 1_000_000}
_TOKENS: Final = re.compile(r"(\d+(?:\.\d+)?)([km]?)", re.IGNORECASE)
_TIME: Final = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", re.IGNORECASE)

UNITS: Final = {Limit.USD: "US dollars", Limit.TOKENS: "tokens", Limit.TIME: "of time"}
"""What stands behind a number that a person types."""


def standing_at(state: RunState) -> LimitState | None:
    """The limit that holds the run and waits for a person; None where none does."""
    return state.limit if state.status is RunStatus.HELD else None


def asks_a_model(state: RunState) -> bool:
    """Whether the run asks any model but the built-in policy, which costs nothing and answers at once."""
    fallbacks = state.settings.get("fallback_models")
    others = fallbacks if isinstance(fallbacks, list | tuple) else ()
    models = {state.model, state.settings.get("iteration_plan_model"), *others}
    return not models <= {"", None, BUILTIN_MODEL}


def money(usd: float) -> str:
    """``$5.00``; below a cent ``$0.0042``, so that little is not shown as nothing."""
    return f"${usd:.4f}" if 0 < usd < 0.01 else f"${usd:,.2f}"


def cost_words(usage: Usage, allowed: float | None) -> str:
    """``$0.42 of $5.00``, with ``unpriced`` where the price of some or of all is not known."""
    of = "" if allowed is None else f" of {money(allowed)}"
    if usage.unpriced == 0:
        return f"{money(usage.cost_usd)}{of}"
    return f"{money(usage.cost_usd)}{of} + unpriced" if usage.cost_usd else "unpriced"


def amount(limit: Limit, value: float) -> str:
    """``$5.00``, ``200,000 tokens``, ``1h30m``."""
    match limit:
        case Limit.USD:
            return money(value)
        case Limit.TOKENS:
            return f"{value:,.0f} tokens"
        case Limit.TIME:
            return duration(value)


def typed(limit: Limit, value: float) -> str:
    """``value`` as a person would type it; :func:`read_amount` reads it."""
    match limit:
        case Limit.USD:
            return f"{value:.2f}" if value >= 0.01 else f"{value:.6f}"
        case Limit.TOKENS:
            return f"{math.ceil(value):,}"
        case Limit.TIME:
            minutes, seconds = divmod(math.ceil(value), 60)
            hours, minutes = divmod(minutes, 60)
            return "".join(f"{part}{unit}" for part, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if part)


def read_amount(limit: Limit, text: str) -> float:
    """US dollars, tokens or seconds that a person typed; raises ``ValueError`` with what to type instead."""
    text = text.strip().replace(",", "").replace("_", "").replace(" ", "")
    value = 0.0
    match limit:
        case Limit.USD if re.fullmatch(r"\$?(\d+\.?\d*|\.\d+)", text):
            value = float(text.removeprefix("$"))
        case Limit.TOKENS if found := _TOKENS.fullmatch(text):
            value = float(round(float(found[1]) * _TIMES.get(found[2].lower(), 1)))
        case Limit.TIME if text and (found := _TIME.fullmatch(text)):
            value = sum(float(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))
        case _:
            pass
    if not 0 < value < 1e15:
        raise ValueError(f"type {_EXAMPLE[limit]}")
    return value


def read_raise(limit: LimitState, text: str) -> float:
    """By how much a person raises ``limit``; raises ``ValueError`` where it is no amount or the run could not go on."""
    value = read_amount(limit.limit, text)
    needed = max(limit.used, limit.needed)
    if limit.allowed + value <= needed:
        least = typed(limit.limit, needed - limit.allowed)
        raise ValueError(f"the next call needs {amount(limit.limit, needed)} in all: type more than {least}")
    return value


def suggested(limit: LimitState) -> float:
    """By how much to raise ``limit`` where nobody says otherwise: as much again, or twice what is missing."""
    return max(limit.allowed, 2 * (limit.needed - limit.allowed), 0.01)
