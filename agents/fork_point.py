"""Where a fork leaves its parent: which events both share, and with what the fork goes on. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.errors import UserError
from agents.events import Event, IterationFinished, IterationStarted, StepFinished, StepSkipped, StepStarted
from agents.fold import fold
from agents.state import RunState
from agents.vocabulary import IterationStatus, StepName, StepStatus
from agents.wording import counted

_OVER: Final = (StepStatus.DONE, StepStatus.SKIPPED)


@dataclass(frozen=True)
class ForkPoint:
    """A place between two events of the parent's journal."""

    seq: int
    """Of the last event that is shared."""
    state: RunState
    """The parent's, folded up to there."""
    iteration: int
    """With which the fork goes on."""
    step: StepName | None
    """With which it goes on; None at the beginning of an iteration."""


def find_fork_point(
    events: Sequence[Event], iteration: int | None = None, step: StepName | None = None, iterations: int | None = None
) -> ForkPoint:
    """The beginning of ``step`` of ``iteration``, or of the iteration; without both, behind the last finished step.

    ``step`` alone means the newest iteration that has come to it. ``iterations`` is how many the fork plans, those it
    shares included. Raises :class:`UserError` where the parent has not come so far, or nothing would be left to do.
    """
    seq = _last_shared(events, iteration, step)
    state = fold(event for event in events if event.seq <= seq)
    place, next_step = _next(state)
    if iterations is not None and place >= iterations:
        begun = place + 1 if next_step else place
        raise UserError(
            f"nothing is left to do there: {counted(begun, 'iteration')} begun, and --iterations is {iterations}; "
            "give more, or an earlier place with --iteration"
        )
    return ForkPoint(seq, state, place, next_step)


def _last_shared(events: Sequence[Event], iteration: int | None, step: StepName | None) -> int:
    behind_finished = next(
        (event.seq for event in reversed(events) if isinstance(event, StepFinished | StepSkipped | IterationFinished)),
        None,
    )
    if iteration is None and step is None:
        if behind_finished is None:
            raise UserError("no step of it is finished, so there is nothing to share; start it anew with: run DATASET")
        return behind_finished
    if step is not None:
        begun = {event.iteration for event in events if isinstance(event, StepStarted) and event.step is step}
        iteration = (
            max((number for number in begun if number is not None), default=0) if iteration is None else iteration
        )
    # Of several attempts at a step the first one counts: what came after its start is no finished work.
    wanted = StepStarted if step else IterationStarted
    for event in events:
        if isinstance(event, wanted) and event.iteration == iteration and event.step == step:
            return event.seq - 1
    if behind_finished is not None:
        reached = _next(fold(event for event in events if event.seq <= behind_finished))
        if reached == (iteration, step) or (step is StepName.ITERATION_PLAN and reached == (iteration, None)):
            return behind_finished
    raise UserError(_not_reached(events, iteration, step))


def _next(state: RunState) -> tuple[int, StepName | None]:
    """Iteration and step with which an engine goes on; no step where the iteration has yet to begin."""
    for iteration in state.iterations:
        if iteration.status is IterationStatus.RUNNING:
            step = next((name for name, step in iteration.steps.items() if step.status not in _OVER), None)
            return iteration.index, step
    return len(state.iterations), None


def _not_reached(events: Sequence[Event], iteration: int | None, step: StepName | None) -> str:
    begun = sorted({event.iteration for event in events if isinstance(event, IterationStarted)} - {None})  # type: ignore[type-var]
    if iteration in begun and step is not None:
        return f"--step {step}: iteration {iteration} did not come to it"
    has = f"iterations 0 to {begun[-1]}" if len(begun) > 1 else "iteration 0" if begun else "no iteration"
    return f"--iteration {iteration}: the run has {has}"
