"""Events: facts in the past tense, one JSON line each in a run's journal.

An event is small. Bulky text (tool output, model replies, scripts) lies in files of its own that events name by a
path relative to the run's folder. ``seq``, ``time`` and ``run_id`` are stamped by the journal's writer.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from agents.events.base import EventBase as EventBase
from agents.events.comparing import BestRescored as BestRescored
from agents.events.comparing import CandidateCompared as CandidateCompared
from agents.events.steering import (
    ApprovalAnswered as ApprovalAnswered,
)
from agents.events.steering import (
    ApprovalAsked as ApprovalAsked,
)
from agents.events.steering import (
    CommandReceived as CommandReceived,
)
from agents.events.steering import (
    GatesSet as GatesSet,
)
from agents.events.steering import (
    Held as Held,
)
from agents.events.steering import (
    LimitRaised as LimitRaised,
)
from agents.events.steering import (
    LimitReached as LimitReached,
)
from agents.events.steering import (
    NoteChanged as NoteChanged,
)
from agents.events.steering import (
    NoteDelivered as NoteDelivered,
)
from agents.events.steering import (
    NoteReceived as NoteReceived,
)
from agents.events.steering import (
    NoteWithdrawn as NoteWithdrawn,
)
from agents.events.steering import (
    Released as Released,
)
from agents.vocabulary import (
    IterationMode,
    IterationStatus,
    RunStatus,
    TaskType,
    ToolOutcome,
    WatchRule,
)

# --- the run ---------------------------------------------------------------------------------------------------------


class RunStarted(EventBase):
    """An engine took the run up for the first time. Nothing of the dataset has been read yet."""

    type: Literal["run_started"] = "run_started"
    dataset: str = Field(description="The dataset's name.")
    model: str
    iterations: int
    settings: dict[str, Any] = Field(default_factory=dict)
    version: str = ""


class RunResumed(EventBase):
    """Another engine took the run up after the first one had ended without finishing it."""

    type: Literal["run_resumed"] = "run_resumed"
    host: str = ""
    pid: int = 0


class RunForked(EventBase):
    """The run began as a fork: all events before this one are its parent's, under this run's id.

    ``iteration`` and ``step`` say where it goes on; no step: at the beginning of the iteration. What is spent counts
    from here.
    """

    type: Literal["run_forked"] = "run_forked"
    parent: str = Field(description="The parent's id.")
    parent_path: str = Field(description="The parent's folder when it was forked.")
    parent_seq: int = Field(description="Of the last event that both journals have.")
    settings: dict[str, Any] = Field(default_factory=dict, description="All settings of this run.")
    changed: dict[str, Any] = Field(default_factory=dict, description="Those in which it differs from its parent.")
    test_evaluations: dict[str, int] = Field(
        default_factory=dict, description="Test split to how often the parent had scored it when it was forked."
    )


class DatasetChecked(EventBase):
    """The dataset was understood and copied into the run, labels of test splits left out."""

    type: Literal["dataset_checked"] = "dataset_checked"
    task_type: TaskType
    metric: str
    higher_is_better: bool
    rows: dict[str, int] = Field(description="Rows of each split that the dataset brought.")
    classes: list[str] = Field(default_factory=list, description="Class names in the order of their numbers.")
    withheld: dict[str, str] = Field(default_factory=dict, description="Column kept from the model, to the reason.")
    findings: list[str] = Field(default_factory=list, description="What a person should know, a line each.")
    fingerprint: dict[str, str] = Field(default_factory=dict, description="Split to SHA-256 over its files.")
    data_digest: str = Field("", description="SHA-256 over what was copied into the run.")


class EnvironmentReady(EventBase):
    """The run's own Python environment exists."""

    type: Literal["environment_ready"] = "environment_ready"
    python: str
    packages: dict[str, str] = Field(description="Distribution to exact version.")
    isolation: str = Field(description="How generated code is kept apart, in words.")
    seconds: float


class RunFinished(EventBase):
    """The run is over; nothing follows it but a possible run_resumed."""

    type: Literal["run_finished"] = "run_finished"
    status: RunStatus
    reason: str = ""
    best_iteration: int | None = None
    cut_off: bool = Field(False, description="Files could not be written or read: when they can, it can be taken up.")


# --- iterations and steps --------------------------------------------------------------------------------------------


class IterationStarted(EventBase):
    """An iteration began."""

    type: Literal["iteration_started"] = "iteration_started"


