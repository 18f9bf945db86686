"""Facts, profiles and histories for tests of the policy, made by hand."""

from collections.abc import Sequence
from typing import Any

from agents.policy.carried import candidate_line, profile_line
from agents.recipes.catalogue import Candidate, InputKind, InputProfile
from agents.steps.facts import IterationFacts, PathFacts, StepFacts, TaskFacts
from agents.vocabulary import IterationMode, IterationStatus, SplitName, StepName, TaskType


def profile_for(kind: InputKind = InputKind.SEQUENCE, task_type: TaskType = TaskType.BINARY) -> InputProfile:
    sequences = {InputKind.SEQUENCE: ("peptide",), InputKind.SEQUENCE_PAIR: ("site", "guide")}.get(kind, ())
    alphabet = "protein" if kind is InputKind.SEQUENCE else "dna"
    return InputProfile(
        kind=kind,
        sequence_columns=sequences,
        alphabet=dict.fromkeys(sequences, alphabet),
        numeric_columns=() if sequences else tuple(f"x{number}" for number in range(60)),
        categorical_columns=(),
        rows=200,
        task_type=task_type,
        classes={TaskType.BINARY: 2, TaskType.MULTICLASS: 3, TaskType.REGRESSION: 0}[task_type],
    )


def past(
    number: int,
    candidate: Candidate | None,
    score: float | None = None,
    *,
    train: float | None = None,
    mode: IterationMode = IterationMode.EXPLORE,
    reason: str = "",
    split_version: int = 1,
    seconds: float = 10.0,
    profile: InputProfile | None = None,
    statistics: dict[str, Any] | None = None,
    instructions: str = "",
    metric: str = "AUROC",
) -> IterationFacts:
    """One iteration that ended; without a score it failed."""
    line = candidate_line(candidate) if candidate else ""
    outputs: dict[StepName, dict[str, Any]] = {
        StepName.ITERATION_PLAN: {"model_architecture_instructions": f"{instructions}\n{line}".strip()},
        StepName.DATA_EXPLORATION: {"feature_analysis": profile_line(profile)} if profile else {},
        StepName.PREDICTION_EXPLORATION: {"statistics": statistics or {}},
    }
    return IterationFacts(
        iteration=number,
        status=IterationStatus.FAILED if score is None else IterationStatus.DONE,
        reason=reason,
        mode=IterationMode.BASELINE if number == 0 else mode,
        combination=candidate.combination if candidate else "simple baseline",
        split_version=split_version,
        train={} if train is None else {metric: train},
        validation={} if score is None else {metric: score},
        seconds=seconds,
        outputs=outputs,
    )


def facts_for(
    step: StepName = StepName.ITERATION_PLAN,
    history: Sequence[IterationFacts] = (),
    *,
    iteration: int | None = None,
    iterations: int = 10,
    exploring: bool = False,
    may_split: bool = False,
    time_left: float | None = None,
    task_type: TaskType = TaskType.BINARY,
    metric: str = "AUROC",
    higher_is_better: bool = True,
    plan: dict[str, Any] | None = None,
    outputs: dict[StepName, dict[str, Any]] | None = None,
    root: str = "/run",
    has_split: bool = True,
) -> StepFacts:
    number = len(history) if iteration is None else iteration
    split = {name: f"{root}/splits/v1/{name}" for name in SplitName}
    return StepFacts(
        step=step,
        iteration=number,
        iterations=iterations,
        exploring=exploring,
        may_split=may_split,
        split_version=1 if has_split else None,
        seed=0,
        cpus=1,
        time_left=time_left,
        task=TaskFacts(
            dataset="d",
            task_type=task_type,
            metric=metric,
            higher_is_better=higher_is_better,
            classes=[] if task_type is TaskType.REGRESSION else ["no", "yes"],
            rows={"train": 200},
            has_groups=False,
            brings_validation=False,
        ),
        paths=PathFacts(
            data=f"{root}/data",
            iteration=f"{root}/iterations/{number:03d}",
            step=f"{root}/iterations/{number:03d}/{step}",
            split=split if has_split else None,
        ),
        plan=plan,
        outputs=outputs or {},
        history=list(history),
    )
