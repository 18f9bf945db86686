"""What every part of a run's engine shares."""

from dataclasses import dataclass
from datetime import datetime

from agents.data.workspace import DatasetFacts
from agents.environment import RunEnvironment
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.scripts import Scripts
from agents.settings import RunSettings
from agents.steering import Steering
from agents.steps.agent import StepAgent


@dataclass(frozen=True)
class RunContext:
    """One run, prepared: its data imported, its environment made, its model reachable."""

    run: RunFolder
    settings: RunSettings
    recorder: Recorder
    steering: Steering
    agent: StepAgent
    scripts: Scripts
    environment: RunEnvironment
    dataset: DatasetFacts
    description: str
    """The dataset's own text."""

    def time_left(self, now: datetime) -> float | None:
        """Seconds until the run's time limit, time on hold or without an engine not counted; None without a limit."""
        if self.settings.timeout is None:
            return None
        return self.settings.timeout - self.recorder.state.active(now).total_seconds()
