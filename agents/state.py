"""``RunState``: everything that screens, ``status``, reports and recovery know of a run.

It is made by folding the run's events (``agents/fold.py``) and in no other way.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Final

from agents import events as ev
from agents.certainty import Certainty
from agents.vocabulary import (
    STEPS,
    Gate,
    IterationMode,
    IterationStatus,
    Limit,
    NoteTime,
    RunStatus,
    StepName,
    StepStatus,
    TaskType,
    ToolOutcome,
)

_SETTING_OF: Final = {Limit.USD: "budget_usd", Limit.TOKENS: "budget_tokens", Limit.TIME: "timeout"}


@dataclass(slots=True)
class Usage:
    """What model calls took. ``unpriced`` counts the calls whose cost nobody knows."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0
    failed: int = 0

    @property
    def tokens(self) -> int:
        """Input and output together, as a budget counts them."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(slots=True)
class StepState:
    """One step of one iteration."""

    name: StepName
    status: StepStatus = StepStatus.PENDING
    started: datetime | None = None
    seconds: float | None = None
    summary: str = ""
    reason: str = ""
    output: str | None = None
    is_cut_off: bool = False
    """The run ended while it was open; a run that is taken up again begins it again."""
    rejections: int = 0
    anew_after: int = 0
    """The newest model call when a person wanted the step done otherwise: no reply up to it is given again."""
    model_calls: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(slots=True)
class TrainingPoint:
    """One TRAINING_REPORT line."""

    epoch: float
    of: float | None
    values: dict[str, float | None]
    message: str
    number: int = 0
    """Which report of its call it is, from 0."""


@dataclass(slots=True)
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
    """The reports that are kept (``agents/bounds.py``): the first, the newest, and what a curve needs between them."""
    reports: int = 0
    """How many there were in all."""
    stride: int = 1
    """How many reports one stretch of the kept curve stands for."""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Retry:
    """A model call that is made again: number ``retry`` of at most ``of``, at ``until``."""

    reason: str
    retry: int
    of: int
    until: datetime


@dataclass(slots=True)
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
    stream: str | None = None
    """Path of the file into which the reply streams."""
    retry: Retry | None = None
    """The newest retry, while the call runs."""


@dataclass(frozen=True)
class LimitState:
    """A limit that keeps the run from going on, in words for a person."""

    limit: Limit
    used: float
    allowed: float
    message: str
    needed: float = 0.0
    """What has to be allowed in all for the next call, as far as it could be estimated."""


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
    is_cut_off: bool = False
    """The run ended while it was open; a run that is taken up again goes on with it."""
    seconds: float | None = None
    split_version: int | None = None
    open_split: int | None = None
    """A split version that was made in this iteration by a step which is not done: a step that begins again makes it
    again."""
    scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """Split to metric to value, as the engine computed them."""
    certainty: Certainty | None = None
    """Of its validation score; None before it was compared, and in journals of before."""
    report: str | None = None
    usage: Usage = field(default_factory=Usage)

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
    digest: str = ""
    """SHA-256 over the snapshot's scripts and artifacts, as they were scored."""
    previous: float | None = None
    """The best before, on the same split version."""
    certainty: Certainty | None = None
    """Of ``value``; None in journals of before."""


@dataclass
class NoteState:
    """A person's note."""

    note_id: str
    text: str
    by: str
    when: NoteTime = NoteTime.NOW
    sent: datetime | None = None
    withdrawn: bool = False
    delivered: bool = False
    iteration: int | None = None
    """Where it was delivered."""
    step: StepName | None = None
    followed: str = ""
    """What the agent did next: the change of its plan, its tool call, or its output, in one line."""

    @property
    def waits(self) -> bool:
        """Whether it can still be changed or withdrawn."""
        return not self.delivered and not self.withdrawn


@dataclass(frozen=True)
class ApprovalState:
    """What waits for a person's approval."""

    approval: int
    gate: Gate
    iteration: int | None
    step: StepName | None
    title: str
    subject: str
    change: str | None
    asked: datetime


@dataclass(frozen=True)
class ParentState:
    """The run that this one was forked from, and where."""

    run_id: str
    path: str
    seq: int
    """Of the last event that both have."""
    iteration: int
    step: StepName | None
    """With what the fork went on; None: with the beginning of the iteration."""
    changed: dict[str, object]
    """Settings in which the fork differs, with its own values."""
    test_evaluations: dict[str, int]
    """Test split to how often it had been scored when the fork was made."""


