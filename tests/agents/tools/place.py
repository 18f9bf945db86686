"""A step's folder in an iteration, and what the tools need to work in it."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from agents.events import EventBase
from agents.sandbox.fence import OPEN
from agents.time_limit import TimeLimit
from agents.tools.base import ToolContext


@dataclass
class Place:
    """One step of one iteration, with the events that its tools emitted."""

    root: Path
    events: list[EventBase] = field(default_factory=list)

    @property
    def iteration(self) -> Path:
        return self.root / "iterations" / "000"

    @property
    def step(self) -> Path:
        return self.iteration / "model_training"

    @property
    def log(self) -> Path:
        return self.root / "tool_calls" / "000007.log"

    def context(self, bash_timeout: float | TimeLimit = 60, run_python_timeout: float | TimeLimit = 60) -> ToolContext:
        return ToolContext(
            call=7,
            step_dir=self.step,
            iteration_dir=self.iteration,
            python=Path(sys.executable),
            cell=OPEN,
            environment={"PATH": "/usr/local/bin:/usr/bin:/bin"},
            bash_timeout=_limit(bash_timeout),
            run_python_timeout=_limit(run_python_timeout),
            log=self.log,
            emit=self.events.append,
        )


def _limit(limit: float | TimeLimit) -> TimeLimit:
    return limit if isinstance(limit, TimeLimit) else TimeLimit(limit)
