"""What happened to a run since a person last looked. Pure; who keeps the marker is ``agentomics_tui/last_seen.py``."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agents.state import IterationState, RunState
from agents.vocabulary import IterationStatus, RunStatus
from screens.figures import duration, score
from screens.plain import one_line
from screens.spending import asks_a_model, money, standing_at
from screens.vocabulary import RUN

AWAY_SECONDS: Final = 180.0
"""Who was away for less has missed nothing, unless an iteration ended meanwhile."""
_FAILURES: Final = 2
"""Failures that are told one by one."""


@dataclass(frozen=True)
class Seen:
    """What a person saw last of a run, as far as it takes to tell what came after. Money in US dollars."""

    seq: int
    """Of the newest event."""
    time: datetime
    iterations: int
    """That had ended."""
    best: float | None
    split_version: int | None
    """On which the best was scored: scores of different splits are not compared."""
    cost_usd: float
    active: float
    """Seconds that the run had worked."""


@dataclass(frozen=True)
class AwayView:
    """The card: a title, and label and line of what happened. Everything is harmless text."""

    title: str
    lines: tuple[tuple[str, str], ...]


def seen_of(state: RunState, now: datetime) -> Seen:
    """The marker for a person who sees ``state``."""
    best = state.best
    return Seen(
        seq=state.last_seq,
        time=now,
        iterations=len(_ended(state)),
        best=best.value if best else None,
        split_version=best.split_version if best else None,
        cost_usd=state.usage.cost_usd,
        active=state.active(now).total_seconds(),
    )


def away_view(seen: Seen | None, state: RunState, now: datetime, *, engine_alive: bool = True) -> AwayView | None:
    """What is to be told; None to one who sees the run for the first time, or has missed nothing."""
    if seen is None or state.last_seq <= seen.seq:
        return None
    since = _ended(state)[seen.iterations :]
    away = max(0.0, (now - seen.time).total_seconds())
    if away < AWAY_SECONDS and not since:
        return None
    lines = (
        *_done(state, since),
        ("best", _best(seen, state)),
        ("took", _took(seen, state, now if engine_alive else state.last_event or now)),
        *_failures(since),
        *_waiting(state, engine_alive=engine_alive),
    )
    return AwayView(f"Since you were away ({duration(away)})", tuple(line for line in lines if line[1]))


def _ended(state: RunState) -> list[IterationState]:
    return [iteration for iteration in state.iterations if iteration.status is not IterationStatus.RUNNING]


def _done(state: RunState, since: list[IterationState]) -> Iterator[tuple[str, str]]:
    if state.status.is_over:
        look = RUN[state.status]
        why = f": {one_line(state.reason)}" if state.reason else ""
        yield "ended", f"{look.glyph} the run {_how(state.status)}{why}"
    if not since:
        yield "done", "no iteration ended; the current one goes on" if not state.status.is_over else ""
        return
    first, last = since[0].index, since[-1].index
    which = f"iteration {first}" if first == last else f"iterations {first} to {last}"
    failed = sum(iteration.status is IterationStatus.FAILED for iteration in since)
    yield "done", f"{which} of {max(state.planned_iterations, last + 1)}{f', {failed} failed' if failed else ''}"


def _how(status: RunStatus) -> str:
    return {RunStatus.STOPPED: "was stopped", RunStatus.REFUSED: "was refused"}.get(status, status.value)


def _best(seen: Seen, state: RunState) -> str:
    best = state.best
    if best is None:
        return "none yet"
    metric, now = one_line(state.metric), score(best.value)
    if seen.best is None:
        return f"{metric} {now}, the first one (iteration {best.iteration})"
    if best.split_version != seen.split_version:
        return f"{metric} {now} on a new split (iteration {best.iteration}); before {score(seen.best)} on the old one"
    if best.value == seen.best:
        return f"{metric} {now}, as before"
    return f"{metric} {score(seen.best)} → {now} (iteration {best.iteration})"


def _took(seen: Seen, state: RunState, now: datetime) -> str:
    worked = duration(max(0.0, state.active(now).total_seconds() - seen.active))
    if not asks_a_model(state):
        return f"{worked} of work"
    unpriced = " and calls without a known price" if state.usage.unpriced else ""
    return f"{worked} of work for {money(max(0.0, state.usage.cost_usd - seen.cost_usd))}{unpriced}"


def _failures(since: list[IterationState]) -> Iterator[tuple[str, str]]:
    failed = [iteration for iteration in since if iteration.status is IterationStatus.FAILED]
    for iteration in failed[-_FAILURES:]:
        yield "failed", f"iteration {iteration.index}: {one_line(iteration.reason) or 'without a reason'}"
    if len(failed) > _FAILURES:
        yield "", f"and {len(failed) - _FAILURES} before"


def _waiting(state: RunState, *, engine_alive: bool) -> Iterator[tuple[str, str]]:
    """What does not go on without the person."""
    if state.status.is_over:
        return
    if not engine_alive:
        yield "waits", "its engine is gone; p resumes the run"
    elif approval := state.approval:
        yield "waits", f"for your approval of the {approval.gate}: {one_line(approval.title)}"
    elif limit := standing_at(state):
        yield "waits", f"for you at its limit: {one_line(limit.message)}"
    elif state.status is RunStatus.HELD:
        yield "waits", f"it stands still: {one_line(state.reason)}; p goes on"
    notes = [note for note in state.notes.values() if note.waits]
    if notes:
        yield "note", f"not delivered yet: {one_line(notes[-1].text)}"
