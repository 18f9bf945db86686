"""Made-up facts of a typical run, so that a prompt can be read without one."""

from typing import Any, Final

from agents.steps.facts import IterationFacts, PathFacts, StepFacts, TaskFacts
from agents.vocabulary import STEPS, IterationMode, IterationStatus, SplitName, StepName, TaskType

DESCRIPTION: Final = "Peptides that act against microbes, and random peptides of the same lengths."
_RUN: Final = "/runs/20260102-101500-peptides"
_PLAN: Final[dict[str, Any]] = {
    "summary": "A linear baseline on k-mer counts.",
    "mode": "baseline",
    "combination": "k-mer counts + logistic regression",
    "change": "The first model of this run.",
    "reason": "A baseline says what the simple features are worth.",
    "expectation": "AUROC between 0.85 and 0.90 on validation.",
    "data_exploration_instructions": "Lengths and composition by class, repeats, invalid letters.",
    "data_split_instructions": "80/20, stratified, near-duplicates on the same side.",
    "data_representation_instructions": "Counts of 1-mers and 2-mers, and the length.",
    "model_architecture_instructions": "Logistic regression, L2, class weights balanced.",
    "model_training_instructions": "Choose C by cross-validation on train.",
    "model_inference_instructions": "Unknown letters count as nothing.",
    "prediction_exploration_instructions": "Errors by length and by net charge.",
}
OUTPUTS: Final[dict[StepName, dict[str, Any]]] = {
    StepName.ITERATION_PLAN: _PLAN,
    StepName.DATA_EXPLORATION: {
        "summary": "2,600 peptides, classes balanced, 41 repeats.",
        "data_description": "One column of sequences, 10 to 50 letters.",
        "feature_analysis": "K and R are 1.9 times as frequent in the positive class.",
        "quality_findings": ["41 sequences stand twice", "3 sequences hold the letter X"],
        "domain_insights": "Positive charge lets a peptide bind to membranes of bacteria.",
    },
    StepName.DATA_SPLIT: {
        "summary": "2,080 for train, 520 for validation.",
        "train": "data_split/train",
        "validation": "data_split/validation",
        "mini_train": "data_split/mini_train",
        "strategy": "Stratified by class; sequences with 80 % identity stay together.",
    },
    StepName.DATA_REPRESENTATION: {
        "summary": "441 features for each peptide.",
        "representation": "Relative frequencies of 1-mers and 2-mers, length, net charge.",
        "fitted_on_train_only": ["StandardScaler"],
    },
    StepName.MODEL_ARCHITECTURE: {
        "summary": "Logistic regression.",
        "combination": "k-mer counts + logistic regression",
        "architecture": "Logistic regression on scaled features.",
        "hyperparameters": {"C": 0.3, "class_weight": "balanced"},
        "regularisation": "L2.",
    },
    StepName.MODEL_TRAINING: {
        "summary": "Trained in 4 s.",
        "train_script": "model_training/train.py",
        "unresolved_issues": [],
    },
    StepName.MODEL_INFERENCE: {
        "summary": "Predicts every row of mini_train.",
        "inference_script": "model_inference/inference.py",
    },
    StepName.PREDICTION_EXPLORATION: {
        "summary": "Short peptides are hardest.",
        "statistics": {"error rate below 15 letters": 0.24, "error rate above": 0.11},
        "successes": "Strongly charged peptides.",
        "failures": "Short peptides without charge.",
        "insights": "The order of letters is not used yet.",
    },
}
"""What the steps of an iteration hand over."""


def example_facts(step: StepName) -> StepFacts:
    """The facts of ``step``: a plan is that of iteration 1, with the baseline behind it; all else is the baseline."""
    planning = step is StepName.ITERATION_PLAN
    iteration = 1 if planning else 0
    before = STEPS[1 : STEPS.index(step)] if not planning else ()
    has_split = planning or step not in (StepName.DATA_EXPLORATION, StepName.DATA_SPLIT)
    folder = f"{_RUN}/iterations/{iteration:03d}"
    return StepFacts(
        step=step,
        iteration=iteration,
        iterations=5,
        exploring=planning,
        may_split=not planning,
        split_version=1 if has_split else None,
        seed=0,
        cpus=4,
        time_left=None,
        task=TaskFacts(
            dataset="peptides",
            task_type=TaskType.BINARY,
            metric="AUROC",
            higher_is_better=True,
            classes=["random", "antimicrobial"],
            rows={"train": 2600},
            has_groups=False,
            brings_validation=False,
        ),
        paths=PathFacts(
            data=f"{_RUN}/data",
            iteration=folder,
            step=f"{folder}/{step}",
            split={name: f"{_RUN}/splits/v1/{name}" for name in SplitName} if has_split else None,
        ),
        plan=None if planning else _PLAN,
        outputs={name: OUTPUTS[name] for name in before},
        history=[_baseline()] if planning else [],
    )


def example_instructions(step: StepName) -> str | None:
    """What the example's plan says to ``step``."""
    return _PLAN.get(f"{step}_instructions")


def _baseline() -> IterationFacts:
    return IterationFacts(
        iteration=0,
        status=IterationStatus.DONE,
        mode=IterationMode.BASELINE,
        combination=_PLAN["combination"],
        change=_PLAN["change"],
        split_version=1,
        train={"AUROC": 0.931},
        validation={"AUROC": 0.884},
        is_best=True,
        seconds=312.0,
        outputs=OUTPUTS,
    )
