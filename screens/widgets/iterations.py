"""All iterations in one line each: what was tried and what it scored."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from agents.state import IterationState, RunState, Usage
from agents.vocabulary import IterationStatus
from screens.plain import one_line
from screens.spending import asks_a_model, money
from screens.vocabulary import Look, count, duration, iteration_look, score
from screens.widgets.pane import Pane

_INDENT = 6
_WIDE = 54
"""Cells from which on an iteration's cost has room beside its other figures."""
_ROWS = 200
"""Iterations that a view holds, the newest: more lines than a screen has."""
_DEEPEST = 4
"""Lines of an iteration where there is room for all, a blank one included."""


@dataclass(frozen=True)
class IterationRow:
    """One iteration; ``value`` is its validation score."""

    index: int
    status: IterationStatus
    value: float | None
    words: str
    detail: str
    """What it changed, or why it failed."""
    figures: str
    spent: str
    """What its model calls cost, or their tokens where nobody knows; empty where a run costs nothing."""
    is_best: bool


@dataclass(frozen=True)
class IterationsView:
    """Rows in their order, as many as can be shown."""

    metric: str
    rows: tuple[IterationRow, ...]
    still: Look | None = None
    """What stands in the place of "running" while the run stands still."""


def iterations_view(state: RunState, still: Look | None = None) -> IterationsView:
    best = state.best.iteration if state.best else None
    priced = asks_a_model(state)
    return IterationsView(
        one_line(state.metric),
        tuple(
            IterationRow(
                iteration.index,
                iteration.status,
                iteration.score("validation", state.metric),
                one_line(iteration.combination or iteration.reason),
                one_line(iteration.reason or iteration.change),
                _figures(iteration, state.metric),
                _spent(iteration.usage) if priced else "",
                iteration.index == best,
            )
            for iteration in state.iterations[-_ROWS:]
        ),
        still,
    )


def _figures(iteration: IterationState, metric: str) -> str:
    parts = []
    if sure := iteration.certainty:
        parts += [part for part in (sure.bounds and f"[{sure.bounds}]", sure.gain) if part]
    if (train := iteration.score("train", metric)) is not None:
        parts.append(f"train {score(train)}")
    if iteration.seconds is not None:
        parts.append(duration(iteration.seconds))
    if iteration.split_version is not None:
        parts.append(f"split v{iteration.split_version}")
    return " · ".join(parts)


def _spent(usage: Usage) -> str:
    if not usage.calls:
        return ""
    return f"{count(usage.tokens)} tokens, unpriced" if usage.unpriced else money(usage.cost_usd)


class Iterations(Pane[IterationsView]):
    """The newest iterations that fit."""

    def heading(self, view: IterationsView) -> Content | None:
        return Content(f"Iterations, validation {view.metric}" if view.metric else "Iterations")

    def draw(self, view: IterationsView, width: int, height: int) -> Sequence[Content]:
        if not view.rows:
            return [Content.styled("None yet.", "$text-muted")]
        depth = max(1, min(_DEEPEST, height // len(view.rows)))
        lines = [line for row in view.rows for line in _row(row, view.still, depth, wide=width >= _WIDE)]
        return lines[-height:]


def _row(row: IterationRow, still: Look | None, depth: int, *, wide: bool) -> list[Content]:
    """The iteration in one line; with more ``depth`` what it changed and further figures below it."""
    look = iteration_look(row.status, still)
    value = score(row.value) if row.value is not None else look.word
    head = Content.assemble(
        (f"{row.index:>3} ", "$text-muted"),
        look.mark,
        (f" {value:<8} ", "bold" if row.is_best else "" if row.value is not None else look.style),
        ("◆ " if row.is_best else "  ", "$warning"),
        (row.words, "bold" if row.is_best else ""),
    )
    figures = " · ".join(text for text in (row.figures, row.spent if wide else "") if text)
    below = [text for text in (row.detail, figures) if text][: depth - 1]
    lines = [head, *(Content.styled(" " * _INDENT + text, "$text-muted") for text in below)]
    return [*lines, Content("")] if depth == _DEEPEST else lines
