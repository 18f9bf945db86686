"""The tool ``write_python``."""

from typing import Final

from pydantic import Field

from agents.errors import is_of_the_disk
from agents.excerpt import one_line
from agents.files import write_atomically
from agents.tools.base import Tool, ToolArguments, ToolContext, ToolResult
from agents.tools.paths import PathRefused, writable_file
from agents.tools.python_source import syntax_error
from agents.vocabulary import ToolOutcome
from agents.wording import counted

_LIMIT: Final = 1_000_000


class WritePythonArguments(ToolArguments):
    """Arguments of ``write_python``."""

    path: str = Field(description="File to write, ending in .py; a relative path starts in this step's folder.")
    content: str = Field(description="The whole file.")


class WritePython(Tool[WritePythonArguments]):
    """Write a whole Python file (.py) inside this step's folder, replacing what is there.

    The syntax is checked first; if it is wrong, nothing is written and you get line, column and the text of the
    line. Missing folders are created. At most 1,000,000 characters. To change a part of a file, use replace.
    """

    name = "write_python"
    arguments = WritePythonArguments

    async def run(self, arguments: WritePythonArguments, context: ToolContext) -> ToolResult:
        content = arguments.content
        try:
            target = writable_file(arguments.path, context)
        except PathRefused as error:
            return _refused(str(error))
        if target.suffix != ".py":
            return _refused(f"{arguments.path!r} does not end in .py; for other files use bash")
        if len(content) > _LIMIT:
            return _refused(f"content has {len(content):,} characters; the limit is {_LIMIT:,}")
        if problem := syntax_error(content, target.name):
            return _refused(f"syntax error, nothing was written. {problem}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, content)
        except OSError as error:
            if is_of_the_disk(error):
                raise
            return _refused(f"{arguments.path!r} cannot be written: {error.strerror}")
        lines = counted(len(content.splitlines()), "line")
        return ToolResult(f"wrote {target.relative_to(context.step_dir)}: {lines}")

    def title(self, arguments: WritePythonArguments) -> str:
        return one_line(arguments.path)


def _refused(why: str) -> ToolResult:
    return ToolResult(why, ToolOutcome.ERROR)
