"""One iteration: nine steps in their order, each asked for, checked, archived and announced."""

import asyncio
import shutil
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.calls import Workplace
from agents.clock import Stopwatch, utc_now
from agents.context import RunContext
from agents.data.splits import install_split
from agents.evaluate import evaluate_candidate, verify_unchanged
from agents.events import (
    IterationFinished,
    IterationPlanned,
    IterationStarted,
    SplitCreated,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from agents.events import StepFailed as StepFailedEvent
from agents.files import digest_of, write_atomically
from agents.history import history_before, outputs_of
from agents.models.gateway import ModelError, ModelRefused
from agents.prompts import prompt_for
from agents.report import write_iteration_report
from agents.steering import Interruption, IterationInterrupted, RunInterrupted, StepInterrupted
from agents.steps.agent import StepFailed, StepRequest
from agents.steps.checks import (
    ARTIFACTS,
    inference_problems,
    plan_problems,
    split_folders,
    split_problems,
    training_problems,
)
from agents.steps.facts import PathFacts, StepFacts, TaskFacts
from agents.steps.outputs import (
    OUTPUT_OF,
    DataSplitOutput,
    IterationPlanOutput,
    ModelArchitectureOutput,
    ModelInferenceOutput,
    ModelTrainingOutput,
    StepOutput,
)
from agents.tasks import to_the_end
from agents.vocabulary import NEEDED_STEPS, STEPS, IterationStatus, SplitName, StepName, StepStatus

Check = Callable[[Any], Awaitable[Sequence[str]]]


@dataclass
class Iteration:
    """Runs one iteration. An iteration that an earlier engine left goes on behind its last finished step."""

    context: RunContext
    index: int
    _outputs: dict[StepName, dict[str, Any]] = field(default_factory=dict)

    # --- the order of things -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run it to its end, whatever that is.

        Raises :class:`RunInterrupted` and ``ModelRefused``, which end the run, after the iteration's end is told.
        """
        recorder = self.context.recorder
        recorder.iteration = self.index
        if self.index >= len(recorder.state.iterations):
            recorder.emit(IterationStarted(), durable=True)
        watch = Stopwatch()
        ends_run: Exception | None = None
        status, reason = IterationStatus.DONE, ""
        try:
            await self._steps()
        except Interruption as interruption:
            status, reason = IterationStatus.SKIPPED, str(interruption)
            ends_run = interruption if isinstance(interruption, RunInterrupted) else None
        except (StepFailed, ModelError) as failure:
            status, reason = IterationStatus.FAILED, str(failure)
            ends_run = failure if isinstance(failure, ModelRefused) else None
        self._tell_end(status, reason, watch.seconds)
        recorder.iteration = None
        if ends_run is not None:
            raise ends_run

    async def _steps(self) -> None:
        state = self.context.recorder.state.iterations[self.index]
        self._outputs = outputs_of(self.context.run, state)
        for step in STEPS:
            if state.steps[step].status in (StepStatus.DONE, StepStatus.SKIPPED):
                continue
            self.context.recorder.step = step
            try:
                await self._step(step)
            finally:
                self.context.recorder.step = None

    async def _step(self, step: StepName) -> None:
        recorder = self.context.recorder
        self._fresh_folder(step)
        recorder.emit(StepStarted(), durable=True)
        watch = Stopwatch()
        try:
            output = await self.context.steering.interruptible(self._work(step))
        except StepInterrupted as interruption:
            recorder.emit(StepSkipped(reason=str(interruption)), durable=True)
            if step in NEEDED_STEPS or (step is StepName.DATA_SPLIT and self._split() is None):
                raise IterationInterrupted(f"{step.label} was skipped, and nothing after it can run") from None
            return
        except Interruption as interruption:
            recorder.emit(StepSkipped(reason=str(interruption)), durable=True)
            raise
        except (StepFailed, ModelError) as failure:
            recorder.emit(StepFailedEvent(reason=str(failure)), durable=True)
            raise
        except Exception as error:
            # Agents leave files and names that nobody thought of; that costs an iteration, not a run of days.
            traceback.print_exc()
            reason = f"unexpected {type(error).__name__}: {error}"
            recorder.emit(StepFailedEvent(reason=reason), durable=True)
            raise StepFailed(reason) from error
        self._archive(step, output, watch.seconds)

    async def _work(self, step: StepName) -> StepOutput:
        if step is StepName.VALIDATION_EVALUATION:
            split = self._split()
            assert split is not None
            return await evaluate_candidate(self.context, self.index, split)
        output: StepOutput = await self.context.agent.run(self._request(step))
        if isinstance(output, DataSplitOutput):
            await to_the_end(self._install(split_folders(output, self._dir), output.strategy))
        return output

    # --- what is asked -----------------------------------------------------------------------------------------------

    def _request(self, step: StepName) -> StepRequest[Any]:
        context = self.context
        facts = self._facts(step)
        plan = self._outputs.get(StepName.ITERATION_PLAN)
        instructions = plan.get(f"{step}_instructions") if plan else None
        told = [note.text for note in context.recorder.state.notes.values() if note.delivered]
        prompt = prompt_for(facts, context.description, context.settings.note, told, instructions)
        planning = step is StepName.ITERATION_PLAN
        return StepRequest(
            model=context.settings.planner if planning else context.settings.model,
            system=prompt.system,
            prompt=prompt.user,
            output=OUTPUT_OF[step],
            check=self._check(step, facts),
            place=Workplace(
                step_dir=Path(facts.paths.step),
                iteration_dir=self._dir,
                python=context.environment.python,
                environment=context.environment.variables,
            ),
            with_tools=not planning,
        )

    def _check(self, step: StepName, facts: StepFacts) -> Check:
        async def plan(output: IterationPlanOutput) -> Sequence[str]:
            return plan_problems(output, facts)

        async def split(output: DataSplitOutput) -> Sequence[str]:
            folders = split_folders(output, self._dir)
            verify_unchanged(context, context.run.data, context.recorder.state.data_digest)
            return await asyncio.to_thread(
                split_problems, folders, facts, self._step_dir(step), context.run.data, context.dataset
            )

        async def training(output: ModelTrainingOutput) -> Sequence[str]:
            return await training_problems(output, self._step_dir(step), self.index, self._split_or_fail(), scripts)

        async def inference(output: ModelInferenceOutput) -> Sequence[str]:
            artifacts = self._step_dir(StepName.MODEL_TRAINING) / ARTIFACTS
            return await inference_problems(
                output, self._step_dir(step), artifacts, self.index, self._split_or_fail(), scripts
            )

        async def nothing(_: StepOutput) -> Sequence[str]:
            return ()

        context = self.context
        scripts = context.scripts
        checks: dict[StepName, Check] = {
            StepName.ITERATION_PLAN: plan,
            StepName.DATA_SPLIT: split,
            StepName.MODEL_TRAINING: training,
            StepName.MODEL_INFERENCE: inference,
        }
        return checks.get(step, nothing)

    def _facts(self, step: StepName) -> StepFacts:
        context, settings, dataset = self.context, self.context.settings, self.context.dataset
        split = self._split()
        return StepFacts(
            step=step,
            iteration=self.index,
            iterations=settings.iterations,
            exploring=1 <= self.index <= settings.exploration_iterations,
            may_split=self.index < settings.split_allowed_iterations or split is None,
            split_version=context.recorder.state.split_version,
            seed=settings.seed,
            cpus=settings.cpus,
            time_left=context.time_left(utc_now()),
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
                iteration=str(self._dir),
                step=str(self._step_dir(step)),
                split={name: str(path) for name, path in split.items()} if split else None,
            ),
            plan=self._outputs.get(StepName.ITERATION_PLAN),
            outputs={name: output for name, output in self._outputs.items() if name is not StepName.ITERATION_PLAN},
            history=history_before(context.run, context.recorder.state, self.index),
        )

    # --- what becomes of it ------------------------------------------------------------------------------------------

    async def _install(self, folders: dict[SplitName, Path], strategy: str) -> None:
        if folders == self._split():
            return
        version = (self.context.recorder.state.split_version or 0) + 1
        target = self.context.run.split(version)
        shutil.rmtree(target, ignore_errors=True)  # left by an engine that died before it could announce it
        rows = await asyncio.to_thread(install_split, folders, target, self.context.run.data, self.context.dataset)
        digests = {name.value: await asyncio.to_thread(digest_of, target / name) for name in SplitName}
        self.context.recorder.emit(
            SplitCreated(
                version=version,
                rows={str(name): count for name, count in rows.items()},
                strategy=strategy,
                digests=digests,
            ),
            durable=True,
        )

    def _archive(self, step: StepName, output: StepOutput, seconds: float) -> None:
        recorder, run = self.context.recorder, self.context.run
        path = self._step_dir(step) / "output.json"
        write_atomically(path, output.model_dump_json(indent=2))
        self._outputs[step] = output.model_dump(mode="json")
        if isinstance(output, IterationPlanOutput):
            recorder.emit(
                IterationPlanned(
                    mode=output.mode,
                    combination=output.combination,
                    change=output.change,
                    reason=output.reason,
                    expectation=output.expectation,
                )
            )
        combination = output.combination if isinstance(output, ModelArchitectureOutput) else None
        recorder.emit(
            StepFinished(summary=output.summary, output=run.relative(path), combination=combination, seconds=seconds),
            durable=True,
        )
        for file in self._step_dir(step).rglob("*"):
            if file.is_file() and not file.is_symlink():
                file.chmod(0o444)  # folders stay writable, or nobody could delete a run

    def _tell_end(self, status: IterationStatus, reason: str, seconds: float) -> None:
        recorder, run = self.context.recorder, self.context.run
        report = self._dir / "report.md"
        self._dir.mkdir(parents=True, exist_ok=True)
        recorder.emit(
            IterationFinished(status=status, reason=reason, seconds=seconds, report=run.relative(report)), durable=True
        )
        write_iteration_report(run, recorder.state, self.index)

    def _fresh_folder(self, step: StepName) -> None:
        """An empty folder for the step; what an interrupted attempt left is put aside, not lost."""
        folder = self._step_dir(step)
        if folder.exists() and any(folder.iterdir()):
            aside = self._dir / "interrupted"
            aside.mkdir(exist_ok=True)
            folder.rename(aside / f"{step}-{len(list(aside.glob(f'{step}-*'))) + 1}")
        folder.mkdir(parents=True, exist_ok=True)

    # --- where things are --------------------------------------------------------------------------------------------

    @property
    def _dir(self) -> Path:
        return self.context.run.iteration(self.index)

    def _step_dir(self, step: StepName) -> Path:
        return self.context.run.step(self.index, step)

    def _split(self) -> dict[SplitName, Path] | None:
        version = self.context.recorder.state.split_version
        if version is None:
            return None
        return {name: self.context.run.split(version) / name for name in SplitName}

    def _split_or_fail(self) -> dict[SplitName, Path]:
        split = self._split()
        if split is None:
            raise StepFailed("there is no split yet")
        return split
