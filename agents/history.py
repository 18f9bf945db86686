"""What earlier iterations taught: their outputs and scores, read back for plans and reports."""

import json
from dataclasses import dataclass
from typing import Any

from agents.run_folder import RunFolder
from agents.state import IterationState, RunState
from agents.steps.facts import IterationFacts
from agents.vocabulary import SplitName, StepName, StepStatus


def outputs_of(run: RunFolder, iteration: IterationState) -> dict[StepName, dict[str, Any]]:
    """Accepted outputs of an iteration's finished steps, in their order; one that is lost is left out."""
    return {name: output for name, output in _read(run, iteration).items() if not isinstance(output, Lost)}


@dataclass(frozen=True)
class Lost:
    """An output that the journal knows and the disk does not give."""

    path: str
    """In the run's folder."""
    reason: str


def lost_outputs(run: RunFolder, iteration: IterationState) -> dict[StepName, Lost]:
    """Outputs of an iteration's finished steps that are missing or damaged."""
    return {name: output for name, output in _read(run, iteration).items() if isinstance(output, Lost)}


def _read(run: RunFolder, iteration: IterationState) -> dict[StepName, dict[str, Any] | Lost]:
    return {
        name: _output(run, step.output)
        for name, step in iteration.steps.items()
        if step.status is StepStatus.DONE and step.output
    }


def _output(run: RunFolder, path: str) -> dict[str, Any] | Lost:
    """Raises ``OSError`` where the disk itself is at fault."""
    try:
        output = json.loads((run.root / path).read_bytes())
    except FileNotFoundError:
        return Lost(path, "is missing")
    except (ValueError, RecursionError):
        return Lost(path, "is damaged: no JSON")
    return output if isinstance(output, dict) else Lost(path, "is damaged: no JSON object")


def history_before(run: RunFolder, state: RunState, index: int) -> list[IterationFacts]:
    """The iterations before ``index`` as a prompt tells them, the failed and skipped ones too."""
    return [_facts_of(run, state, iteration) for iteration in state.iterations[:index]]


def full_reason(iteration: IterationState) -> str:
    """Why an iteration failed or was skipped, and at which step; empty where it was done."""
    if not iteration.reason:
        return ""
    for step in iteration.steps.values():
        if step.status in (StepStatus.FAILED, StepStatus.SKIPPED) and step.reason == iteration.reason:
            return f"{step.name.label}: {step.reason}"
    return iteration.reason


def _facts_of(run: RunFolder, state: RunState, iteration: IterationState) -> IterationFacts:
    return IterationFacts(
        iteration=iteration.index,
        status=iteration.status,
        reason=full_reason(iteration),
        mode=iteration.mode,
        combination=iteration.combination,
        change=iteration.change,
        split_version=iteration.split_version,
        train=iteration.scores.get(SplitName.TRAIN, {}),
        validation=iteration.scores.get(SplitName.VALIDATION, {}),
        is_best=state.best is not None and state.best.iteration == iteration.index,
        seconds=iteration.seconds,
        outputs=outputs_of(run, iteration),
    )