class IterationPlanned(EventBase):
    """The plan of the iteration was accepted."""

    type: Literal["iteration_planned"] = "iteration_planned"
    mode: IterationMode
    combination: str
    change: str
    reason: str
    expectation: str


class IterationFinished(EventBase):
    """An iteration ended, well or not."""

    type: Literal["iteration_finished"] = "iteration_finished"
    status: IterationStatus
    reason: str = ""
    seconds: float = 0.0
    report: str | None = Field(None, description="Path of the iteration's Markdown report.")


class StepStarted(EventBase):
    """A step began."""

    type: Literal["step_started"] = "step_started"


class StepFinished(EventBase):
    """A step's output was accepted and written."""

    type: Literal["step_finished"] = "step_finished"
    summary: str
    output: str = Field(description="Path of output.json.")
    combination: str | None = Field(None, description="Representation and model family, where the step decided them.")
    seconds: float = 0.0


class StepSkipped(EventBase):
    """A person skipped the step, or it did not apply."""

    type: Literal["step_skipped"] = "step_skipped"
    reason: str


class StepFailed(EventBase):
    """A step ended without an accepted output; its iteration fails with it."""

    type: Literal["step_failed"] = "step_failed"
    reason: str


class StepRepeated(EventBase):
    """This step was put back, by a person or because its output is lost: it and those after it in the iteration begin
    again, and what they made is aside."""

    type: Literal["step_repeated"] = "step_repeated"
    reason: str
    anew: bool = Field(False, description="It is to be done otherwise: nothing that was answered before counts.")


class OutputLost(EventBase):
    """An engine that took the run up found an accepted output missing or damaged; plans and reports do without it."""

    type: Literal["output_lost"] = "output_lost"
    path: str
    reason: str


class OutputRejected(EventBase):
    """A ``final_result`` did not pass its schema or the engine's checks."""

    type: Literal["output_rejected"] = "output_rejected"
    attempt: int = Field(description="From 1.")
    reason: str


# --- calls -----------------------------------------------------------------------------------------------------------


class ModelCallStarted(EventBase):
    """A request to a model is about to be sent."""

    type: Literal["model_call_started"] = "model_call_started"
    call: int = Field(description="Number of the model call in the run, from 1.")
    model: str
    stream: str | None = Field(None, description="Path of the file into which the reply streams while it comes.")


class ModelCallRetried(EventBase):
    """An attempt at a model call failed in a way that may pass; it is made again after ``wait`` seconds."""

    type: Literal["model_call_retried"] = "model_call_retried"
    call: int
    model: str
    reason: str
    retry: int = Field(description="Which one this is, from 1.")
    of: int = Field(description="How many there are at most.")
    wait: float = Field(description="Seconds, from this event's time.")


class ModelChanged(EventBase):
    """A model gave no reply, and the next one of the fallback models is asked for the rest of the step."""

    type: Literal["model_changed"] = "model_changed"
    call: int
    model: str = Field(description="The one that gave no reply.")
    fallback: str
    reason: str


class ParameterDropped(EventBase):
    """A model does not take a parameter that the settings ask for; it is asked without it from now on."""

    type: Literal["parameter_dropped"] = "parameter_dropped"
    call: int
    model: str
    parameter: str
    reason: str


class ContextCompacted(EventBase):
    """A conversation came near its model's window: old tool outputs in it became pointers to their files."""

    type: Literal["context_compacted"] = "context_compacted"
    call: int = Field(description="The model call that comes next.")
    left_out: list[int] = Field(description="Numbers of the tool calls whose output became a pointer.")
    tokens_before: int = Field(description="Estimated.")
    tokens_after: int
    window: int = Field(description="Tokens that the model takes.")


class ReplayDiverged(EventBase):
    """A replayed run asked something else than the recorded one at the same place."""

    type: Literal["replay_diverged"] = "replay_diverged"
    call: int
    recorded_call: int
    diff: str


class ModelCallFinished(EventBase):
    """A model answered, or the request failed (then ``error`` says how)."""

    type: Literal["model_call_finished"] = "model_call_finished"
    call: int
    model: str
    seconds: float
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = Field(0, description="Of the input tokens, those that the provider had in its cache.")
    cost_usd: float | None = Field(None, description="None: the model has no known price.")
    said: str = Field("", description="Beginning of the reply's text.")
    tools: list[str] = Field(default_factory=list, description="Tools that the reply calls.")
    record: str | None = Field(None, description="Path of the call's request and reply.")
    repeats: int | None = Field(
        None, description="The call of an interrupted attempt whose reply this is: nothing was asked, nothing paid."
    )
    error: str | None = None


