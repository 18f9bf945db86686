"""The tool ``bash``."""

from pathlib import Path
from typing import Final

from pydantic import Field

from agents.excerpt import one_line
from agents.processes import ProcessNotStarted
from agents.tools.base import Tool, ToolArguments, ToolContext, ToolResult
from agents.tools.running import describe, not_started, run_in_step

_SHELL: Final = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"


class BashArguments(ToolArguments):
    """Arguments of ``bash``."""

    command: str = Field(min_length=1, description="Script for bash -c. It starts in this step's folder.")


class Bash(Tool[BashArguments]):
    """Run a shell command in this step's folder.

    Each call is a new shell: nothing of an earlier `cd` or `export` is left. There is no standard input. Standard
    error is merged into the output; of a long output you get the first 8,000 and the last 4,000 characters. The
    time limit is 300 seconds unless the person set another; use run_python for training. When the command ends,
    also by time-out, everything it left running in the background is ended.
    """

    name = "bash"
    arguments = BashArguments

    async def run(self, arguments: BashArguments, context: ToolContext) -> ToolResult:
        try:
            done = await run_in_step([_SHELL, "-c", arguments.command], context, context.bash_timeout)
        except ProcessNotStarted as error:
            return not_started(error)
        return describe(done, context.bash_timeout)

    def title(self, arguments: BashArguments) -> str:
        return one_line(arguments.command)
