"""The fold: what each event changes in a ``RunState``.

It reads no clock and no file: the same events give the same state, whoever folds them and whenever.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from agents import events as ev
from agents.bounds import WARNINGS_KEPT, add_model_call, add_report, add_tool_call, keep_newest
from agents.fold_steering import apply_steering, echo, end_hold
from agents.state import (
    BestState,
    Idle,
    IterationState,
    ModelCallState,
    ParentState,
    Retry,
    RunState,
    StepState,
    ToolCallState,
    Usage,
)
from agents.vocabulary import STEPS, Gate, IterationStatus, RunStatus, StepName, StepStatus, ToolOutcome


def apply(state: RunState, event: ev.EventBase) -> None:
    """Fold one event in. Events that were folded already (``seq`` not above the last one) change nothing."""
    if event.seq <= state.last_seq:
        return
    if isinstance(event, ev.RunResumed | ev.RunForked) and state.last_event is not None:
        end_hold(state, state.last_event)
        state.idle.append(Idle(state.last_event, event.time))
    state.last_seq = event.seq
    state.last_event = event.time
    state.run_id = event.run_id or state.run_id
    if isinstance(event, ev.RunEvent):
        _apply_run(state, event)
    elif isinstance(event, ev.IterationEvent):
        _apply_iteration(state, event)
    elif isinstance(event, ev.ModelEvent):
        _apply_model_call(state, event)
    elif isinstance(event, ev.ToolEvent):
        _apply_tool_call(state, event)
    elif isinstance(event, ev.ResultEvent):
        _apply_result(state, event)
    elif isinstance(event, ev.SteeringEvent):
        apply_steering(state, event)


def _apply_run(state: RunState, event: ev.RunEvent) -> None:
    match event:
        case ev.RunStarted():
            state.status = RunStatus.RUNNING
            state.started = event.time
            state.dataset = event.dataset
            state.model = event.model
            state.planned_iterations = event.iterations
            state.settings = event.settings
            state.gates = [Gate(gate) for gate in event.settings.get("approve") or ()]
        case ev.RunResumed():
            state.status = RunStatus.RUNNING
            state.ended = None
            state.reason = ""
            state.stop_asked = state.is_cut_off = False
            state.limit = None
            state.approval = None
            _close_open_calls(state, event.time)
            _put_back_open_steps(state)
        case ev.RunForked():
            _apply_fork(state, event)
        case ev.DatasetChecked():
            state.task_type = event.task_type
            state.metric = event.metric
            state.higher_is_better = event.higher_is_better
            state.rows = event.rows
            state.classes = event.classes
            state.withheld = event.withheld
            state.findings = event.findings
            state.fingerprint = event.fingerprint
            state.data_digest = event.data_digest
        case ev.EnvironmentReady():
            state.isolation = event.isolation
            state.packages = event.packages
        case ev.RunFinished():
            state.status = event.status
            state.reason = event.reason
            state.ended = event.time
            state.is_cut_off = event.cut_off
            state.approval = None
            end_hold(state, event.time)
            _close_open_calls(state, event.time)
            _close_open_iterations(state, event)


def _apply_fork(state: RunState, event: ev.RunForked) -> None:
    """What the parent made and found stays; its clock, limits, spending and standing are not the fork's."""
    state.status = RunStatus.STARTING
    state.reason = ""
    state.started, state.ended = event.time, None
    state.stop_asked = False
    state.limit, state.raised, state.raised_by = None, {}, {}
    state.settings = event.settings
    state.model = str(event.settings.get("model", state.model))
    iterations = event.settings.get("iterations")
    state.planned_iterations = iterations if isinstance(iterations, int) else state.planned_iterations
    state.inherited, state.usage = state.inherited + state.usage, Usage()
    state.isolation, state.packages = "", {}  # it makes an environment of its own
    state.test_scores, state.test_undefined = {}, {}
    state.test_evaluations = dict(event.test_evaluations)
    state.parent = ParentState(
        run_id=event.parent,
        path=event.parent_path,
        seq=event.parent_seq,
        iteration=event.iteration or 0,
        step=event.step,
        changed=event.changed,
        test_evaluations=event.test_evaluations,
    )
    _close_open_calls(state, event.time)
    _put_back_open_steps(state)


