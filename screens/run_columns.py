"""What is told of a run in a list of runs: columns, cells and their words, for the screen and for plain text."""

from dataclasses import dataclass
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
    """One column. ``grows``: its share of the width that is left over."""

    key: str
    label: str
    width: int
    right: bool = False
    grows: int = 0
    at_most: int = 0
    from_width: int = 0
    """Cells for the table below which the column is left out."""


_COLUMNS: Final = (
    Column("state", "State", 11),
    Column("run", "Run", 24, grows=2, at_most=48, from_width=113),
    Column("dataset", "Dataset", 11, grows=3, at_most=36),
    Column("model", "Model", 12, grows=2, at_most=32, from_width=100),
    Column("iteration", "Iter", 5, right=True),
    Column("metric", "Metric", 8),
    Column("best", "Best", 7, right=True),
    Column("test", "Test", 7, right=True),
    Column("tokens", "Tokens", 6, right=True, from_width=150),
    Column("cost", "Cost", 7, right=True, from_width=150),
    Column("elapsed", "Time", 6, right=True),
    Column("age", "Age", 4, right=True),
)


def columns_for(width: int) -> list[Column]:
    """The columns that ``width`` cells hold: their widths and a gap of two between each two add up to it.

    What is left over goes to the texts that are cut, until they are wide enough.
    """
    shown = [column for column in _COLUMNS if width >= column.from_width]
    widths = {column.key: column.width for column in shown}
    spare = width - sum(widths.values()) - GAP * (len(shown) - 1)
    growing = [column for column in shown if column.grows]
    while spare > 0 and growing:
        for column in growing:
            added = min(column.grows, spare, column.at_most - widths[column.key])
            widths[column.key] += added
            spare -= added
        growing = [column for column in growing if widths[column.key] < column.at_most]
    return [Column(c.key, c.label, widths[c.key], c.right) for c in shown]


def cells_of(run: RunSummary, now: datetime) -> dict[str, tuple[str, str]]:
    """Text and style of every cell of a run."""
    look = state_look(run)
    arrow = ("▲ " if run.higher_is_better else "▼ ") if run.metric else ""
    iteration = MISSING if run.iteration is None else str(run.iteration + 1)
    cost = MISSING if run.unpriced_calls and not run.cost_usd else f"${run.cost_usd:.2f}"
    return {
        "state": (f"{look.glyph} {look.word}", look.style),
        "run": (one_line(run.run_id), ""),
        "dataset": (one_line(run.dataset), ""),
        "model": (one_line(run.model), MUTED),
        "iteration": (f"{iteration}/{run.planned_iterations}", ""),
        "metric": (f"{arrow}{one_line(run.metric)}" or MISSING, MUTED),
        "best": (score(run.best), "bold" if run.best is not None else MUTED),
        "test": (score(run.test), "" if run.test is not None else MUTED),
        "tokens": (count(run.tokens), MUTED),
        "cost": (cost, MUTED),
        "elapsed": (rough(run.elapsed), ""),
        "age": (age((now - run.created).total_seconds()), MUTED),
    }


def state_look(run: RunSummary) -> Look:
    """Look of the run in a narrow column."""
    if run.unreadable:
        return UNREADABLE
    look = run_look(run.status, run.engine_alive)
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
