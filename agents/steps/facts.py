"""What a step's prompt tells the model as one JSON block. An LLM reads it, and so does the built-in policy."""

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agents.vocabulary import IterationMode, IterationStatus, SplitName, StepName, TaskType

_BLOCK = re.compile(r"<facts>\s*(\{.*?\})\s*</facts>", re.DOTALL)


class TaskFacts(BaseModel):
    """The dataset and what is to be predicted."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    task_type: TaskType
    metric: str
    higher_is_better: bool
    classes: list[str] = Field(description="Class names in the order of numeric_label 0, 1, …; empty for regression.")
    rows: dict[str, int] = Field(description="Rows of each split that the dataset brought, test splits left out.")
    has_groups: bool = Field(description="groups.csv (id,group) lies beside labels.csv; no group may straddle a split.")
    brings_validation: bool = Field(
        description="The dataset has its own validation split, which must be used as it is."
    )


class PathFacts(BaseModel):
    """Folders, absolute."""

    model_config = ConfigDict(frozen=True)

    data: str = Field(description="The dataset: train/ (and validation/), each input/ + labels.csv (id,numeric_label).")
    iteration: str
    step: str = Field(description="The only folder that may be written to; tools start here.")
    split: dict[SplitName, str] | None = Field(description="The split in force; None before the first one.")


class IterationFacts(BaseModel):
    """An earlier iteration."""

    model_config = ConfigDict(frozen=True)

    iteration: int
    status: IterationStatus
    reason: str = Field("", description="Why it failed or was skipped.")
    mode: IterationMode | None = None
    combination: str = ""
    change: str = ""
    split_version: int | None = Field(None, description="Scores of different versions are not comparable.")
    train: dict[str, float | None] = Field(default_factory=dict)
    validation: dict[str, float | None] = Field(default_factory=dict)
    is_best: bool = False
    seconds: float | None = None
    outputs: dict[StepName, dict[str, Any]] = Field(default_factory=dict, description="Accepted outputs of its steps.")


class StepFacts(BaseModel):
    """Everything that a step's conversation starts from."""

    model_config = ConfigDict(frozen=True)

    step: StepName
    iteration: int
    iterations: int = Field(description="Planned in all.")
    exploring: bool = Field(description="This iteration must try a combination that was never tried.")
    may_split: bool = Field(description="This iteration may make a new split version.")
    split_version: int | None
    seed: int
    cpus: int
    time_left: float | None = Field(description="Seconds left of the run; None without a limit.")
    task: TaskFacts
    paths: PathFacts
    plan: dict[str, Any] | None = Field(description="This iteration's accepted plan; None while planning.")
    outputs: dict[StepName, dict[str, Any]] = Field(description="Accepted outputs of this iteration's earlier steps.")
    history: list[IterationFacts]

    def block(self) -> str:
        """The facts as they stand in a prompt."""
        text = self.model_dump_json(indent=1).replace("</", "<\\/")  # no text from outside can close the block
        return f"<facts>\n{text}\n</facts>"

    @staticmethod
    def find(text: str) -> "StepFacts | None":
        """The facts of a prompt; None where it has no such block."""
        found = _BLOCK.search(text)
        return StepFacts.model_validate(json.loads(found[1])) if found else None
