"""An event as one plain line, for logs, pipes and screen readers."""

from agentomics_tui.commands.out import single_line
from agents import events as ev
from agents.certainty import Certainty, gain_in_words
from agents.program import to_type
from agents.state import RunState
from agents.vocabulary import BUILTIN_MODEL, ToolOutcome
from agents.wording import counted, duration, first_line, score
from screens.model_events import sentence


def line_of(event: ev.Event, state: RunState) -> str | None:
    """The line of ``event`` with ``state`` folded up to it; None for what only screens show."""
    text = _text_of(event, state)
    return None if text is None else single_line(f"{event.time:%H:%M:%S}  {text}")


def _text_of(event: ev.Event, state: RunState) -> str | None:
    match event:
        case ev.RunStarted():
            by = "the built-in policy (no LLM)" if event.model == BUILTIN_MODEL else event.model
            return f"run {event.run_id} on {event.dataset}: up to {counted(event.iterations, 'iteration')} by {by}"
        case ev.RunResumed():
            return "run resumed"
        case ev.RunForked():
            changed = ", ".join(f"{name} {value}" for name, value in event.changed.items())
            step = f", {event.step.label}" if event.step else ""
            return f"forked from {event.parent} at iteration {event.iteration}{step}; changed: {changed or 'nothing'}"
        case ev.DatasetChecked():
            rows = ", ".join(f"{name} {count:,}" for name, count in event.rows.items())
            better = "higher" if event.higher_is_better else "lower"
            return f"dataset: {event.task_type}, {rows} rows; metric {event.metric}, {better} is better"
        case ev.RunFinished():
            return f"run {event.status}{': ' + first_line(event.reason) if event.reason else ''}"
        case _:
            told = _steering_line(event, state) or _iteration_line(event, state)
            return told or _call_line(event) or _result_line(event)


def _steering_line(event: ev.Event, state: RunState) -> str | None:
    match event:
        case ev.Held():
            return f"held: {event.reason}"
        case ev.Released():
            return "released"
        case ev.CommandReceived():
            return f"{event.command} by {event.by}: {event.outcome}{', ' + event.detail if event.detail else ''}"
        case ev.NoteReceived() | ev.NoteChanged() | ev.NoteWithdrawn() | ev.NoteDelivered():
            return _note_line(event, state)
        case ev.ApprovalAsked():
            how = to_type("review", event.run_id)
            return f"{event.gate} waits for an approval: {first_line(event.title)} (see: {how})"
        case ev.ApprovalAnswered(verdict=str() as verdict):
            past = {"approve": "approved", "edit": "approved as edited", "reject": "rejected"}[verdict]
            return f"{past} by {event.by}{': ' + first_line(event.reason) if event.reason else ''}"
        case ev.GatesSet():
            return f"waits for approval of: {', '.join(event.gates) or 'nothing'} (set by {event.by})"
        case ev.LimitReached() | ev.LimitRaised():
            return sentence(event)
        case _:
            return None


def _note_line(
    event: ev.NoteReceived | ev.NoteChanged | ev.NoteWithdrawn | ev.NoteDelivered, state: RunState
) -> str | None:
    match event:
        case ev.NoteReceived():
            return f"note from {event.by}: {first_line(event.text)}"
        case ev.NoteChanged():
            return f"note changed by {event.by}: {first_line(event.text)}"
        case ev.NoteWithdrawn():
            return f"note withdrawn by {event.by}"
        case ev.NoteDelivered():
            note = state.notes.get(event.note_id)
            return f"note delivered{f' at {event.step}' if event.step else ''}: {first_line(note.text if note else '')}"


def _iteration_line(event: ev.Event, state: RunState) -> str | None:
    match event:
        case ev.IterationStarted():
            place = (event.iteration or 0) + 1
            return f"iteration {event.iteration} started ({place} of {state.planned_iterations})"
        case ev.IterationPlanned():
            return f"  plan ({event.mode}): {event.combination}. {first_line(event.change)}"
        case ev.IterationFinished():
            reason = f": {first_line(event.reason)}" if event.reason else ""
            return f"iteration {event.iteration} {event.status} after {duration(event.seconds)}{reason}"
        case ev.StepFinished():
            return f"  {event.step}: done in {duration(event.seconds)}. {first_line(event.summary)}"
        case ev.StepSkipped():
            return f"  {event.step}: skipped. {first_line(event.reason)}"
        case ev.StepFailed():
            return f"  {event.step}: failed. {first_line(event.reason)}"
        case ev.StepRepeated():
            return f"  back to {event.step}: {first_line(event.reason)}"
        case ev.OutputLost():
            what = first_line(f"{event.path} {event.reason}")
            return f"  iteration {event.iteration}, {event.step}: {what}; the run does without it"
        case ev.OutputRejected():
            return f"  {event.step}: output {event.attempt} rejected. {first_line(event.reason)}"
        case _:
            return None


def _call_line(event: ev.Event) -> str | None:
    match event:
        case ev.ModelCallFinished(error=str() as error):
            return f"    model call {event.call} failed: {first_line(error)}"
        case ev.ToolCallStarted():
            return f"    {event.call:>3} {event.tool}: {first_line(event.title)}"
        case ev.ToolCallFinished() if event.outcome is not ToolOutcome.OK:
            status = f" (exit status {event.exit_status})" if event.exit_status is not None else ""
            return f"    {event.call:>3} {event.tool}: {event.outcome}{status} after {duration(event.seconds)}"
        case ev.TrainingWarned():
            return f"    watch: {event.message}"
        case _:
            told = sentence(event)
            return None if told is None else f"    {told}"


def _result_line(event: ev.Event) -> str | None:
    match event:
        case ev.SplitCreated():
            rows = ", ".join(f"{name} {count:,}" for name, count in event.rows.items())
            return f"  split v{event.version}: {rows}"
        case ev.MetricsComputed():
            value = event.values.get(event.metric)
            undefined = f"undefined: {event.undefined}" if event.undefined else "undefined"
            return f"  {event.split}: {event.metric} {score(value) if value is not None else undefined}"
        case ev.CandidateCompared(certainty=certainty):
            return f"  {_certainty_words(certainty)}"
        case ev.BestRescored(value=float() as value):
            rows = counted(event.rows, "row")
            return f"  iteration {event.of}, the best: {event.metric} {score(value)} on {rows} of the new split"
        case ev.BestRescored():
            return f"  iteration {event.of}, the best, is not compared on the new split: {first_line(event.reason)}"
        case ev.BestChanged():
            before = "" if event.previous is None else f", before {score(event.previous)}"
            return f"  new best: {event.metric} {score(event.value)} on validation{before}"
        case _:
            return None


def _certainty_words(certainty: Certainty) -> str:
    bounds = f"95 % interval {certainty.bounds}" if certainty.bounds else f"no interval: {certainty.unsure}"
    against = f"against iteration {certainty.against}: {gain_in_words(certainty)}" if certainty.verdict else ""
    count = f"{counted(certainty.compared, 'candidate')} on this split"
    return "; ".join(part for part in (bounds, against, count) if part)
