"""What every part of a run's engine shares."""

from dataclasses import dataclass
from pathlib import Path

from agents.budget import Budget
from agents.data.workspace import DatasetFacts
from agents.environment import RunEnvironment
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.scripts import Scripts
from agents.settings import RunSettings
from agents.steering import Steering
from agents.steps.agent import StepAgent
from agents.vocabulary import SplitName


@dataclass(frozen=True)
class RunContext:
    """One run, prepared: its data imported, its environment made, its model reachable."""

    run: RunFolder
    settings: RunSettings
    recorder: Recorder
    steering: Steering
    budget: Budget
    agent: StepAgent
    scripts: Scripts
    environment: RunEnvironment
    dataset: DatasetFacts
    description: str
    """The dataset's own text."""

    @property
    def split(self) -> dict[SplitName, Path] | None:
        """Folders of the newest split version; None before the first one."""
        version = self.recorder.state.split_version
        if version is None:
            return None
        return {name: self.run.split(version) / name for name in SplitName}
