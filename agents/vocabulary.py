"""The closed sets of words that events, settings, screens and reports share."""

from enum import StrEnum
from typing import Final, Literal


class StepName(StrEnum):
    """The nine steps of an iteration, in their order."""

    ITERATION_PLAN = "iteration_plan"
    DATA_EXPLORATION = "data_exploration"
    DATA_SPLIT = "data_split"
    DATA_REPRESENTATION = "data_representation"
    MODEL_ARCHITECTURE = "model_architecture"
    MODEL_TRAINING = "model_training"
    MODEL_INFERENCE = "model_inference"
    PREDICTION_EXPLORATION = "prediction_exploration"
    VALIDATION_EVALUATION = "validation_evaluation"

    @property
    def label(self) -> str:
        """The step's name as a person reads it, such as ``Data split``."""
        return self.value.replace("_", " ").capitalize()


STEPS: Final = tuple(StepName)


NEEDED_STEPS: Final = frozenset({StepName.ITERATION_PLAN, StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE})
"""Without these nothing after them can run, so skipping one ends its iteration."""


class TaskType(StrEnum):
    """What kind of label is predicted."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"

    @property
    def is_classification(self) -> bool:
        return self is not TaskType.REGRESSION


class Gain(StrEnum):
    """What a comparison of a candidate with the best, on the same rows, came to."""

    REAL = "real"
    NOISE = "within noise"
    WORSE = "worse"
    UNKNOWN = "unknown"
    """Nothing can be said, for a reason that is told."""


class RunStatus(StrEnum):
    """State of a run as its journal tells it. Whether its engine still lives is told by the lock, not by this."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    HELD = "held"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    REFUSED = "refused"

    @property
    def is_over(self) -> bool:
        return self in _OVER


_OVER: Final = {RunStatus.FINISHED, RunStatus.FAILED, RunStatus.STOPPED, RunStatus.REFUSED}


class StepStatus(StrEnum):
    """State of one step of one iteration."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class IterationStatus(StrEnum):
    """State of one iteration."""

    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class ToolOutcome(StrEnum):
    """How a tool call ended. ``ERROR``: a refused argument, or a process whose exit status was not 0."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


WatchRule = Literal["not_finite", "diverging", "overfitting", "not_converging", "silent"]
"""The plain rules that watch a training run."""


class Gate(StrEnum):
    """Where a run can wait for a person's approval."""

    PLAN = "plan"
    TRAINING = "training"


Verdict = Literal["approve", "edit", "reject"]
"""What a person says at a gate; ``edit`` approves what the person made of it."""


class NoteTime(StrEnum):
    """When a note goes to the agent: with its next model call, at the next step's first, or with the next plan."""

    NOW = "now"
    STEP = "step"
    PLAN = "plan"


class Limit(StrEnum):
    """What a person may limit for a whole run."""

    USD = "usd"
    TOKENS = "tokens"
    TIME = "time"


class IterationMode(StrEnum):
    """What an iteration is for, as its plan declares openly."""

    BASELINE = "baseline"
    EXPLORE = "explore"
    REFINE = "refine"


class SplitName(StrEnum):
    """The three folders that the data_split step hands over."""

    TRAIN = "train"
    VALIDATION = "validation"
    MINI_TRAIN = "mini_train"


def is_test(split: str) -> bool:
    """Whether a split is kept for the final evaluation: its name begins with ``test``."""
    return split.startswith("test")


PERSON_REJECTS: Final = "The person who watches rejects this: "
"""Before the reason, where a person did not approve what passed the engine's checks."""

BUILTIN_MODEL: Final = "builtin/omics"
"""The policy without an LLM, reached through litellm like every other model."""

REPLAY: Final = "replay:"
"""Before the path of a recorded run, whose replies then answer."""

TRAINING_REPORT: Final = "TRAINING_REPORT:"
"""Begins a line in which a training script tells how it goes."""
