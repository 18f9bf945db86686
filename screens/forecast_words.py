"""The forecast in words. Pure, and without Textual: ``status`` uses them too."""

from datetime import datetime
from typing import Final

from agents.forecast import Forecast, Range, finished_iterations, forecast
from agents.state import RunState
from agents.vocabulary import IterationStatus, Limit
from screens.figures import duration
from screens.spending import amount, asks_a_model, money

_BY_FAILED: Final = "by failed iterations only"


def forecast_words(state: RunState, now: datetime, *, stands: bool = False) -> tuple[str, ...]:
    """Wordings, the longest first; none where there is nothing to tell. Moments are in this machine's time zone.

    ``stands``: the run is held or has no engine, so that only the work that is left can be told.
    """
    if state.status.is_over or not state.iterations:
        return ()
    coming = forecast(state, now)
    if coming is None:
        if not finished_iterations(state):
            return ("no forecast before the first iteration is done", "no forecast yet")
        current = state.iterations[-1]
        ended = current.status is not IterationStatus.RUNNING and len(state.iterations) >= state.planned_iterations
        return ("all iterations are done",) if ended else ()
    when = _work_left(coming) if stands else _moments(coming, now)
    dear = when
    if asks_a_model(state) and coming.cost_usd is not None:
        dear += f", {_money(coming.cost_usd)} in all" if stands else f" for {_money(coming.cost_usd)}"
    remarks = [_at_limit(state, coming), _BY_FAILED if coming.by_failed else ""]
    remark = "".join(f" · {one}" for one in remarks if one)
    wordings = (f"{dear}{remark}", f"{when}{remark}") if remark else ()
    return tuple(dict.fromkeys((*wordings, dear, when)))


def _at_limit(state: RunState, coming: Forecast) -> str:
    if coming.limit is None:
        return ""
    allowed = state.allowed(coming.limit) or 0.0
    what = "its time limit" if coming.limit is Limit.TIME else f"its {amount(coming.limit, allowed)}"
    return f"reaches {what}" if coming.is_certain else f"may reach {what}"


def _work_left(coming: Forecast) -> str:
    low, high = duration(coming.seconds.low), duration(coming.seconds.high)
    return f"{low} to {high} of work left" if low != high else f"{high} of work left"


def _moments(coming: Forecast, now: datetime) -> str:
    first, last = (moment.astimezone() for moment in coming.end(now))
    here = now.astimezone().date()
    start = f"{first:%H:%M}" if first.date() == here else f"{first:%a %H:%M}"
    end = f"{last:%H:%M}" if last.date() == first.date() else f"{last:%a %H:%M}"
    if (last.date() - here).days > 6:
        start, end = f"{first:%d %b}", f"{last:%d %b}"
    return f"done about {start}" if start == end else f"done about {start}–{end}"


def _money(cost: Range) -> str:
    low, high = money(cost.low), money(cost.high)
    return low if low == high else f"{low}–{high.removeprefix('$')}"
