"""The list of runs as plain text: the words and numbers of the run library, for a terminal or a pipe."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len

from agents.run_summary import RunSummary
from screens.run_columns import cells_of
from screens.vocabulary import shorten

_COLUMNS: Final = {
    "run": "Run",
    "state": "State",
    "dataset": "Dataset",
    "iteration": "Iter",
    "metric": "Metric",
    "best": "Best",
    "test": "Test",
    "age": "Age",
}
_RIGHT: Final = {"iteration", "best", "test", "age"}
_FORK: Final = {"fork": "Fork of"}
"""A column of its own where a run is a fork."""
_CUT: Final = {"run": 12, "dataset": 8, "fork": 10}
"""Columns that give way where the line is too narrow, and how far."""
_GAP: Final = "  "


def run_table(runs: Sequence[RunSummary], now: datetime, width: int | None) -> Iterator[str]:
    """A header and a line for each run, in at most ``width`` cells; None cuts nothing."""
    columns = _COLUMNS | _FORK if any(run.fork_of for run in runs) else _COLUMNS
    rows = [{key: text for key, (text, _) in cells_of(run, now).items()} for run in runs]
    widths = {
        key: max(cell_len(text) for text in (label, *(row[key] for row in rows))) for key, label in columns.items()
    }
    if width is not None:
        _narrow(widths, sum(widths.values()) + len(_GAP) * (len(widths) - 1) - width)
    yield _line(columns, widths)
    for row in rows:
        yield _line(row, widths)


def _narrow(widths: dict[str, int], excess: int) -> None:
    """Take ``excess`` cells from the widest of the columns that may be cut, one after the other."""
    for _ in range(excess):
        widest = max(_CUT.keys() & widths.keys(), key=lambda key: widths[key] - _CUT[key])
        if widths[widest] <= _CUT[widest]:
            return
        widths[widest] -= 1


def _line(row: dict[str, str], widths: dict[str, int]) -> str:
    cells = []
    for key, width in widths.items():
        text = shorten(row[key], width)
        blank = " " * (width - cell_len(text))
        cells.append(blank + text if key in _RIGHT else text + blank)
    return _GAP.join(cells).rstrip()
