"""One iteration: nine steps in their order, each asked for, checked, archived and announced."""

import asyncio
import traceback
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from agents.asking import request_for
from agents.budget import LimitEndsRun
from agents.clock import utc_now
from agents.context import RunContext
from agents.data.splits import install_split
from agents.errors import is_of_the_disk
from agents.evaluate import evaluate_candidate
from agents.events import (
    IterationFinished,
    IterationPlanned,
    IterationStarted,
    SplitCreated,
    StepFinished,
    StepRepeated,
    StepSkipped,
    StepStarted,
)
from agents.events import StepFailed as StepFailedEvent
from agents.files import digest_of, remove_tree, sync_tree, write_atomically
from agents.history import lost_outputs, outputs_of
from agents.interruptions import Interruption, IterationInterrupted, RunInterrupted, StepInterrupted, StepRepeats
from agents.models.gateway import ModelError, RequestRefused
from agents.report import write_iteration_report
from agents.state import IterationState
from agents.steps.agent import StepFailed
from agents.steps.checks import split_folders
from agents.steps.outputs import DataSplitOutput, IterationPlanOutput, ModelArchitectureOutput, StepOutput
from agents.tasks import to_the_end
from agents.vocabulary import NEEDED_STEPS, STEPS, IterationStatus, SplitName, StepName, StepStatus


