"""What earlier iterations taught: their outputs and scores, read back for plans and reports."""

import json
from typing import Any

from agents.run_folder import RunFolder
from agents.state import IterationState, RunState
from agents.steps.facts import IterationFacts
from agents.vocabulary import SplitName, StepName, StepStatus


def outputs_of(run: RunFolder, iteration: IterationState) -> dict[StepName, dict[str, Any]]:
    """Accepted outputs of an iteration's finished steps, in their order."""
    return {
        name: json.loads((run.root / step.output).read_bytes())
        for name, step in iteration.steps.items()
        if step.status is StepStatus.DONE and step.output and (run.root / step.output).is_file()
    }


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
