"""``RunState``: everything that screens, ``status``, reports and recovery know of a run, folded from its events.

The fold reads no clock and no file: the same events give the same state, whoever folds them and whenever.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents import events as ev
from agents.vocabulary import (
    STEPS,
    IterationMode,
    IterationStatus,
    RunStatus,
    StepName,
    StepStatus,
    TaskType,
    ToolOutcome,
)


@dataclass
class StepState:
    """One step of one iteration."""

    name: StepName
    status: StepStatus = StepStatus.PENDING
    started: datetime | None = None
    seconds: float | None = None
    summary: str = ""
    reason: str = ""
    output: str | None = None
    rejections: int = 0
    model_calls: int = 0


@dataclass
class TrainingPoint:
    """One TRAINING_REPORT line."""

    epoch: float
    of: float | None
    values: dict[str, float | None]
    message: str


@dataclass
class ToolCallState:
    """One tool call. ``outcome`` is None while it runs."""

    call: int
    tool: str
    title: str
    iteration: int | None
    step: StepName | None
    log: str
    arguments: str
    started: datetime
    outcome: ToolOutcome | None = None
    exit_status: int | None = None
    seconds: float | None = None
    bytes: int = 0
    training: list[TrainingPoint] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class ModelCallState:
    """One model call. ``seconds`` is None while it runs."""

    call: int
    model: str
    iteration: int | None
    step: StepName | None
    started: datetime
    seconds: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    said: str = ""
    tools: list[str] = field(default_factory=list)
    record: str | None = None
    error: str | None = None


@dataclass
class IterationState:
    """One iteration with its nine steps."""

    index: int
    started: datetime
    status: IterationStatus = IterationStatus.RUNNING
    steps: dict[StepName, StepState] = field(default_factory=lambda: {name: StepState(name) for name in STEPS})
    mode: IterationMode | None = None
    combination: str = ""
    change: str = ""
    plan_reason: str = ""
    expectation: str = ""
    reason: str = ""
    seconds: float | None = None
    split_version: int | None = None
    scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """Split to metric to value, as the engine computed them."""
    report: str | None = None

    @property
    def current_step(self) -> StepState | None:
        return next((step for step in self.steps.values() if step.status is StepStatus.RUNNING), None)

    def score(self, split: str, metric: str) -> float | None:
        return self.scores.get(split, {}).get(metric)


@dataclass
class BestState:
    """The best snapshot."""

    iteration: int
    metric: str
    value: float
    split_version: int
    combination: str
    snapshot: str
    time: datetime


@dataclass
class NoteState:
    """A person's note."""

    note_id: str
    text: str
    by: str
    delivered: bool = False


