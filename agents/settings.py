"""Settings of a run, fixed when it starts and kept in ``run.json``."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agents.vocabulary import BUILTIN_MODEL


class RunSettings(BaseModel):
    """What a person asked for. Times are in seconds; no secret ever belongs here."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dataset: Path = Field(description="Folder of the dataset, absolute.")
    label_column: str | None = Field(None, description="Overrides `label_column` of metadata.json.")
    metric: str | None = Field(None, description="Overrides the dataset's metric.")
    model: str = BUILTIN_MODEL
    iteration_plan_model: str | None = Field(None, description="Planner's model; `model` where it is not given.")
    iterations: int = Field(5, ge=1, le=1000)
    split_allowed_iterations: int = Field(1, ge=1, description="Leading iterations that may make a new split version.")
    exploration_iterations: int = Field(
        2, ge=0, description="Iterations after the baseline that must try something new."
    )
    seed: int = Field(0, ge=0, lt=2**32)
    temperature: float = Field(1.0, ge=0, le=2)
    max_steps: int = Field(100, ge=1, description="Model calls in one step.")
    max_validation_retries: int = Field(10, ge=0, description="Rejected outputs in one step before it fails.")
    llm_response_timeout: float = Field(900, gt=0)
    bash_tool_timeout: float = Field(300, gt=0)
    run_python_tool_timeout: float = Field(21600, gt=0)
    timeout: float | None = Field(None, gt=0, description="Time for the whole run; no new iteration starts after it.")
    cpus: int = Field(1, ge=1, description="Threads that generated code may use.")
    note: str | None = Field(None, description="What the person wants the agent to know, from the start.")

    @property
    def planner(self) -> str:
        return self.iteration_plan_model or self.model
