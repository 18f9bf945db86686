"""The tool ``run_python``."""

import asyncio
import math
import shlex
from collections.abc import Iterable
from typing import Final

from pydantic import Field

from agents.events import TrainingProgress, TrainingWarned
from agents.excerpt import one_line
from agents.processes import ProcessNotStarted
from agents.tools.base import Tool, ToolArguments, ToolContext, ToolResult
from agents.tools.paths import PathRefused, script_file
from agents.tools.running import describe, not_started, run_in_step
from agents.tools.training_watch import (
    SILENCE_SECONDS,
    Finding,
    MalformedReport,
    TrainingReport,
    TrainingWatch,
    parse_report,
)
from agents.vocabulary import ToolOutcome
from agents.wording import counted

_PROGRESS_SECONDS: Final = 0.5
"""Between two progress events: two a second are as many as a person can follow."""


class RunPythonArguments(ToolArguments):
    """Arguments of ``run_python``."""

    path: str = Field(description="Script inside this iteration; a relative path starts in this step's folder.")
    arguments: list[str] = Field(
        default_factory=list, description="Command-line arguments, one string each; no shell reads them."
    )


class RunPython(Tool[RunPythonArguments]):
    """Run a Python script of this iteration with the run's interpreter, in this step's folder.

    The time limit is 6 hours unless the person set another. There is no standard input. Standard error is merged
    into the output; of a long output you get the first 8,000 and the last 4,000 characters. When the script ends,
    everything it left running in the background is ended. A script may print lines such as
    `TRAINING_REPORT: {"epoch": 3, "of": 10, "train_loss": 0.41, "validation_loss": 0.48}`: the person sees the
    curve, and you are told of NaN or diverging losses, overfitting, no convergence and long silence.
    """

    name = "run_python"
    arguments = RunPythonArguments

    def __init__(self, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._silence_seconds = silence_seconds

    async def run(self, arguments: RunPythonArguments, context: ToolContext) -> ToolResult:
        try:
            script = script_file(arguments.path, context)
        except PathRefused as error:
            return ToolResult(str(error), ToolOutcome.ERROR)
        if script.suffix != ".py":
            return ToolResult(f"{arguments.path!r} does not end in .py", ToolOutcome.ERROR)
        argv = [str(context.python), str(script), *arguments.arguments]
        training = _Training(context, self._silence_seconds)
        try:
            done = await run_in_step(argv, context, context.run_python_timeout, training.line)
        except ProcessNotStarted as error:
            return not_started(error)
        finally:
            training.close()
        return describe(done, context.run_python_timeout, training.remarks())

    def title(self, arguments: RunPythonArguments) -> str:
        return one_line(shlex.join([arguments.path, *arguments.arguments]))


class _Training:
    """Turns the reports of one running script into events and remarks."""

    def __init__(self, context: ToolContext, silence_seconds: float) -> None:
        self._context = context
        self._watch = TrainingWatch()
        self._findings: list[Finding] = []
        self._malformed = 0
        self._first_malformed = ""
        self._loop = asyncio.get_running_loop()
        self._waiting: TrainingReport | None = None
        self._next_progress = -math.inf
        self._progress_timer: asyncio.TimerHandle | None = None
        self._silence_seconds = silence_seconds
        self._size = -1
        self._silent_since = self._loop.time()
        self._silence_timer = self._loop.call_later(silence_seconds / 10, self._listen)

    def line(self, line: str) -> None:
        """Take a line of the script's output."""
        try:
            report = parse_report(line)
        except MalformedReport as error:
            self._malformed += 1
            self._first_malformed = self._first_malformed or str(error)
            return
        if report is not None:
            self._show(report)
            self._tell(self._watch.report(report))

    def close(self) -> None:
        """The script has ended."""
        self._silence_timer.cancel()
        self._show_waiting()
        self._tell(self._watch.finish())

    def remarks(self) -> Iterable[str]:
        """What the model is told after the output."""
        if self._malformed:
            yield f"Ignored: {counted(self._malformed, 'TRAINING_REPORT line')}: {self._first_malformed}"
        for finding in self._findings:
            yield f"Watch: {finding.message} ({finding.rule.replace('_', ' ')})"

    def _tell(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._findings.append(finding)
            event = TrainingWarned(call=self._context.call, rule=finding.rule, message=finding.message)
            self._context.emit(event)

    def _show(self, report: TrainingReport) -> None:
        """Emit a report at once, or when its time has come; of those that come too fast, the last one."""
        self._waiting = report
        now = self._loop.time()
        if now >= self._next_progress:
            self._show_waiting()
        elif self._progress_timer is None:
            self._progress_timer = self._loop.call_later(self._next_progress - now, self._show_waiting)

    def _show_waiting(self) -> None:
        if self._progress_timer is not None:
            self._progress_timer.cancel()
            self._progress_timer = None
        report, self._waiting = self._waiting, None
        if report is None:
            return
        self._next_progress = self._loop.time() + _PROGRESS_SECONDS
        values = {
            name: value if value is None or math.isfinite(value) else None for name, value in report.values.items()
        }
        self._context.emit(
            TrainingProgress(
                call=self._context.call,
                epoch=report.epoch,
                of=report.of,
                values=values,
                message=report.message,
            )
        )

    def _listen(self) -> None:
        """Look from time to time whether the output still grows."""
        now = self._loop.time()
        try:
            size = self._context.log.stat().st_size
        except OSError:
            size = self._size
        if size != self._size:
            self._size, self._silent_since = size, now
        elif now - self._silent_since >= self._silence_seconds:
            self._tell(self._watch.silence(now - self._silent_since))
        self._silence_timer = self._loop.call_later(self._silence_seconds / 10, self._listen)
