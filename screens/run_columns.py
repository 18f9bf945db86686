"""What is told of a run in a list of runs: columns, cells and their words, for the screen and for plain text."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from agents.run_summary import RunSummary
from screens.plain import one_line
from screens.vocabulary import ENGINE_GONE, MISSING, UNREADABLE, Look, count, duration, run_look, score

GAP: Final = 2
"""Blank cells between two columns."""
MUTED: Final = "$foreground 60%"


@dataclass(frozen=True)
class Column:
    """One column: ``width`` is what it needs at least, until its content is known."""

    key: str
    label: str
    width: int
    right: bool = False
    at_least: int = 0
    """Cells to which it may be cut where it would not fit whole; 0 where it is whole or not there."""
    at_most: int = 0
    """Cells beyond which its texts are cut; 0 for none."""


_COLUMNS: Final = (
    Column("state", "State", 9),
    Column("run", "Run", 12, at_least=1),
    Column("dataset", "Dataset", 7, at_least=12, at_most=36),
    Column("model", "Model", 12, at_least=12, at_most=32),
    Column("iteration", "Iter", 4, right=True),
    Column("metric", "Metric", 7),
    Column("best", "Best", 6, right=True),
    Column("test", "Test", 6, right=True),
    Column("tokens", "Tokens", 6, right=True),
    Column("cost", "Cost", 5, right=True),
    Column("elapsed", "Time", 5, right=True),
    Column("age", "Age", 3, right=True),
)
_IMPORTANCE: Final = (
    "state",
    "run",
    "best",
    "test",
    "iteration",
    "metric",
    "age",
    "dataset",
    "elapsed",
    "model",
    "tokens",
    "cost",
)
"""Which columns stay longest where the list is narrow. An id holds the date and the dataset, mostly."""


def columns_for(width: int, needed: Mapping[str, int]) -> list[Column]:
    """The columns that ``width`` cells hold, as wide as ``needed`` says that their widest text is.

    The least important ones go first; the last one that stays may be cut. With gaps of two they never exceed ``width``.
    """
    by_key = {column.key: column for column in _COLUMNS}
    kept: dict[str, Column] = {}
    room = width
    for key in _IMPORTANCE:
        column = by_key[key]
        wanted = max(column.width, needed.get(key, 0))
        wanted = min(wanted, column.at_most) if column.at_most else wanted
        gap = GAP if kept else 0
        fits = min(wanted, room - gap)
        if fits < wanted and not 0 < column.at_least <= fits:
            break
        kept[key] = replace(column, width=fits)
        room -= fits + gap
        if fits < wanted:
            break
    return [kept[column.key] for column in _COLUMNS if column.key in kept]


def cells_of(run: RunSummary, now: datetime) -> dict[str, tuple[str, str]]:
    """Text and style of every cell of a run."""
    look = state_look(run)
    iteration = MISSING if run.iteration is None else str(run.iteration + 1)
    cost = MISSING if run.unpriced_calls and not run.cost_usd else f"${run.cost_usd:.2f}"
    return {
        "state": (f"{look.glyph} {look.word}", look.style),
        "run": (one_line(run.run_id), ""),
        "dataset": (one_line(run.dataset), ""),
        "model": (one_line(run.model), MUTED),
        "iteration": (f"{iteration}/{run.planned_iterations}", ""),
        "metric": (metric_words(run) if run.metric else MISSING, MUTED),
        "best": (score(run.best), "bold" if run.best is not None else MUTED),
        "test": (score(run.test), "" if run.test is not None else MUTED),
        "tokens": (count(run.tokens), MUTED),
        "cost": (cost, MUTED),
        "elapsed": (rough(run.elapsed), ""),
        "fork": (one_line(run.fork_of), MUTED),
        "age": (age((now - run.created).total_seconds()), MUTED),
    }


def metric_words(run: RunSummary) -> str:
    """The metric that a run has, and which way it improves."""
    return f"{'▲' if run.higher_is_better else '▼'} {one_line(run.metric)}"


def state_look(run: RunSummary) -> Look:
    """Look of the run in a narrow column."""
    if run.unreadable:
        return UNREADABLE
    look = run_look(run.status, run.engine_alive, at_limit=run.at_limit)
    return Look(look.glyph, "no engine", look.style) if look is ENGINE_GONE else look


def rough(seconds: float) -> str:
    """A duration in minutes from the first minute on, so that a list of running clocks does not flicker."""
    if seconds < 60:
        return f"{int(max(0.0, seconds))}s"
    return f"{int(seconds // 60)}m" if seconds < 3600 else duration(seconds)


def age(seconds: float) -> str:
    """How long ago, in one unit: ``<1m``, ``7m``, ``3h``, ``12d``."""
    minutes = int(max(0.0, seconds) // 60)
    if minutes < 1:
        return "<1m"
    if minutes < 60:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 48 * 60 else f"{minutes // 1440}d"


def is_match(run: RunSummary, wanted: str) -> bool:
    """Whether every word of the filter stands in what the list says of the run, in any case."""
    said = " ".join([run.run_id, run.dataset, run.model, run.metric, state_look(run).word]).casefold()
    return all(word in said for word in wanted.casefold().split())
