"""What is asked of the process that makes a fork. Imports nothing heavy: the app's process uses this."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agents.settings import RunSettings
from agents.vocabulary import StepName


class ForkRequest(BaseModel):
    """A fork of ``parent`` below ``runs_dir``; see :func:`agents.fork.fork_run`."""

    model_config = ConfigDict(frozen=True)

    parent: Path
    runs_dir: Path
    settings: RunSettings
    version: str
    run_id: str | None = None
    iteration: int | None = None
    step: StepName | None = None