@dataclass(frozen=True)
class Idle:
    """A time in which the engine did not work: on hold, or without an engine."""

    start: datetime
    end: datetime

    def within(self, start: datetime, end: datetime) -> timedelta:
        """How much of it lies between ``start`` and ``end``."""
        return max(timedelta(), min(self.end, end) - max(self.start, start))


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
    data_digest: str = ""
    """SHA-256 over the run's ``data/`` as the engine wrote it."""
    isolation: str = ""
    packages: dict[str, str] = field(default_factory=dict)
    iterations: list[IterationState] = field(default_factory=list)
    tool_calls: list[ToolCallState] = field(default_factory=list)
    """The newest ones, as many as are kept (``agents/bounds.py``)."""
    earlier_tool_calls: int = 0
    """How many came before them."""
    model_calls: list[ModelCallState] = field(default_factory=list)
    """The newest ones, likewise."""
    earlier_model_calls: int = 0
    trainings: list[int] = field(default_factory=list)
    """Tool calls whose whole curve is kept, in the order in which they began to report."""
    best: BestState | None = None
    test_scores: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """Test split to metric to value, of the present best snapshot."""
    test_undefined: dict[str, str] = field(default_factory=dict)
    """Test split to why the run's metric has no value on it."""
    test_evaluations: dict[str, int] = field(default_factory=dict)
    """Test split to how often it was scored, by the run that this one was forked from too."""
    splits: dict[int, dict[str, int]] = field(default_factory=dict)
    """Split version to rows of each split."""
    split_digests: dict[int, dict[str, str]] = field(default_factory=dict)
    """Split version to SHA-256 over each split's files, as they were accepted."""
    notes: dict[str, NoteState] = field(default_factory=dict)
    receipts: list[ev.CommandReceived] = field(default_factory=list)
    """The newest ones."""
    gates: list[Gate] = field(default_factory=list)
    """Where the run waits for an approval."""
    approvals: int = 0
    """How many were asked for."""
    approval: ApprovalState | None = None
    """What waits for one now."""
    usage: Usage = field(default_factory=Usage)
    """Of a fork: since it was made, and so are its limits."""
    inherited: Usage = field(default_factory=Usage)
    """What the runs that it was forked from had used for what it shares with them."""
    parent: ParentState | None = None
    raised: dict[Limit, float] = field(default_factory=dict)
    """Limits that a person raised, to what is allowed in all; the others stand in the settings."""
    raised_by: dict[Limit, str] = field(default_factory=dict)
    """The command that raised each of them last."""
    limit: LimitState | None = None
    """The limit at which the run stands or because of which it ended."""
    started: datetime | None = None
    """Of a fork: when it was made."""
    ended: datetime | None = None
    held_since: datetime | None = None
    idle: list[Idle] = field(default_factory=list)
    """Every hold that ended, and every time without an engine: from the last event of one to the first of the next."""
    stop_asked: bool = False
    is_cut_off: bool = False
    """It ended because its files could not be written or read."""
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
    def running_model_call(self) -> ModelCallState | None:
        last = self.model_calls[-1] if self.model_calls else None
        return last if last and last.seconds is None else None

    @property
    def running_tool_call(self) -> ToolCallState | None:
        last = self.tool_calls[-1] if self.tool_calls else None
        return last if last and last.outcome is None else None

    @property
    def split_version(self) -> int | None:
        """The newest split version."""
        return max(self.splits, default=None)

    def allowed(self, limit: Limit) -> float | None:
        """What the run may use of it in all (US dollars, tokens, seconds); None where there is no limit."""
        if limit in self.raised:
            return self.raised[limit]
        value = self.settings.get(_SETTING_OF[limit])
        return float(value) if isinstance(value, int | float) else None

    @property
    def tool_calls_made(self) -> int:
        """How many there were, those that are no longer kept included: the number of the newest one."""
        return self.earlier_tool_calls + len(self.tool_calls)

    @property
    def model_calls_made(self) -> int:
        """How many there were, those that are no longer kept included: the number of the newest one."""
        return self.earlier_model_calls + len(self.model_calls)

    def model_call(self, call: int) -> ModelCallState | None:
        """The model call of that number, from 1 without a gap; None where it is not kept or was never made."""
        place = call - 1 - self.earlier_model_calls
        return self.model_calls[place] if 0 <= place < len(self.model_calls) else None

    def tool_call(self, call: int) -> ToolCallState | None:
        """The tool call of that number, from 1 without a gap; None where it is not kept or was never made."""
        place = call - 1 - self.earlier_tool_calls
        return self.tool_calls[place] if 0 <= place < len(self.tool_calls) else None

    def elapsed(self, now: datetime) -> timedelta:
        """Time from the start to ``now`` or to the end, held time included."""
        if self.started is None:
            return timedelta()
        return max(timedelta(), (self.ended or now) - self.started)

    def active(self, now: datetime) -> timedelta:
        """The elapsed time without what the run was on hold or had no engine."""
        return timedelta() if self.started is None else self._worked(self.started, now)

    def active_since(self, started: datetime, now: datetime) -> float:
        """Seconds that the engine worked from ``started`` to ``now``: time on hold or without an engine is left out.

        For the clock of a step, an iteration or a call (its ``started``). It stands still while the run is held, and at
        the run's end. Whether the engine still lives is not in the journal: where the lock says that it has died, give
        ``last_event`` for ``now``, and the clock stands still there too.
        """
        return self._worked(started, now).total_seconds()

    def _worked(self, start: datetime, now: datetime) -> timedelta:
        end = min(moment for moment in (now, self.ended, self.held_since) if moment is not None)
        idle = sum((span.within(start, end) for span in self.idle), timedelta())
        return max(timedelta(), end - start - idle)
