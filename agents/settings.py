"""Settings of a run, fixed when it starts and kept in ``run.json``."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.vocabulary import BUILTIN_MODEL, Gate

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
"""How hard a reasoning model thinks, in litellm's words; providers take some of them."""


class RunSettings(BaseModel):
    """What a person asked for. Times are in seconds; no secret ever belongs here."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dataset: Path = Field(description="Folder of the dataset, absolute.")
    label_column: str | None = Field(None, description="Overrides `label_column` of metadata.json.")
    metric: str | None = Field(None, description="Overrides the dataset's metric.")
    model: str = BUILTIN_MODEL
    iteration_plan_model: str | None = Field(None, description="Planner's model; `model` where it is not given.")
    fallback_models: tuple[str, ...] = Field((), description="Asked in this order where the model gives no reply.")
    api_base: str | None = Field(None, description="Address of an OpenAI-compatible server for all models of this run.")
    iterations: int = Field(5, ge=1, le=1000)
    split_allowed_iterations: int = Field(1, ge=1, description="Leading iterations that may make a new split version.")
    exploration_iterations: int = Field(
        2, ge=0, description="Iterations after the baseline that must try something new."
    )
    seed: int = Field(0, ge=0, lt=2**32)
    temperature: float = Field(1.0, ge=0, le=2)
    iteration_plan_temperature: float | None = Field(None, ge=0, le=2, description="Planner's; else `temperature`.")
    reasoning_effort: Effort | None = Field(None, description="Where the model has it; else the provider's default.")
    iteration_plan_reasoning_effort: Effort | None = Field(None, description="Planner's; else `reasoning_effort`.")
    context_window: int | None = Field(None, ge=1000, description="Tokens the models take; else by litellm's table.")
    max_steps: int = Field(100, ge=1, description="Model calls in one step.")
    max_validation_retries: int = Field(10, ge=0, description="Rejected outputs in one step before it fails.")
    llm_response_timeout: float = Field(900, gt=0, description="For one whole reply.")
    llm_silence_timeout: float = Field(180, gt=0, description="Between two pieces of a reply, and before the first.")
    llm_retries: int = Field(12, ge=0, le=100, description="Of one model call whose failure may pass.")
    llm_retry_wait: float = Field(2.0, ge=0, description="Before the first retry; it doubles with each.")
    bash_tool_timeout: float = Field(300, gt=0)
    run_python_tool_timeout: float = Field(21600, gt=0)
    timeout: float | None = Field(
        None, gt=0, description="Time for the whole run, final evaluation and report included."
    )
    budget_usd: float | None = Field(None, gt=0, description="US dollars for the whole run.")
    budget_tokens: int | None = Field(None, gt=0, description="Input and output tokens for the whole run.")
    approve: tuple[Gate, ...] = Field((), description="Where the run waits for a person's approval.")
    at_limit: Literal["ask", "finish"] = Field(
        "finish", description="At a limit: hold the run and ask a person, or evaluate the best and end."
    )
    cpus: int = Field(1, ge=1, description="Threads that generated code may use.")
    note: str | None = Field(None, description="What the person wants the agent to know, from the start.")

    notify_command: str | None = Field(None, description="Run by the engine on news; reads one JSON object.")
    sandbox: Literal["none", "strongest"] = Field(
        "none", description="What confines everything that the agent wrote: nothing, or the strongest sandbox there is."
    )

    @property
    def planner(self) -> str:
        return self.iteration_plan_model or self.model

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that the run may ask, each once, in the order in which they matter."""
        return tuple(dict.fromkeys((self.model, self.planner, *self.fallback_models)))