def _apply_iteration(state: RunState, event: ev.IterationEvent) -> None:
    iteration = _iteration_of(state, event)
    if iteration is None:
        return
    match event:
        case ev.IterationPlanned():
            iteration.mode = event.mode
            iteration.combination = event.combination
            iteration.change = event.change
            iteration.plan_reason = event.reason
            iteration.expectation = event.expectation
            echo(state, f"plan: {event.change}")
        case ev.IterationFinished():
            iteration.status = event.status
            iteration.reason = event.reason
            iteration.seconds = event.seconds
            iteration.report = event.report
        case ev.StepStarted() | ev.StepFinished() | ev.StepSkipped() | ev.StepFailed() | ev.OutputRejected():
            if event.step is not None:
                _apply_step(state, iteration.steps[event.step], event)
            if isinstance(event, ev.StepFinished):
                _take_output(state, iteration, event)
        case ev.StepRepeated() if event.step is not None:
            for name in STEPS[STEPS.index(event.step) :]:
                _put_back(state, iteration, iteration.steps[name])
                if event.anew:
                    iteration.steps[name].anew_after = state.model_calls_made
        case ev.IterationStarted() | ev.StepRepeated() | ev.OutputLost():
            pass


def _take_output(state: RunState, iteration: IterationState, event: ev.StepFinished) -> None:
    """What an accepted output means for its iteration."""
    iteration.combination = event.combination or iteration.combination
    if event.step is StepName.DATA_SPLIT:
        iteration.open_split = None
    echo(state, f"output: {event.summary}")


def _apply_model_call(state: RunState, event: ev.ModelEvent) -> None:
    match event:
        case ev.ModelCallStarted():
            add_model_call(
                state,
                ModelCallState(event.call, event.model, event.iteration, event.step, event.time, stream=event.stream),
            )
            if (iteration := _iteration_of(state, event)) and event.step:
                iteration.steps[event.step].model_calls += 1
        case ev.ModelCallRetried() if call := state.model_call(event.call):
            until = event.time + timedelta(seconds=event.wait)
            call.retry = Retry(event.reason, event.retry, event.of, until)
        case ev.ModelChanged() if call := state.model_call(event.call):
            call.model = event.fallback
            call.retry = None
        case ev.ModelCallFinished():
            _finish_model_call(state, event)
        case _:
            pass


def _apply_tool_call(state: RunState, event: ev.ToolEvent) -> None:
    match event:
        case ev.ToolCallStarted():
            add_tool_call(
                state,
                ToolCallState(
                    call=event.call,
                    tool=event.tool,
                    title=event.title,
                    iteration=event.iteration,
                    step=event.step,
                    log=event.log,
                    arguments=event.arguments,
                    started=event.time,
                ),
            )
            echo(state, f"{event.tool}: {event.title}")
        case ev.ToolCallFinished() if call := state.tool_call(event.call):
            call.outcome = event.outcome
            call.exit_status = event.exit_status
            call.seconds = event.seconds
            call.bytes = event.bytes
        case ev.TrainingProgress() if call := state.tool_call(event.call):
            add_report(state, call, event)
        case ev.TrainingWarned() if call := state.tool_call(event.call):
            call.warnings.append(event.message)
            keep_newest(call.warnings, WARNINGS_KEPT)
        case _:
            pass


def _apply_result(state: RunState, event: ev.ResultEvent) -> None:
    match event:
        case ev.SplitCreated():
            state.splits[event.version] = event.rows
            state.split_digests[event.version] = event.digests
            if iteration := _iteration_of(state, event):
                iteration.split_version = iteration.open_split = event.version
        case ev.MetricsComputed() if event.is_test:
            state.test_scores[event.split] = event.values
            state.test_undefined[event.split] = event.undefined
            state.test_evaluations[event.split] = state.test_evaluations.get(event.split, 0) + 1
        case ev.MetricsComputed() if iteration := _iteration_of(state, event):
            iteration.scores[event.split] = event.values
            iteration.split_version = event.split_version
        case ev.BestChanged() if event.iteration is not None:
            state.test_scores, state.test_undefined = {}, {}  # those were of the snapshot before
            state.best = BestState(
                iteration=event.iteration,
                metric=event.metric,
                value=event.value,
                split_version=event.split_version,
                combination=event.combination,
                snapshot=event.snapshot,
                time=event.time,
                digest=event.digest,
                previous=event.previous,
                certainty=state.iterations[event.iteration].certainty
                if event.iteration < len(state.iterations)
                else None,
            )
        case ev.CandidateCompared() if iteration := _iteration_of(state, event):
            iteration.certainty = event.certainty
        case ev.BestRescored(value=float() as value) if state.best is not None and state.best.iteration == event.of:
            state.best.value, state.best.previous = value, None
            state.best.split_version, state.best.certainty = event.split_version, event.certainty
        case _:
            pass


