"""The live pane: what the model says and what its tool prints, as it happens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual.content import Content

from agents.program import to_type
from agents.state import ModelCallState, RunState, StepState, ToolCallState
from agents.vocabulary import RunStatus, StepName, StepStatus
from screens.plain import harmless, one_line
from screens.vocabulary import RUN, Look, score, short_step, tool_look
from screens.widgets.pane import Pane, fitted, labelled, wrapped

_LABELS = 9
_BAR = 20


@dataclass(frozen=True)
class LiveView:
    """Everything is harmless text."""

    title: str
    said: str
    facts: tuple[tuple[str, str], ...]
    """Label and line, in their order."""
    tool: str
    tool_look: Look | None
    progress: tuple[float, float | None, str] | None
    """Epoch, of how many, and its figures."""
    warning: str
    output: str
    so_far: tuple[tuple[str, str], ...] = ()
    """The plan of the iteration and what its steps came to: label and line, in their order."""


def live_view(state: RunState, output: str, still: Look | None = None) -> LiveView:
    """``output`` is the end of the newest tool call's output; ``still`` says that, and why, the run stands still."""
    call = _tool_of_step(state)
    step = state.step
    return LiveView(
        title=f"{_title(state, step)} ({still.word})" if still else _title(state, step),
        said="" if state.status.is_over else one_line(_last_said(state)),
        facts=tuple(_facts(state, still)),
        tool=f"{one_line(call.tool)}  {one_line(call.title)}" if call else "",
        tool_look=tool_look(call.outcome, still) if call else None,
        progress=_progress(call, state.metric),
        warning=one_line(call.warnings[-1]) if call and call.warnings else "",
        output=harmless(output).rstrip("\n") if call else "",
        so_far=tuple(_so_far(state)),
    )


class Live(Pane[LiveView]):
    """What happens now. The newest output stays at the bottom, in view."""

    def heading(self, view: LiveView) -> Content | None:
        return Content(view.title)

    def draw(self, view: LiveView, width: int, height: int) -> Sequence[Content]:
        room = max(1, width - _LABELS)
        lines: list[Content] = []
        for label, text in view.facts:
            lines += labelled(label, wrapped(text, room, 3), _LABELS)
        if view.said:
            lines += labelled("says", wrapped(view.said, room, max(1, height // 4)), _LABELS)
        if view.tool and view.tool_look:
            lines += labelled("runs", [Content.assemble(view.tool_look.mark, " ", view.tool)], _LABELS)
        if view.progress:
            lines += labelled("trains", [_bar(*view.progress)], _LABELS)
        if view.warning:
            lines += labelled("warns", [Content.styled(view.warning, "$warning")], _LABELS)
        spare = height - len(lines)
        if view.output and spare > 0:
            shown = [fitted(Content(line), room) for line in view.output.splitlines()[-spare:]]
            lines += labelled("prints", shown, _LABELS)
        return lines + _history(view, room, height - len(lines))


def _history(view: LiveView, room: int, spare: int) -> list[Content]:
    """The newest of what came before that fits into ``spare`` lines, below a blank one."""
    kept: list[Content] = []
    for label, text in reversed(view.so_far):
        lines = labelled(label, [line.stylize("$text-muted") for line in wrapped(text, room, 3)], _LABELS)
        if len(lines) + len(kept) + 1 > spare:
            break
        kept = lines + kept
    return [Content(""), *kept] if kept else []


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


def _facts(state: RunState, still: Look | None) -> list[tuple[str, str]]:
    if state.status.is_over:
        return _outcome(state)
    if not state.iterations:
        return _setup(state)
    facts = []
    thinking = _newest_model_call(state)
    if thinking and thinking.seconds is None:
        answers = f"{still.word} while answering" if still else "is answering"
        facts.append(("thinks", f"{one_line(thinking.model)} {answers} call {thinking.call}"))
    elif thinking and thinking.error:
        facts.append(("failed", f"model call {thinking.call}: {one_line(thinking.error)}"))
    waiting = [note for note in state.notes.values() if not note.delivered]
    if waiting:
        facts.append(("note", f"waits for the next model call: {one_line(waiting[-1].text)}"))
    return facts


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
    look = RUN[state.status]
    facts = [("ended", f"{look.glyph} {look.word} after {_tried(state)}")]
    if state.reason:
        facts.append(("because", one_line(state.reason)))
    if state.best:
        facts.append(("best", f"{one_line(state.best.metric)} {score(state.best.value)} on validation"))
        first = state.iterations[0].score("validation", state.best.metric)
        if first is not None and state.best.iteration > 0:
            facts.append(("since", f"{score(first)} of the baseline, on validation"))
    for split, scores in state.test_scores.items():
        values = ", ".join(f"{one_line(name)} {score(value)}" for name, value in scores.items())
        facts.append((one_line(split), values))
    if state.status is not RunStatus.REFUSED:
        facts.append(("report", "report/report.md in the run's folder"))
    if state.best:
        facts.append(("use", f"{to_type('predict', one_line(state.run_id))} --input … --output …"))
    return facts


def _tried(state: RunState) -> str:
    tried = len(state.iterations)
    calls = f"{state.usage.calls} model calls, {len(state.tool_calls)} tool calls"
    return f"{tried} iteration{'' if tried == 1 else 's'}, {calls}"


def _progress(call: ToolCallState | None, metric: str) -> tuple[float, float | None, str] | None:
    if call is None or not call.training:
        return None
    point = call.training[-1]
    names = sorted(point.values, key=lambda name: (metric.lower() not in name.lower(), "val" not in name.lower()))
    figures = "  ".join(f"{one_line(name)} {score(point.values[name])}" for name in names)
    return point.epoch, point.of, figures


def _bar(epoch: float, of: float | None, figures: str) -> Content:
    if not of or of <= 0:
        return Content.assemble(f"epoch {epoch:g}  ", (figures, "$text-muted"))
    filled = round(_BAR * min(1.0, max(0.0, epoch / of)))
    bar = Content.assemble(("━" * filled, "$accent"), ("─" * (_BAR - filled), "$text-muted"))
    return Content.assemble(f"epoch {epoch:g} of {of:g}  ", bar, "  ", (figures, "$text-muted"))
