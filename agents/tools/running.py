"""What the tools that start processes share: how they are started and how the model is told of their end."""

import signal
from collections.abc import Callable, Iterable, Sequence

from agents.processes import ProcessNotStarted, ProcessResult, run_process
from agents.time_limit import TimeLimit
from agents.tools.base import ToolContext, ToolResult
from agents.vocabulary import ToolOutcome
from agents.wording import counted


async def run_in_step(
    argv: Sequence[str], context: ToolContext, limit: TimeLimit, on_line: Callable[[str], None] | None = None
) -> ProcessResult:
    """Run ``argv`` in the step's folder for at most ``limit``; raises ``ProcessNotStarted``.

    Python's own buffering is off, because a person watches the output while it is made.
    """
    done = await run_process(
        argv,
        cwd=context.step_dir,
        environment={**context.environment, "PYTHONUNBUFFERED": "1"},
        log=context.log,
        timeout=limit.seconds,
        on_line=on_line,
        cell=context.cell,
    )
    done.demand_sound_disk()
    return done


def not_started(error: ProcessNotStarted) -> ToolResult:
    """The result of a command that never ran."""
    return ToolResult(f"not started: {error}", ToolOutcome.ERROR)


def describe(done: ProcessResult, limit: TimeLimit, remarks: Iterable[str] = ()) -> ToolResult:
    """How it ended on the first line, then its output, then ``remarks``, each on a line of its own."""
    parts = [_first_line(done, limit), *_leftovers(done), done.excerpt.rstrip("\n") or "(no output)", *remarks]
    return ToolResult("\n".join(parts), _outcome(done), done.exit_status)


def _outcome(done: ProcessResult) -> ToolOutcome:
    if done.timed_out:
        return ToolOutcome.TIMEOUT
    return ToolOutcome.OK if done.exit_status == 0 and not done.stopped_because else ToolOutcome.ERROR


def _first_line(done: ProcessResult, limit: TimeLimit) -> str:
    if done.timed_out:
        return f"timed out after {limit.words}; the whole process group was ended"
    measures = f"{done.seconds:.1f} s, {done.bytes:,} bytes"
    if done.stopped_because:
        return f"ended because {done.stopped_because}, {measures}"
    if done.exit_status >= 0:
        return f"exit status {done.exit_status}, {measures}"
    hint = "; often a sign that memory ran out" if done.exit_status == -signal.SIGKILL else ""
    return f"ended by signal {-done.exit_status} ({_signal_name(-done.exit_status)}{hint}), {measures}"


def _leftovers(done: ProcessResult) -> Iterable[str]:
    if done.left_running:
        yield f"ended after the command: {counted(done.left_running, 'background process', 'background processes')}"
    if done.stuck:
        yield f"could not be ended, not even by SIGKILL: {counted(done.stuck, 'process', 'processes')}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
