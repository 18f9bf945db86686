"""When a run will be done and what it will have cost, as a range. A pure function of its state.

What is left is as many iterations as are planned, and the steps that are left of the current one, each as long and as
dear as those of the done ones were on average. Iterations that failed are left out as long as one is done: most break
off early, and the run would seem to be shorter than it is if the rest of it goes well. The range is the 80 % prediction
interval of such a sum, with a least spread, since a few iterations that happened to be alike promise nothing. Time on
hold is no work and counts nowhere; the final evaluation, short beside iterations, is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import fmean, stdev
from typing import Final

from agents.limits import working_time_left
from agents.state import IterationState, RunState, StepState
from agents.vocabulary import IterationStatus, Limit, StepStatus

_EIGHTY_PERCENT: Final = 1.28
"""Standard deviations on either side."""
_LEAST_SPREAD: Final = 0.2
"""Of the mean."""


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``; ``middle`` is expected."""

    low: float
    middle: float
    high: float

    def at_most(self, most: float) -> "Range":
        return Range(min(self.low, most), min(self.middle, most), min(self.high, most))

    def times(self, factor: float) -> "Range":
        return Range(self.low * factor, self.middle * factor, self.high * factor)

    def plus(self, amount: float) -> "Range":
        return Range(self.low + amount, self.middle + amount, self.high + amount)


@dataclass(frozen=True)
class Forecast:
    """What is to come."""

    seconds: Range
    """Of work that is left."""
    cost_usd: Range | None
    """Of the whole run at its end, what was spent included; None where a price is not known."""
    limit: Limit | None = None
    """A limit that may end the run, or hold it, before its iterations are done; the range reaches no further."""
    is_certain: bool = False
    """The limit is reached even by the low end of what is forecast."""
    by_failed: bool = False
    """There were failed iterations only to go by."""

    def end(self, now: datetime) -> tuple[datetime, datetime]:
        """Between which moments the run is done, if it works on from ``now``."""
        return now + timedelta(seconds=self.seconds.low), now + timedelta(seconds=self.seconds.high)


def finished_iterations(state: RunState) -> list[IterationState]:
    """Those that a forecast can go by: the done ones, or the failed ones where there are no others.

    One that a person skipped is not typical.
    """
    whole = [it for it in state.iterations if it.seconds and not it.is_cut_off]
    done = [it for it in whole if it.status is IterationStatus.DONE]
    return done or [it for it in whole if it.status is IterationStatus.FAILED]


def forecast(state: RunState, now: datetime) -> Forecast | None:
    """None before an iteration is finished, where nothing is left to iterate, and where the run is over."""
    done = finished_iterations(state)
    if state.status.is_over or not done:
        return None
    current = state.iteration
    running = current if current is not None and current.status is IterationStatus.RUNNING else None
    more = 0 if state.stop_asked else max(0, state.planned_iterations - len(state.iterations))
    if running is None and more == 0:
        return None

    def left(of_iteration: Callable[[IterationState], float], of_step: Callable[[StepState], float]) -> Range:
        rest = 0.0 if running is None else _rest(running, done, of_step)
        return _sum([of_iteration(iteration) for iteration in done], more, rest)

    seconds = left(lambda it: it.seconds or 0.0, lambda step: _seconds(state, step, now))
    cost = left(lambda it: it.usage.cost_usd, lambda step: step.usage.cost_usd)
    tokens = left(lambda it: float(it.usage.tokens), lambda step: float(step.usage.tokens))
    reached = _first_limit(state, now, {Limit.TIME: seconds, Limit.TOKENS: tokens, Limit.USD: cost})
    if reached is not None and reached.is_certain:
        seconds, cost = seconds.times(reached.share), cost.times(reached.share)
    if (time := working_time_left(state, now)) is not None:
        seconds = seconds.at_most(max(0.0, time))
    if (money := _left(state.allowed(Limit.USD), state.usage.cost_usd)) is not None:
        cost = cost.at_most(max(0.0, money))
    total = None if state.usage.unpriced else cost.plus(state.usage.cost_usd)
    return Forecast(
        seconds,
        total,
        reached.limit if reached else None,
        is_certain=bool(reached and reached.is_certain),
        by_failed=done[0].status is IterationStatus.FAILED,
    )


def _sum(lengths: Sequence[float], more: int, rest: float) -> Range:
    """What ``more`` iterations like those of ``lengths`` take, and a ``rest`` of one."""
    mean = fmean(lengths)
    spread = max(stdev(lengths) if len(lengths) > 1 else 0.0, _LEAST_SPREAD * mean)
    many = more + (rest / mean if mean else 0.0)
    middle = more * mean + rest
    # Each iteration to come varies by itself; that the mean is known from a few only is the same error in all of them.
    half = _EIGHTY_PERCENT * spread * sqrt(many + many**2 / len(lengths))
    return Range(max(0.0, middle - half), middle, middle + half)


def _rest(running: IterationState, done: Sequence[IterationState], of_step: Callable[[StepState], float]) -> float:
    """What the steps that are left of an iteration take, by what the same steps took in finished ones."""
    rest = 0.0
    for name, step in running.steps.items():
        before = [of_step(it.steps[name]) for it in done if it.steps[name].status is StepStatus.DONE]
        if before and step.status in (StepStatus.PENDING, StepStatus.RUNNING):
            rest += max(0.0, fmean(before) - of_step(step))
    return rest


def _seconds(state: RunState, step: StepState, now: datetime) -> float:
    if step.status is StepStatus.RUNNING and step.started is not None:
        return state.active_since(step.started, now)
    return step.seconds or 0.0


@dataclass(frozen=True)
class _Reached:
    limit: Limit
    share: float
    """Of what is expected to be needed, what the limit leaves."""
    is_certain: bool


def _first_limit(state: RunState, now: datetime, needs: Mapping[Limit, Range]) -> _Reached | None:
    """The limit that may end the run first."""
    have = {
        Limit.TIME: working_time_left(state, now),
        Limit.TOKENS: _left(state.allowed(Limit.TOKENS), state.usage.tokens),
        Limit.USD: _left(state.allowed(Limit.USD), state.usage.cost_usd),
    }
    reached = [
        _Reached(limit, max(0.0, left) / needs[limit].middle, is_certain=needs[limit].low > left)
        for limit, left in have.items()
        if left is not None and needs[limit].high > left and needs[limit].middle > 0
    ]
    return min(reached, key=lambda one: one.share, default=None)


def _left(allowed: float | None, used: float) -> float | None:
    return None if allowed is None else allowed - used
