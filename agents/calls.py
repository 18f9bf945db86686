"""Tool calls as the journal knows them: a number, a log that streams, a start and an end.

What the engine runs itself (a re-run of train.py, inference for scoring) is recorded in the same way, under the tool
name ``engine``, so that nothing runs unseen.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agents.budget import Budget
from agents.clock import Stopwatch
from agents.events import ToolCallFinished, ToolCallStarted
from agents.files import write_atomically
from agents.processes import ProcessResult, run_process
from agents.recorder import Recorder
from agents.run_folder import RunFolder
from agents.sandbox.fence import OPEN, Cell
from agents.settings import RunSettings
from agents.steering import Steering
from agents.tools.base import ToolContext, ToolResult
from agents.tools.registry import call_tool, title_of
from agents.vocabulary import ToolOutcome

ENGINE_TOOL: Final = "engine"
Work = Callable[[int, Path], Awaitable[tuple[ToolResult, Any]]]


@dataclass(frozen=True)
class Workplace:
    """Where generated code of one step runs, and with what."""

    step_dir: Path
    iteration_dir: Path
    python: Path
    environment: Mapping[str, str]
    cell: Cell = OPEN


@dataclass(frozen=True)
class Done:
    """A tool call that ended, and where its whole output lies."""

    call: int
    log: Path
    result: ToolResult


class Calls:
    """Numbers, runs and records tool calls."""

    def __init__(
        self, run: RunFolder, recorder: Recorder, settings: RunSettings, steering: Steering, budget: Budget
    ) -> None:
        self._run = run
        self._recorder = recorder
        self._settings = settings
        self._steering = steering
        self._budget = budget

    async def tool(self, name: str, raw_arguments: str, place: Workplace) -> "Done":
        """Run the tool that a model asked for."""

        async def work(call: int, log: Path) -> tuple[ToolResult, "Done"]:
            context = ToolContext(
                call=call,
                step_dir=place.step_dir,
                iteration_dir=place.iteration_dir,
                python=place.python,
                environment=place.environment,
                cell=place.cell,
                bash_timeout=self._budget.cap(self._settings.bash_tool_timeout),
                run_python_timeout=self._budget.cap(self._settings.run_python_tool_timeout),
                log=log,
                emit=self._recorder.emit,
            )
            result = await call_tool(name, raw_arguments, context)
            if not log.stat().st_size:
                # A refusal is all that there is to look into.
                log.write_text(f"{self._recorder.redact(result.text)}\n", encoding="utf-8")
            return result, Done(call, log, result)

        # Absolute paths of the run say nothing to a person who watches it, and push the rest out of sight.
        title = title_of(name, self._run.shown(raw_arguments))  # a title is cut, and half a path cannot be shortened
        _, done = await self._recorded(name, title, raw_arguments, work)
        assert isinstance(done, Done)
        return done

    async def engine(
        self, title: str, argv: Sequence[str], cwd: Path, environment: Mapping[str, str], cell: Cell = OPEN
    ) -> ProcessResult:
        """Run one of the agent's scripts on the engine's behalf; the caller judges its result.

        Its arguments are the command and the folder it starts in, enough to do the same by hand.
        """

        async def work(_: int, log: Path) -> tuple[ToolResult, ProcessResult]:
            limit = self._budget.cap(self._settings.run_python_tool_timeout)
            done = await run_process(argv, cwd=cwd, environment=environment, log=log, timeout=limit.seconds, cell=cell)
            done.demand_sound_disk()
            done = replace(done, limit=limit)
            if done.timed_out:
                outcome = ToolOutcome.TIMEOUT
            else:
                outcome = ToolOutcome.OK if done.exit_status == 0 else ToolOutcome.ERROR
            return ToolResult(done.excerpt, outcome, done.exit_status), done

        arguments = json.dumps({"command": list(argv), "folder": str(cwd)})
        _, done = await self._recorded(ENGINE_TOOL, title, arguments, work)
        assert isinstance(done, ProcessResult)
        return done

    async def _recorded(self, tool: str, title: str, raw_arguments: str, work: Work) -> tuple[ToolResult, Any]:
        await self._steering.pass_gate()
        if self._recorder.iteration is not None:  # what ends a run is not kept from being done
            await self._budget.afford()
        call = self._recorder.state.tool_calls_made + 1
        log = self._run.tool_calls / f"{call:06d}.log"
        arguments = self._run.tool_calls / f"{call:06d}.json"
        write_atomically(arguments, self._recorder.redact(raw_arguments), durable=False)
        log.touch()
        self._recorder.emit(
            ToolCallStarted(
                call=call,
                tool=tool,
                title=title,
                log=self._run.relative(log),
                arguments=self._run.relative(arguments),
            )
        )
        watch = Stopwatch()
        outcome, exit_status = ToolOutcome.CANCELLED, None
        try:
            result, more = await work(call, log)
            outcome, exit_status = result.outcome, result.exit_status
        except asyncio.CancelledError:
            raise
        except Exception:
            outcome = ToolOutcome.ERROR
            raise
        finally:
            self._recorder.emit(
                ToolCallFinished(
                    call=call,
                    tool=tool,
                    outcome=outcome,
                    exit_status=exit_status,
                    seconds=watch.seconds,
                    bytes=log.stat().st_size if log.exists() else 0,
                )
            )
        return result, more
