"""The nine steps of the current iteration, with what its plan changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from textual.content import Content

from agents.state import IterationState, RunState
from agents.vocabulary import IterationStatus, StepName, StepStatus
from screens.plain import one_line
from screens.vocabulary import MODE, Look, duration, iteration_look, short_step, step_look, ticking
from screens.widgets.pane import Pane, cell, justified, wrapped

_WORDS_WIDTH = 8
_TIME_WIDTH = 7


@dataclass(frozen=True)
class StepRow:
    """One step. ``seconds`` is None until it ended."""

    name: StepName
    status: StepStatus
    seconds: float | None
    rejections: int


@dataclass(frozen=True)
class StepsView:
    """The newest iteration; ``index`` is None before the first."""

    index: int | None
    planned: int
    status: IterationStatus
    mode: str
    combination: str
    change: str
    rows: tuple[StepRow, ...]
    still: Look | None = None
    """What stands in the place of "running" while the run stands still."""


def steps_view(state: RunState, still: Look | None = None) -> StepsView:
    iteration = state.iteration
    if iteration is None:
        waiting = tuple(StepRow(name, StepStatus.PENDING, None, 0) for name in StepName)
        return StepsView(None, state.planned_iterations, IterationStatus.RUNNING, "", "", "", waiting)
    return StepsView(
        index=iteration.index,
        planned=max(state.planned_iterations, iteration.index + 1),
        status=iteration.status,
        mode=MODE[iteration.mode] if iteration.mode else "",
        combination=one_line(iteration.combination),
        change=one_line(iteration.change),
        rows=_rows(iteration),
        still=still,
    )


def running_words(state: RunState, now: datetime) -> str:
    """Which step runs and for how long, for a line that ticks; empty where none does."""
    step = state.step
    if step is None or step.started is None or state.status.is_over:
        return ""
    return f"{short_step(step.name)} for {ticking(state.active_since(step.started, now))}"


def _rows(iteration: IterationState) -> tuple[StepRow, ...]:
    return tuple(StepRow(step.name, step.status, step.seconds, step.rejections) for step in iteration.steps.values())


class Steps(Pane[StepsView]):
    """A table where there is room, a strip of two lines where there is not."""

    def heading(self, view: StepsView) -> Content | None:
        if view.index is None:
            return Content("Before the first iteration")
        look = iteration_look(view.status, view.still)
        return Content.assemble(f"Iteration {view.index} ({view.index + 1} of {view.planned}) ", look.text)

    def draw(self, view: StepsView, width: int, height: int) -> Sequence[Content]:
        return _table(view, width, height) if height >= len(view.rows) else _strip(view, width)


def _table(view: StepsView, width: int, height: int) -> list[Content]:
    rows = [_row(row, view.still, width) for row in view.rows]
    spare = height - len(rows)
    head = [Content.styled(view.combination, "bold")] if view.combination and spare >= 1 else []
    if view.mode and spare >= 3:
        head.insert(0, Content.styled(view.mode, "$text-muted"))
    room = spare - len(head)
    change = wrapped(view.change, width, room) if view.change else []
    return [*head, *change, *([Content("")] if head and len(change) < room else []), *rows]


def _row(row: StepRow, still: Look | None, width: int) -> Content:
    look = step_look(row.status, still)
    running = row.status is StepStatus.RUNNING
    name = Content.styled(row.name.label, "bold" if running else "$text-muted" if row.seconds is None else "")
    retries = f"{row.rejections} rejected " if row.rejections else ""
    word = cell(Content.styled(look.word, look.style), _WORDS_WIDTH)
    time = cell(duration(row.seconds) if row.seconds is not None else "", _TIME_WIDTH, right=True)
    return justified(Content.assemble(look.mark, " ", name), Content.assemble((retries, "$warning"), word, time), width)


def _strip(view: StepsView, width: int) -> list[Content]:
    """The steps as short words in a row, and what is tried below them."""
    words = [
        Content.assemble(step_look(row.status, view.still).mark, (short_step(row.name), _word_style(row.status)))
        for row in view.rows
    ]
    tried = f"{view.combination}: {view.change}" if view.combination else "no plan yet"
    return [Content(" ").join(words), Content.styled(tried, "$text-muted")]


def _word_style(status: StepStatus) -> str:
    return {StepStatus.RUNNING: "bold $accent", StepStatus.PENDING: "$text-muted"}.get(status, "")
