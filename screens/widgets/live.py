"""The live pane: what the model says and what its tool prints, as it happens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from textual.content import Content

from agents.models.stream import ReplyProgress
from agents.program import to_type
from agents.state import ModelCallState, RunState, StepState, ToolCallState
from agents.vocabulary import TRAINING_REPORT, RunStatus, StepName, StepStatus
from agents.wording import counted
from screens.notices import OF_AN_END
from screens.plain import harmless, one_line
from screens.reply import ReplyPart, reply_parts
from screens.spending import asks_a_model
from screens.vocabulary import RUN, Look, score, short_step, shorten, tool_look
from screens.widgets.pane import Pane, fitted, labelled, wrapped

_LABELS = 9
_BAR, _SHORTEST_BAR = 20, 5
_TALL = 8
_OF_EARLIER = 2
"""Lines kept for each part of a reply before the newest one, where there are more than ``_TALL`` for all."""
_FOR_PROGRAMS: Final = (TRAINING_REPORT, "RESULT: {", "SAVED: {")
"""Beginnings of the lines that a script prints for a program: training reports, and what the built-in policy reads."""
NO_REPLY_YET: Final = ReplyProgress()


@dataclass(frozen=True)
class LiveView:
    """Everything is harmless text."""

    title: str
    said: str
    facts: tuple[tuple[str, str], ...]
    """Label and line, in their order."""
    tool: str
    tool_look: Look | None
    progress: tuple[float, float | None, tuple[str, ...]] | None
    """Epoch, of how many, and its figures."""
    warning: str
    output: str
    reply: tuple[ReplyPart, ...] = ()
    """What has come of the reply to the model call that runs; it takes the place of what was said and run before."""
    so_far: tuple[tuple[str, str], ...] = ()
    """The plan of the iteration and what its steps came to: label and line, in their order."""


def live_view(state: RunState, output: str, still: Look | None = None, reply: ReplyProgress = NO_REPLY_YET) -> LiveView:
    """``output`` is the end of the newest tool call's output, ``reply`` what has come for the model call that runs.

    ``still`` says that, and why, the run stands still.
    """
    step = state.step
    parts = reply_parts(reply) if state.running_model_call and not state.status.is_over else ()
    call = None if parts else _tool_of_step(state)
    return LiveView(
        title=f"{_title(state, step)} ({still.word})" if still else _title(state, step),
        said="" if parts or state.status.is_over else one_line(_last_said(state)),
        facts=tuple(_facts(state, still, answers=bool(parts))),
        tool=f"{one_line(call.tool)}  {one_line(call.title)}" if call else "",
        tool_look=tool_look(call.outcome, still) if call else None,
        progress=_progress(call, state.metric),
        warning=one_line(call.warnings[-1]) if call and call.warnings else "",
        output=_printed(harmless(output)) if call else "",
        reply=parts,
        so_far=tuple(_so_far(state)),
    )


class Live(Pane[LiveView]):
    """What happens now. The newest output, or of a reply its newest lines, stays at the bottom, in view."""

    def heading(self, view: LiveView) -> Content | None:
        return Content(view.title)

    def draw(self, view: LiveView, width: int, height: int) -> Sequence[Content]:
        room = max(1, width - _LABELS)
        lines: list[Content] = []
        for label, text in view.facts:
            lines += labelled(label, wrapped(text, room, 3), _LABELS)
        lines += _reply(view.reply, room, height - len(lines))
        if view.said:
            spare = height // 4 if view.tool else (height - len(lines)) // (2 if view.so_far else 1)
            lines += labelled("says", wrapped(view.said, room, max(1, spare)), _LABELS)
        if view.tool and view.tool_look:
            lines += labelled("runs", [Content.assemble(view.tool_look.mark, " ", view.tool)], _LABELS)
        if view.progress:
            lines += labelled("trains", _training(*view.progress, room), _LABELS)
        if view.warning:
            lines += labelled("warns", [Content.styled(view.warning, "$warning")], _LABELS)
        spare = height - len(lines)
        if view.output and spare > 0:
            shown = [fitted(Content(line), room) for line in view.output.splitlines()[-spare:]]
            lines += labelled("prints", shown, _LABELS)
        return lines + _history(view, room, height - len(lines))


def _reply(parts: Sequence[ReplyPart], room: int, spare: int) -> list[Content]:
    """The newest lines that fit into ``spare`` ones; the head of a tool call stays above those of its arguments."""
    kept: list[Content] = []
    for older, part in reversed(list(enumerate(parts))):
        reserved = _OF_EARLIER * min(older, 2) if spare > _TALL else 0
        left = spare - len(kept) - reserved
        if left < 1:
            break
        head = [Content.styled(part.head, "$accent")] if part.head else []
        style = "$text-muted" if part.muted else ""
        newest = [line.stylize(style) for line in _newest(part, room, left - len(head))]
        kept = labelled(part.label, [*head, *newest], _LABELS) + kept
    return kept


def _newest(part: ReplyPart, room: int, at_most: int) -> list[Content]:
    """The last lines of a part. Prose is wrapped, of code only the line that is being written."""
    lines: list[Content] = []
    for place, line in enumerate(reversed(part.text.split("\n") if part.text and at_most > 0 else [])):
        if part.head and place > 0:
            lines.insert(0, fitted(Content(line), room))
        else:
            lines = Content(line[-at_most * room :]).wrap(room) + lines
        if len(lines) >= at_most:
            break
    return lines[-at_most:]


def _history(view: LiveView, room: int, spare: int) -> list[Content]:
    """The newest of what came before that fits into ``spare`` lines, below a blank one."""
    kept: list[Content] = []
    for label, text in reversed(view.so_far):
        lines = labelled(label, [line.stylize("$text-muted") for line in wrapped(text, room, 3)], _LABELS)
        if len(lines) + len(kept) + 1 > spare:
            break
        kept = lines + kept
    return [Content(""), *kept] if kept else []


def _printed(output: str) -> str:
    """A tool's output without the lines that are for a program; training reports stand in figures above it."""
    return "\n".join(line for line in output.rstrip("\n").split("\n") if not line.lstrip().startswith(_FOR_PROGRAMS))