@dataclass
class Iteration:
    """Runs one iteration. An iteration that an earlier engine left goes on behind its last finished step."""

    context: RunContext
    index: int
    _outputs: dict[StepName, dict[str, Any]] = field(default_factory=dict)

    # --- the order of things -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run it to its end, whatever that is.

        Raises :class:`RunInterrupted`, which ends the run, after the iteration's end is told. Raises ``ModelError``
        where no model can be asked any more, and ``LimitEndsRun``: these end the run too, but the iteration is only cut
        off, and a run that is taken up again goes on with the step that was asked for.
        """
        recorder = self.context.recorder
        recorder.iteration = self.index
        if self.index >= len(recorder.state.iterations):
            recorder.emit(IterationStarted(), durable=True)
        ends_run: RunInterrupted | None = None
        status, reason = IterationStatus.DONE, ""
        try:
            await self._steps()
        except LimitEndsRun:
            raise
        except Interruption as interruption:
            status, reason = IterationStatus.SKIPPED, str(interruption)
            ends_run = interruption if isinstance(interruption, RunInterrupted) else None
        except (StepFailed, RequestRefused) as failure:
            status, reason = IterationStatus.FAILED, self.context.run.shown(str(failure))
        self._tell_end(status, reason)
        recorder.iteration = None
        if ends_run is not None:
            raise ends_run

    async def _steps(self) -> None:
        lost = lost_outputs(self.context.run, self._state)
        self._outputs = outputs_of(self.context.run, self._state)
        for first, what in list(lost.items())[:1]:  # those after it relied upon it
            self._put_back(first, f"{what.path} {what.reason}", anew=False)
        while (step := self._next_step()) is not None:
            self.context.recorder.step = step
            try:
                await self._step(step)
            except StepRepeats as wish:
                self._put_back(wish.back_to or step, str(wish), anew=wish.anew)
            finally:
                self.context.recorder.step = None

    def _next_step(self) -> StepName | None:
        over = (StepStatus.DONE, StepStatus.SKIPPED)
        return next((step for step in STEPS if self._state.steps[step].status not in over), None)

    def _put_back(self, first: StepName, reason: str, *, anew: bool) -> None:
        """Let ``first`` and what follows it begin again; what they made is put aside."""
        self.context.recorder.emit(StepRepeated(step=first, reason=reason, anew=anew), durable=True)
        for step in STEPS[STEPS.index(first) :]:
            self._outputs.pop(step, None)
            self._put_aside(step)

    async def _step(self, step: StepName) -> None:
        recorder = self.context.recorder
        self._fresh_folder(step)
        recorder.emit(StepStarted(), durable=True)
        try:
            output = await self.context.steering.interruptible(self._work(step))
        except StepInterrupted as interruption:
            recorder.emit(StepSkipped(reason=str(interruption)), durable=True)
            if step in NEEDED_STEPS or (step is StepName.DATA_SPLIT and self.context.split is None):
                raise IterationInterrupted(f"{step.label} was skipped, and nothing after it can run") from None
            return
        except (LimitEndsRun, StepRepeats):
            raise
        except Interruption as interruption:
            recorder.emit(StepSkipped(reason=str(interruption)), durable=True)
            raise
        except (StepFailed, RequestRefused) as failure:
            recorder.emit(StepFailedEvent(reason=self.context.run.shown(str(failure))), durable=True)
            raise
        except ModelError:
            raise
        except Exception as error:
            if is_of_the_disk(error):
                raise
            # Agents leave files and names that nobody thought of; that costs an iteration, not a run of days.
            traceback.print_exc()
            reason = self.context.run.shown(f"unexpected {type(error).__name__}: {error}")
            recorder.emit(StepFailedEvent(reason=reason), durable=True)
            raise StepFailed(reason) from error
        await self._archive(step, output)

    async def _work(self, step: StepName) -> StepOutput:
        if step is StepName.VALIDATION_EVALUATION:
            split = self.context.split
            assert split is not None
            return await evaluate_candidate(self.context, self.index, split)
        output: StepOutput = await self.context.agent.run(request_for(self.context, self.index, step, self._outputs))
        if isinstance(output, DataSplitOutput):
            await to_the_end(self._install(split_folders(output, self._dir), output.strategy))
        return output

    # --- what becomes of it ------------------------------------------------------------------------------------------

    async def _install(self, folders: dict[SplitName, Path], strategy: str) -> None:
        if folders == self.context.split:
            return
        version = (self.context.recorder.state.split_version or 0) + 1
        target = self.context.run.split(version)
        remove_tree(target)  # left by an engine that died before it could announce it
        rows = await asyncio.to_thread(install_split, folders, target, self.context.run.data, self.context.dataset)
        await asyncio.to_thread(sync_tree, target)
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

    async def _archive(self, step: StepName, output: StepOutput) -> None:
        recorder, run = self.context.recorder, self.context.run
        path = self._step_dir(step) / "output.json"
        write_atomically(path, recorder.redact(output.model_dump_json(indent=2)))
        await to_the_end(asyncio.to_thread(sync_tree, self._step_dir(step)))
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
        seconds = self._seconds_since(self._state.steps[step].started)
        recorder.emit(
            StepFinished(
                summary=run.shown(output.summary), output=run.relative(path), combination=combination, seconds=seconds
            ),
            durable=True,
        )
        for file in self._step_dir(step).rglob("*"):
            if file.is_file() and not file.is_symlink():
                file.chmod(0o444)  # folders stay writable, or nobody could delete a run

    def _tell_end(self, status: IterationStatus, reason: str) -> None:
        recorder, run = self.context.recorder, self.context.run
        report = self._dir / "report.md"
        self._dir.mkdir(parents=True, exist_ok=True)
        seconds = self._seconds_since(self._state.started)
        recorder.emit(
            IterationFinished(status=status, reason=reason, seconds=seconds, report=run.relative(report)), durable=True
        )
        write_iteration_report(run, recorder.state, self.index)

    def _fresh_folder(self, step: StepName) -> None:
        """An empty folder for the step; what an interrupted attempt left is put aside, not lost."""
        self._put_aside(step)
        self._step_dir(step).mkdir(parents=True, exist_ok=True)

    def _put_aside(self, step: StepName) -> None:
        folder = self._step_dir(step)
        if folder.exists() and any(folder.iterdir()):
            aside = self._dir / "interrupted"
            aside.mkdir(exist_ok=True)
            folder.rename(aside / f"{step}-{len(list(aside.glob(f'{step}-*'))) + 1}")

    def _seconds_since(self, started: datetime | None) -> float:
        """Seconds of work, by the journal's own clock: what a screen showed while they passed."""
        return 0.0 if started is None else self.context.recorder.state.active_since(started, utc_now())

    # --- where things are --------------------------------------------------------------------------------------------

    @property
    def _state(self) -> IterationState:
        return self.context.recorder.state.iterations[self.index]

    @property
    def _dir(self) -> Path:
        return self.context.run.iteration(self.index)

    def _step_dir(self, step: StepName) -> Path:
        return self.context.run.step(self.index, step)