def _finish_model_call(state: RunState, event: ev.ModelCallFinished) -> None:
    _spend(state.usage, event)
    if iteration := _iteration_of(state, event):
        _spend(iteration.usage, event)
        if event.step:
            _spend(iteration.steps[event.step].usage, event)
    if call := state.model_call(event.call):
        call.retry = None
        call.model = event.model
        call.seconds = event.seconds
        call.input_tokens = event.input_tokens
        call.output_tokens = event.output_tokens
        call.cost_usd = event.cost_usd
        call.said = event.said
        call.tools = event.tools
        call.record = event.record
        call.error = event.error


def _spend(usage: Usage, event: ev.ModelCallFinished) -> None:
    usage.calls += 1
    usage.input_tokens += event.input_tokens
    usage.output_tokens += event.output_tokens
    usage.cached_tokens += event.cached_tokens
    if event.error is not None:
        usage.failed += 1
    if event.cost_usd is not None:
        usage.cost_usd += event.cost_usd
    elif event.error is None:
        usage.unpriced += 1


def _iteration_of(state: RunState, event: ev.EventBase) -> IterationState | None:
    index = event.iteration
    if index is None:
        return None
    while len(state.iterations) <= index:
        state.iterations.append(IterationState(len(state.iterations), event.time))
    return state.iterations[index]


def _close_open_calls(state: RunState, now: datetime) -> None:
    """An engine that died left its last calls open; nobody will end them."""
    for call in reversed(state.tool_calls):
        if call.outcome is not None:
            break
        call.outcome = ToolOutcome.CANCELLED
        call.seconds = state.active_since(call.started, now)
    for model_call in reversed(state.model_calls):
        if model_call.seconds is not None:
            break
        model_call.seconds = state.active_since(model_call.started, now)
        model_call.error = "the engine ended before the reply came"
        model_call.retry = None


def _put_back_open_steps(state: RunState) -> None:
    """An interrupted iteration goes on, but the step that was open in it begins again."""
    for iteration in state.iterations:
        was_cut_off, iteration.is_cut_off = iteration.is_cut_off, False
        if was_cut_off:
            iteration.status, iteration.reason, iteration.seconds = IterationStatus.RUNNING, "", None
        for step in iteration.steps.values():
            if step.status is StepStatus.RUNNING or step.is_cut_off:
                _put_back(state, iteration, step)


def _put_back(state: RunState, iteration: IterationState, step: StepState) -> None:
    """It begins again; what was spent on it stays."""
    if step.name is StepName.DATA_SPLIT and iteration.open_split is not None:
        del state.splits[iteration.open_split], state.split_digests[iteration.open_split]
        iteration.split_version, iteration.open_split = None, None
    step.status = StepStatus.PENDING
    step.is_cut_off = False
    step.started = step.seconds = step.output = None
    step.summary = step.reason = ""


def _close_open_iterations(state: RunState, end: ev.RunFinished) -> None:
    """A run that ended at a limit, without a model to ask, or by a defect left its last iteration open."""
    stopped = end.status is RunStatus.STOPPED
    for iteration in state.iterations:
        for step in iteration.steps.values():
            if step.status is StepStatus.RUNNING:
                _end_step(state, step, StepStatus.SKIPPED if stopped else StepStatus.FAILED, end)
                step.is_cut_off = True
        if iteration.status is IterationStatus.RUNNING:
            iteration.status = IterationStatus.SKIPPED if stopped else IterationStatus.FAILED
            iteration.is_cut_off = True
            iteration.reason = end.reason
            iteration.seconds = state.active_since(iteration.started, end.time)


def _apply_step(
    state: RunState,
    step: StepState,
    event: ev.StepStarted | ev.StepFinished | ev.StepSkipped | ev.StepFailed | ev.OutputRejected,
) -> None:
    match event:
        case ev.StepStarted():
            step.status = StepStatus.RUNNING
            step.started = event.time
            step.rejections = 0
        case ev.StepFinished():
            step.status = StepStatus.DONE
            step.summary = event.summary
            step.output = event.output
            step.seconds = event.seconds
        case ev.StepSkipped():
            _end_step(state, step, StepStatus.SKIPPED, event)
        case ev.StepFailed():
            _end_step(state, step, StepStatus.FAILED, event)
        case ev.OutputRejected():
            step.rejections += 1


def _end_step(
    state: RunState, step: StepState, status: StepStatus, event: ev.StepSkipped | ev.StepFailed | ev.RunFinished
) -> None:
    step.status = status
    step.reason = event.reason
    step.seconds = None if step.started is None else state.active_since(step.started, event.time)


def fold(events: Iterable[ev.EventBase], state: RunState | None = None) -> RunState:
    """Fold ``events`` in order into ``state`` (a new one where none is given) and return it."""
    state = RunState() if state is None else state
    for event in events:
        apply(state, event)
    return state