def _title(state: RunState, step: StepState | None) -> str:
    if state.status.is_over:
        return "Result"
    if step is None:
        return "Live: between steps" if state.iterations else "Live: set-up"
    return f"Live: {step.name.label}"


def _tool_of_step(state: RunState) -> ToolCallState | None:
    """The newest tool call, while the step that made it is the current one."""
    call = state.tool_calls[-1] if state.tool_calls else None
    step = state.step
    here = call and step and call.step is step.name and call.iteration == _index(state)
    return call if here and not state.status.is_over else None


def _index(state: RunState) -> int | None:
    return state.iteration.index if state.iteration else None


def _newest_model_call(state: RunState) -> ModelCallState | None:
    return state.model_calls[-1] if state.model_calls else None


def _last_said(state: RunState) -> str:
    """What the model last said in the current step."""
    step = state.step
    if step is None:
        return ""
    for call in reversed(state.model_calls):
        if call.step is not step.name or call.iteration != _index(state):
            return ""
        if call.said:
            return call.said
    return ""


def _facts(state: RunState, still: Look | None, *, answers: bool) -> list[tuple[str, str]]:
    if state.status.is_over:
        return _outcome(state)
    if not state.iterations:
        return _setup(state)
    facts: list[tuple[str, str]] = []
    thinking = _newest_model_call(state)
    if thinking and thinking.seconds is None:
        facts += _asked(thinking, still, answers=answers, streams=asks_a_model(state))
    elif thinking and thinking.error:
        facts.append(("failed", f"model call {thinking.call}: {one_line(thinking.error)}"))
    waiting = [note for note in state.notes.values() if not note.delivered]
    if waiting:
        facts.append(("note", f"waits for the next model call: {one_line(waiting[-1].text)}"))
    return facts


def _asked(call: ModelCallState, still: Look | None, *, answers: bool, streams: bool) -> Iterator[tuple[str, str]]:
    """Which model is asked, while nothing of its reply has come, and what failed before."""
    model = one_line(call.model)
    if not streams:
        yield "thinks", f"{model} {f'{still.word} while' if still else 'is'} answering call {call.call}"
    elif not answers:
        yield "asks", f"{model}, {f'{still.word} during ' if still else ''}call {call.call}"
    if call.retry:
        yield "retry", f"{call.retry.retry} of {call.retry.of}: {one_line(call.retry.reason)}"