class ToolCallStarted(EventBase):
    """A tool is about to run. Its output streams into ``log``."""

    type: Literal["tool_call_started"] = "tool_call_started"
    call: int = Field(description="Number of the tool call in the run, from 1.")
    tool: str
    title: str = Field(description="One line that says what is done: the command, or the file.")
    log: str = Field(description="Path of the output, relative to the run's folder.")
    arguments: str = Field(description="Path of the arguments as JSON, relative to the run's folder.")


class ToolCallFinished(EventBase):
    """A tool call ended."""

    type: Literal["tool_call_finished"] = "tool_call_finished"
    call: int
    tool: str
    outcome: ToolOutcome
    exit_status: int | None = Field(None, description="Of the process, where there was one.")
    seconds: float
    bytes: int = Field(0, description="Size of the whole output.")


class TrainingProgress(EventBase):
    """A training script printed a TRAINING_REPORT line."""

    type: Literal["training_progress"] = "training_progress"
    call: int = Field(description="The tool call in which it runs.")
    epoch: float
    of: float | None = None
    values: dict[str, float | None] = Field(description="Losses and metrics; None where not finite.")
    message: str = ""


class TrainingWarned(EventBase):
    """A plain rule found something in the training reports. The finding also goes back to the model."""

    type: Literal["training_warned"] = "training_warned"
    call: int
    rule: WatchRule
    message: str


# --- results ---------------------------------------------------------------------------------------------------------


class SplitCreated(EventBase):
    """A split passed the engine's checks and became a version that later iterations use."""

    type: Literal["split_created"] = "split_created"
    version: int = Field(description="From 1. Scores of different versions are not comparable.")
    rows: dict[str, int]
    strategy: str
    digests: dict[str, str] = Field(default_factory=dict, description="Split to SHA-256 over its files.")


class MetricsComputed(EventBase):
    """The engine scored predictions."""

    type: Literal["metrics_computed"] = "metrics_computed"
    split: str = Field(description="train, validation, or the name of a test split.")
    is_test: bool = False
    metric: str = Field(description="The run's metric.")
    values: dict[str, float | None] = Field(description="Every metric of the task; None where undefined.")
    undefined: str = Field("", description="Why the run's metric has no value on a test split, where it has none.")
    rows: int
    split_version: int | None = None


class BestChanged(EventBase):
    """A candidate became the best and its snapshot lies in ``best/``."""

    type: Literal["best_changed"] = "best_changed"
    metric: str
    value: float
    previous: float | None = Field(None, description="The best before, on the same split version.")
    split_version: int
    combination: str = ""
    snapshot: str = Field("best", description="Path of the snapshot.")
    digest: str = Field("", description="SHA-256 over the names and bytes of its scripts and artifacts, as scored.")


RunEvent = RunStarted | RunResumed | RunForked | DatasetChecked | EnvironmentReady | RunFinished
IterationEvent = (
    IterationStarted
    | IterationPlanned
    | IterationFinished
    | StepStarted
    | StepFinished
    | StepSkipped
    | StepFailed
    | StepRepeated
    | OutputLost
    | OutputRejected
)
ModelEvent = (
    ModelCallStarted
    | ModelCallRetried
    | ModelChanged
    | ParameterDropped
    | ContextCompacted
    | ReplayDiverged
    | ModelCallFinished
)
ToolEvent = ToolCallStarted | ToolCallFinished | TrainingProgress | TrainingWarned
ResultEvent = SplitCreated | MetricsComputed | CandidateCompared | BestChanged | BestRescored
SteeringEvent = (
    Held
    | Released
    | LimitReached
    | LimitRaised
    | CommandReceived
    | NoteReceived
    | NoteChanged
    | NoteWithdrawn
    | NoteDelivered
    | GatesSet
    | ApprovalAsked
    | ApprovalAnswered
)

Event = Annotated[
    RunEvent | IterationEvent | ModelEvent | ToolEvent | ResultEvent | SteeringEvent,
    Field(discriminator="type"),
]
"""Any event."""

EVENT: Final[TypeAdapter[Event]] = TypeAdapter(Event)
"""Parses one JSON line of a journal; raises ``pydantic.ValidationError``."""