@dataclass
class Usage:
    """What the model calls took. ``unpriced`` counts the calls whose cost nobody knows."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    failed: int = 0


@dataclass
class RunState:
    """A run as its journal tells it."""

    run_id: str = ""
    status: RunStatus = RunStatus.STARTING
    reason: str = ""
    dataset: str = ""
    model: str = ""
    planned_iterations: int = 0
    settings: dict[str, object] = field(default_factory=dict)
    task_type: TaskType | None = None
    metric: str = ""
    higher_is_better: bool = True
    rows: dict[str, int] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    withheld: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    fingerprint: dict[str, str] = field(default_factory=dict)
    """Split to SHA-256 over its files, as they were when the run started."""
    isolation: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    iterations: list[IterationState] = field(default_factory=list)
    tool_calls: list[ToolCallState] = field(default_factory=list)
    model_calls: list[ModelCallState] = field(default_factory=list)
    best: BestState | None = None
    test_scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """Test split to metric to value."""
    splits: dict[int, dict[str, int]] = field(default_factory=dict)
    """Split version to rows of each split."""
    notes: dict[str, NoteState] = field(default_factory=dict)
    receipts: list[ev.CommandReceived] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    started: datetime | None = None
    ended: datetime | None = None
    held_since: datetime | None = None
    held_total: timedelta = timedelta()
    last_event: datetime | None = None
    last_seq: int = -1

    # --- views -------------------------------------------------------------------------------------------------------

    @property
    def iteration(self) -> IterationState | None:
        """The newest iteration."""
        return self.iterations[-1] if self.iterations else None

    @property
    def step(self) -> StepState | None:
        """The step that runs now."""
        return self.iteration.current_step if self.iteration else None

    @property
    def running_tool_call(self) -> ToolCallState | None:
        last = self.tool_calls[-1] if self.tool_calls else None
        return last if last and last.outcome is None else None

    @property
    def split_version(self) -> int | None:
        """The newest split version."""
        return max(self.splits, default=None)

    def tool_call(self, call: int) -> ToolCallState | None:
        """The tool call of that number; calls are numbered from 1 without a gap."""
        return self.tool_calls[call - 1] if 0 < call <= len(self.tool_calls) else None

    def elapsed(self, now: datetime) -> timedelta:
        """Time from the start to ``now`` or to the end, held time included."""
        if self.started is None:
            return timedelta()
        return max(timedelta(), (self.ended or now) - self.started)

    # --- the fold ----------------------------------------------------------------------------------------------------

    def apply(self, event: ev.Event) -> None:
        """Fold one event in. Events that were folded already (``seq`` not above the last one) change nothing."""
        if event.seq <= self.last_seq:
            return
        self.last_seq = event.seq
        self.last_event = event.time
        self.run_id = event.run_id or self.run_id
        match event:
            case ev.RunStarted() | ev.RunResumed() | ev.DatasetChecked() | ev.EnvironmentReady() | ev.RunFinished():
                self._apply_run(event)
            case (
                ev.IterationStarted()
                | ev.IterationPlanned()
                | ev.IterationFinished()
                | ev.StepStarted()
                | ev.StepFinished()
                | ev.StepSkipped()
                | ev.StepFailed()
                | ev.OutputRejected()
            ):
                self._apply_iteration(event)
            case (
                ev.ModelCallStarted()
                | ev.ModelCallFinished()
                | ev.ToolCallStarted()
                | ev.ToolCallFinished()
                | ev.TrainingProgress()
                | ev.TrainingWarned()
            ):
                self._apply_call(event)
            case ev.SplitCreated() | ev.MetricsComputed() | ev.BestChanged():
                self._apply_result(event)
            case ev.Held() | ev.Released() | ev.CommandReceived() | ev.NoteReceived() | ev.NoteDelivered():
                self._apply_steering(event)

    def _apply_run(
        self, event: ev.RunStarted | ev.RunResumed | ev.DatasetChecked | ev.EnvironmentReady | ev.RunFinished
    ) -> None:
        match event:
            case ev.RunStarted():
                self.status = RunStatus.RUNNING
                self.started = event.time
                self.dataset = event.dataset
                self.model = event.model
                self.planned_iterations = event.iterations
                self.settings = event.settings
            case ev.RunResumed():
                self.status = RunStatus.RUNNING
                self.ended = None
                self.reason = ""
                self._close_open_calls(event.time)
                self._end_hold(event.time)
            case ev.DatasetChecked():
                self.task_type = event.task_type
                self.metric = event.metric
                self.higher_is_better = event.higher_is_better
                self.rows = event.rows
                self.classes = event.classes
                self.withheld = event.withheld
                self.findings = event.findings
                self.fingerprint = event.fingerprint
            case ev.EnvironmentReady():
                self.isolation = event.isolation
                self.packages = event.packages
            case ev.RunFinished():
                self.status = event.status
                self.reason = event.reason
                self.ended = event.time
                self._end_hold(event.time)

    def _apply_iteration(
        self,
        event: ev.IterationStarted
        | ev.IterationPlanned
        | ev.IterationFinished
        | ev.StepStarted
        | ev.StepFinished
        | ev.StepSkipped
        | ev.StepFailed
        | ev.OutputRejected,
    ) -> None:
        iteration = self._iteration_of(event)
        if iteration is None:
            return
        match event:
            case ev.IterationPlanned():
                iteration.mode = event.mode
                iteration.combination = event.combination
                iteration.change = event.change
                iteration.plan_reason = event.reason
                iteration.expectation = event.expectation
            case ev.IterationFinished():
                iteration.status = event.status
                iteration.reason = event.reason
                iteration.seconds = event.seconds
                iteration.report = event.report
            case ev.StepStarted() | ev.StepFinished() | ev.StepSkipped() | ev.StepFailed() | ev.OutputRejected():
                if isinstance(event, ev.StepFinished) and event.combination:
                    iteration.combination = event.combination
                if event.step is not None:
                    _apply_step(iteration.steps[event.step], event)
            case ev.IterationStarted():
                pass

    def _apply_call(
        self,
        event: ev.ModelCallStarted
        | ev.ModelCallFinished
        | ev.ToolCallStarted
        | ev.ToolCallFinished
        | ev.TrainingProgress
        | ev.TrainingWarned,
    ) -> None:
        match event:
            case ev.ModelCallStarted():
                self.model_calls.append(
                    ModelCallState(event.call, event.model, event.iteration, event.step, event.time)
                )
                if (iteration := self._iteration_of(event)) and event.step:
                    iteration.steps[event.step].model_calls += 1
            case ev.ModelCallFinished():
                self._finish_model_call(event)
            case ev.ToolCallStarted():
                self.tool_calls.append(
                    ToolCallState(
                        call=event.call,
                        tool=event.tool,
                        title=event.title,
                        iteration=event.iteration,
                        step=event.step,
                        log=event.log,
                        arguments=event.arguments,
                        started=event.time,
                    )
                )
            case ev.ToolCallFinished() if call := self.tool_call(event.call):
                call.outcome = event.outcome
                call.exit_status = event.exit_status
                call.seconds = event.seconds
                call.bytes = event.bytes
            case ev.TrainingProgress() if call := self.tool_call(event.call):
                call.training.append(TrainingPoint(event.epoch, event.of, event.values, event.message))
            case ev.TrainingWarned() if call := self.tool_call(event.call):
                call.warnings.append(event.message)
            case _:
                pass

    def _apply_result(self, event: ev.SplitCreated | ev.MetricsComputed | ev.BestChanged) -> None:
        match event:
            case ev.SplitCreated():
                self.splits[event.version] = event.rows
                if iteration := self._iteration_of(event):
                    iteration.split_version = event.version
            case ev.MetricsComputed() if event.is_test:
                self.test_scores[event.split] = event.values
            case ev.MetricsComputed() if iteration := self._iteration_of(event):
                iteration.scores[event.split] = event.values
                iteration.split_version = event.split_version
            case ev.BestChanged() if event.iteration is not None:
                self.best = BestState(
                    iteration=event.iteration,
                    metric=event.metric,
                    value=event.value,
                    split_version=event.split_version,
                    combination=event.combination,
                    snapshot=event.snapshot,
                    time=event.time,
                )
            case _:
                pass

    def _apply_steering(
        self, event: ev.Held | ev.Released | ev.CommandReceived | ev.NoteReceived | ev.NoteDelivered
    ) -> None:
        match event:
            case ev.Held():
                self.status = RunStatus.HELD
                self.reason = event.reason
                self.held_since = self.held_since or event.time
            case ev.Released():
                self._end_hold(event.time)
                if self.status in (RunStatus.HELD, RunStatus.PAUSING):
                    self.status = RunStatus.RUNNING
                    self.reason = ""
            case ev.CommandReceived():
                self._apply_receipt(event)
            case ev.NoteReceived():
                self.notes[event.note_id] = NoteState(event.note_id, event.text, event.by)
            case ev.NoteDelivered() if note := self.notes.get(event.note_id):
                note.delivered = True
            case _:
                pass

    def _apply_receipt(self, event: ev.CommandReceived) -> None:
        self.receipts.append(event)
        if event.outcome != "accepted" or self.status.is_over:
            return
        if event.command == "pause" and self.status is RunStatus.RUNNING:
            self.status = RunStatus.PAUSING
        elif event.command == "resume" and self.status is RunStatus.PAUSING:
            self.status = RunStatus.RUNNING
        elif event.command == "stop":
            self.status = RunStatus.STOPPING

    def _finish_model_call(self, event: ev.ModelCallFinished) -> None:
        self.usage.calls += 1
        self.usage.input_tokens += event.input_tokens
        self.usage.output_tokens += event.output_tokens
        if event.error is not None:
            self.usage.failed += 1
        elif event.cost_usd is None:
            self.usage.unpriced += 1
        else:
            self.usage.cost_usd += event.cost_usd
        if 0 < event.call <= len(self.model_calls):
            call = self.model_calls[event.call - 1]
            call.seconds = event.seconds
            call.input_tokens = event.input_tokens
            call.output_tokens = event.output_tokens
            call.cost_usd = event.cost_usd
            call.said = event.said
            call.tools = event.tools
            call.record = event.record
            call.error = event.error

    def _iteration_of(self, event: ev.EventBase) -> IterationState | None:
        index = event.iteration
        if index is None:
            return None
        while len(self.iterations) <= index:
            self.iterations.append(IterationState(len(self.iterations), event.time))
        return self.iterations[index]

    def _end_hold(self, now: datetime) -> None:
        if self.held_since is not None:
            self.held_total += now - self.held_since
            self.held_since = None

    def _close_open_calls(self, now: datetime) -> None:
        """An engine that died left its last calls open; nobody will end them."""
        for call in reversed(self.tool_calls):
            if call.outcome is not None:
                break
            call.outcome = ToolOutcome.CANCELLED
            call.seconds = (now - call.started).total_seconds()
        for model_call in reversed(self.model_calls):
            if model_call.seconds is not None:
                break
            model_call.seconds = (now - model_call.started).total_seconds()
            model_call.error = "the engine ended before the reply came"


def _apply_step(
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
            step.status = StepStatus.SKIPPED
            step.reason = event.reason
            step.seconds = _since(step.started, event.time)
        case ev.StepFailed():
            step.status = StepStatus.FAILED
            step.reason = event.reason
            step.seconds = _since(step.started, event.time)
        case ev.OutputRejected():
            step.rejections += 1


def _since(started: datetime | None, now: datetime) -> float | None:
    return None if started is None else (now - started).total_seconds()


def fold(events: Iterable[ev.Event], state: RunState | None = None) -> RunState:
    """Fold ``events`` in order into ``state`` (a new one where none is given) and return it."""
    state = RunState() if state is None else state
    for event in events:
        state.apply(event)
    return state