def _so_far(state: RunState) -> Iterator[tuple[str, str]]:
    iteration = state.iteration
    if iteration is None or state.status.is_over:
        return
    planned = ": ".join(part for part in (iteration.combination, iteration.change) if part)
    for label, text in (("plan", planned), ("why", iteration.plan_reason), ("expects", iteration.expectation)):
        if text:
            yield label, one_line(text)
    for name, step in iteration.steps.items():
        said = step.summary or step.reason
        if said and name is not StepName.ITERATION_PLAN and step.status is not StepStatus.RUNNING:
            yield short_step(name), one_line(said)


def _setup(state: RunState) -> list[tuple[str, str]]:
    if state.started is None:
        return [("starts", "the engine is being started")]
    facts = [("reads", f"dataset {one_line(state.dataset)}")]
    if state.rows:
        facts.append(("found", ", ".join(f"{one_line(split)} {rows:,} rows" for split, rows in state.rows.items())))
    facts += [("keeps", f"{one_line(name)} from the model: {one_line(why)}") for name, why in state.withheld.items()]
    facts += [("note", one_line(finding)) for finding in state.findings]
    if state.packages:
        facts.append(
            ("built", f"an environment of its own, {len(state.packages)} packages; {one_line(state.isolation)}")
        )
    return facts


def _outcome(state: RunState) -> list[tuple[str, str]]:
    """How a run ended, the most important first: on a small screen the last lines may have no room."""
    look = RUN[state.status]
    facts = [("ended", f"{look.glyph} {look.word} after {_tried(state)}")]
    reason = one_line(state.reason)
    if state.status is RunStatus.FINISHED or shorten(reason, OF_AN_END) != reason:  # else the banner tells it whole
        facts += [("because", reason)] if reason else []
    if state.best:
        first = state.iterations[0].score("validation", state.best.metric)
        since = f", {score(first)} of the baseline" if first is not None and state.best.iteration > 0 else ""
        facts.append(("best", f"{one_line(state.best.metric)} {score(state.best.value)} on validation{since}"))
    for split, scores in state.test_scores.items():
        facts.append((one_line(split), f"{one_line(state.metric)} {score(scores.get(state.metric))}"))
    if state.status is not RunStatus.REFUSED:
        facts.append(("report", "report/report.md in the run's folder"))
    for split, scores in state.test_scores.items():
        others = [f"{one_line(name)} {score(value)}" for name, value in scores.items() if name != state.metric]
        if others:
            facts.append((one_line(split), f"also {', '.join(others)}"))
    if state.best:
        facts.append(("use", f"{to_type('predict', one_line(state.run_id))} --input … --output …"))
    return facts


def _tried(state: RunState) -> str:
    tried = len(state.iterations)
    calls = f"{counted(state.usage.calls, 'model call')}, {counted(state.tool_calls_made, 'tool call')}"
    return f"{tried} iteration{'' if tried == 1 else 's'}, {calls}"


def _progress(call: ToolCallState | None, metric: str) -> tuple[float, float | None, tuple[str, ...]] | None:
    if call is None or not call.training:
        return None
    point = call.training[-1]
    names = sorted(point.values, key=lambda name: (metric.lower() not in name.lower(), "val" not in name.lower()))
    return point.epoch, point.of, tuple(f"{one_line(name)} {score(point.values[name])}" for name in names)


def _training(epoch: float, of: float | None, figures: Sequence[str], room: int) -> list[Content]:
    """Epoch, a bar and the figures, each of them whole; the bar is as long as costs no line more."""
    if not of or of <= 0:
        return _in_lines([Content(f"epoch {epoch:g}")], figures, room)
    head = Content(f"epoch {epoch:g} of {of:g}")
    lines = _in_lines([head], figures, room)
    for width in range(_BAR, _SHORTEST_BAR - 1, -1):
        filled = round(width * min(1.0, max(0.0, epoch / of)))
        bar = Content.assemble(("━" * filled, "$accent"), ("─" * (width - filled), "$text-muted"))
        with_bar = _in_lines([head, bar], figures, room)
        if len(with_bar) == len(lines):
            return with_bar
    return lines


def _in_lines(beginning: Sequence[Content], figures: Sequence[str], room: int) -> list[Content]:
    lines: list[Content] = []
    for part in (*beginning, *(Content.styled(figure, "$text-muted") for figure in figures)):
        if lines and lines[-1].cell_length + 2 + part.cell_length <= room:
            lines[-1] = Content.assemble(lines[-1], "  ", part)
        else:
            lines.append(part)
    return lines
