"""What a step is asked: its facts and its prompt, and the engine's check of what it hands over."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.calls import Workplace
from agents.clock import utc_now
from agents.context import RunContext
from agents.evaluate import verify_unchanged
from agents.history import history_before
from agents.limits import working_time_left
from agents.model_files import ARTIFACTS
from agents.prompts import prompt_for
from agents.steps.agent import StepFailed, StepRequest
from agents.steps.approving import Approving
from agents.steps.checks import inference_problems, plan_problems, split_folders, split_problems, training_problems
from agents.steps.facts import PathFacts, StepFacts, TaskFacts
from agents.steps.outputs import (
    OUTPUT_OF,
    DataSplitOutput,
    IterationPlanOutput,
    ModelInferenceOutput,
    ModelTrainingOutput,
    StepOutput,
)
from agents.vocabulary import SplitName, StepName

Outputs = Mapping[StepName, dict[str, Any]]
"""Accepted outputs of an iteration's steps, as they lie in the archive."""
Check = Callable[[Any], Awaitable[Sequence[str]]]


def request_for(context: RunContext, index: int, step: StepName, outputs: Outputs) -> StepRequest[Any]:
    """What ``step`` of iteration ``index`` is asked, after the steps before it handed over ``outputs``."""
    settings = context.settings
    facts = _facts(context, index, step, outputs)
    plan = outputs.get(StepName.ITERATION_PLAN)
    instructions = plan.get(f"{step}_instructions") if plan else None
    told = [note.text for note in context.recorder.state.notes.values() if note.delivered]
    prompt = prompt_for(facts, context.description, settings.note, told, instructions)
    planning = step is StepName.ITERATION_PLAN
    approving = Approving(context, index, facts)
    return StepRequest(
        model=settings.planner if planning else settings.model,
        system=prompt.system,
        prompt=prompt.user,
        output=OUTPUT_OF[step],
        check=_Checks(context, index, facts).of(step),
        place=Workplace(
            step_dir=context.run.step(index, step),
            iteration_dir=context.run.iteration(index),
            python=context.environment.python,
            environment=context.environment.variables,
            cell=context.environment.cell(
                read=(context.run.data, context.run.iteration(index), *(context.split or {}).values()),
                write=(context.run.step(index, step),),
            ),
        ),
        approve=approving.plan if planning else None,
        approve_call=approving.call,
        with_tools=not planning,
        temperature=_first(settings.iteration_plan_temperature if planning else None, settings.temperature),
        reasoning_effort=(settings.iteration_plan_reasoning_effort if planning else None) or settings.reasoning_effort,
    )


def _first(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _facts(context: RunContext, index: int, step: StepName, outputs: Outputs) -> StepFacts:
    settings, dataset, split = context.settings, context.dataset, context.split
    return StepFacts(
        step=step,
        iteration=index,
        iterations=settings.iterations,
        exploring=1 <= index <= settings.exploration_iterations,
        may_split=index < settings.split_allowed_iterations or split is None,
        split_version=context.recorder.state.split_version,
        seed=settings.seed,
        cpus=settings.cpus,
        time_left=working_time_left(context.recorder.state, utc_now()),
        task=TaskFacts(
            dataset=dataset.name,
            task_type=dataset.task_type,
            metric=dataset.metric,
            higher_is_better=dataset.higher_is_better,
            classes=dataset.classes,
            rows=dataset.rows,
            has_groups=dataset.has_groups,
            brings_validation=dataset.brings_validation,
        ),
        paths=PathFacts(
            data=str(context.run.data),
            iteration=str(context.run.iteration(index)),
            step=str(context.run.step(index, step)),
            split={name: str(path) for name, path in split.items()} if split else None,
        ),
        plan=outputs.get(StepName.ITERATION_PLAN),
        outputs={name: output for name, output in outputs.items() if name is not StepName.ITERATION_PLAN},
        history=history_before(context.run, context.recorder.state, index),
    )


@dataclass(frozen=True)
class _Checks:
    """The engine's own checks of one iteration's outputs: problems in words for the model."""

    context: RunContext
    index: int
    facts: StepFacts

    def of(self, step: StepName) -> Check:
        checks: dict[StepName, Check] = {
            StepName.ITERATION_PLAN: self._plan,
            StepName.DATA_SPLIT: self._split,
            StepName.MODEL_TRAINING: self._training,
            StepName.MODEL_INFERENCE: self._inference,
        }
        return checks.get(step, self._nothing)

    async def _plan(self, output: IterationPlanOutput) -> Sequence[str]:
        return plan_problems(output, self.facts)

    async def _split(self, output: DataSplitOutput) -> Sequence[str]:
        context = self.context
        folders = split_folders(output, context.run.iteration(self.index))
        await asyncio.to_thread(verify_unchanged, context, context.run.data, context.recorder.state.data_digest)
        step_dir = self._step_dir(StepName.DATA_SPLIT)
        return await asyncio.to_thread(split_problems, folders, self.facts, step_dir, context.run.data, context.dataset)

    async def _training(self, output: ModelTrainingOutput) -> Sequence[str]:
        step_dir = self._step_dir(StepName.MODEL_TRAINING)
        return await training_problems(output, step_dir, self.index, self._split_in_force(), self.context.scripts)

    async def _inference(self, output: ModelInferenceOutput) -> Sequence[str]:
        step_dir, artifacts = (
            self._step_dir(StepName.MODEL_INFERENCE),
            self._step_dir(StepName.MODEL_TRAINING) / ARTIFACTS,
        )
        return await inference_problems(
            output, step_dir, artifacts, self.index, self._split_in_force(), self.context.scripts
        )

    async def _nothing(self, _: StepOutput) -> Sequence[str]:
        return ()

    def _step_dir(self, step: StepName) -> Path:
        return self.context.run.step(self.index, step)

    def _split_in_force(self) -> dict[SplitName, Path]:
        if self.context.split is None:
            raise StepFailed("there is no split yet")
        return self.context.split
