"""The engine's own checks of what a step hands over. Each returns problems in words for the model; none: accepted."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agents.data.splits import check_split
from agents.data.workspace import DatasetFacts, read_labels, write_inputs_only
from agents.evaluation.predictions import PredictionError
from agents.model_files import ARTIFACTS, INFERENCE, TRAIN, copy_scripts, gather
from agents.scripts import ScriptFailed, Scripts
from agents.steps.facts import StepFacts
from agents.steps.outputs import DataSplitOutput, IterationPlanOutput, ModelInferenceOutput, ModelTrainingOutput
from agents.vocabulary import IterationMode, SplitName

_OTHER_ITERATION: Final = re.compile(r"iterations[/\\]+(\d{3,})")


def plan_problems(plan: IterationPlanOutput, facts: StepFacts) -> list[str]:
    """The baseline comes first, exploring means something never tried, and a fixed split stays fixed."""
    problems = []
    if facts.iteration == 0 and plan.mode is not IterationMode.BASELINE:
        problems.append(f"mode: iteration 0 is the baseline (given: {plan.mode})")
    if facts.iteration > 0 and plan.mode is IterationMode.BASELINE:
        problems.append("mode: only iteration 0 is the baseline; choose explore or refine")
    if facts.exploring and facts.iteration > 0 and plan.mode is not IterationMode.EXPLORE:
        problems.append(f"mode: this iteration must explore (given: {plan.mode})")
    tried = {_normal(past.combination): past.iteration for past in facts.history if past.combination}
    if plan.mode is IterationMode.EXPLORE and (before := tried.get(_normal(plan.combination))) is not None:
        problems.append(f"combination: {plan.combination!r} was tried in iteration {before}; choose one never tried")
    if plan.data_split_instructions and not facts.may_split:
        problems.append("data_split_instructions: the split may not change any more; give null")
    return problems


def split_folders(output: DataSplitOutput, iteration_dir: Path) -> dict[SplitName, Path]:
    """The folders of an output, resolved against the iteration's folder."""
    named = {
        SplitName.TRAIN: output.train,
        SplitName.VALIDATION: output.validation,
        SplitName.MINI_TRAIN: output.mini_train,
    }
    return {name: (iteration_dir / path).resolve() for name, path in named.items()}


def split_problems(
    folders: Mapping[SplitName, Path], facts: StepFacts, step_dir: Path, data: Path, dataset: DatasetFacts
) -> list[str]:
    """A fixed split must be handed over as it is; a new one lies in the step's folder and passes the data checks."""
    in_force = facts.paths.split
    if in_force is not None and dict(folders) == {name: Path(path).resolve() for name, path in in_force.items()}:
        return []
    if not facts.may_split:
        assert in_force is not None
        fixed = ", ".join(f"{name}: {path}" for name, path in in_force.items())
        return [f"the split is fixed; hand over {fixed}"]
    outside = [name for name, path in folders.items() if not path.is_relative_to(step_dir.resolve())]
    if outside:
        return [f"{name}: {folders[name]} does not lie in the step's folder {step_dir}" for name in outside]
    return check_split(dict(folders), data, dataset)


async def training_problems(
    output: ModelTrainingOutput, step_dir: Path, iteration: int, split: Mapping[SplitName, Path], scripts: Scripts
) -> list[str]:
    """``train.py`` runs on mini_train in a clean folder and leaves the same set of artifacts there."""
    if problems := _script_problems("train_script", output.train_script, step_dir, TRAIN, iteration):
        return problems
    artifacts = artifact_names(step_dir / ARTIFACTS)
    if not artifacts:
        return [f"{ARTIFACTS}/ beside {TRAIN} is missing or empty; run {TRAIN} with --artifacts-dir {ARTIFACTS}"]
    with scripts.scratch() as scratch:
        clean = scratch / step_dir.name
        copy_scripts(step_dir, clean)
        try:
            await scripts.train(
                clean / TRAIN,
                train=split[SplitName.MINI_TRAIN],
                validation=split[SplitName.VALIDATION],
                artifacts=clean / ARTIFACTS,
                title=f"re-run {TRAIN} on mini_train in a clean folder",
            )
        except ScriptFailed as error:
            return [f"{TRAIN} does not run on mini_train in a clean folder: {error}"]
        again = artifact_names(clean / ARTIFACTS)
    if again != artifacts:
        missing, more = sorted(artifacts - again)[:5], sorted(again - artifacts)[:5]
        return [
            f"{TRAIN} leaves other artifacts in a clean folder: missing {missing or 'none'}, new {more or 'none'}; "
            "their names must be the same on every run"
        ]
    return []


async def inference_problems(
    output: ModelInferenceOutput,
    step_dir: Path,
    artifacts: Path,
    iteration: int,
    split: Mapping[SplitName, Path],
    scripts: Scripts,
) -> list[str]:
    """``inference.py`` predicts every row of mini_train, from inputs without labels and as the copy that is kept."""
    if problems := _script_problems("inference_script", output.inference_script, step_dir, INFERENCE, iteration):
        return problems
    mini_train = split[SplitName.MINI_TRAIN]
    ids, _ = read_labels(mini_train)
    with scripts.scratch() as scratch:
        write_inputs_only(mini_train, scratch / "input")
        model = gather(step_dir, artifacts, scratch / "model").protected()
        try:
            await scripts.predict(model, scratch / "input", ids, title=f"dry run of {INFERENCE} on mini_train")
        except (ScriptFailed, PredictionError) as error:
            return [f"{INFERENCE} on the inputs of mini_train: {error}"]
    return []


def artifact_names(folder: Path) -> set[str]:
    """Relative names of all files below ``folder``; empty where there is no such folder."""
    if not folder.is_dir():
        return set()
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _script_problems(field: str, given: str, step_dir: Path, name: str, iteration: int) -> list[str]:
    expected = step_dir / name
    # Both ways of naming it are natural: from the iteration's folder, and from the step's own.
    if expected.resolve() not in {(step_dir.parent / given).resolve(), (step_dir / given).resolve()}:
        return [f"{field}: expected {step_dir.name}/{name} (given: {given})"]
    if not expected.is_file():
        return [f"{field}: {step_dir.name}/{name} does not exist"]
    problems = []
    for path in sorted(step_dir.glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        others = {number for number in _OTHER_ITERATION.findall(text) if int(number) != iteration}
        if others:
            problems.append(f"{path.name} names a path into another iteration ({', '.join(sorted(others))})")
    return problems


def _normal(combination: str) -> str:
    return re.sub(r"[\W_]+", " ", combination.lower()).strip()
