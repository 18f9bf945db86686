"""All tools by name, and the one way to call them."""

import json
from typing import Any, Final

from pydantic import ValidationError

from agents.errors import is_of_the_disk
from agents.excerpt import one_line
from agents.tools.base import Tool, ToolArguments, ToolContext, ToolResult
from agents.tools.bash import Bash
from agents.tools.foundation_models_info import FoundationModelsInfo
from agents.tools.replace import Replace
from agents.tools.run_python import RunPython
from agents.tools.write_python import WritePython
from agents.vocabulary import ToolOutcome

TOOLS: Final[dict[str, Tool[Any]]] = {
    tool.name: tool for tool in (Bash(), WritePython(), RunPython(), Replace(), FoundationModelsInfo())
}


class _ArgumentsRefused(Exception):
    """The arguments of a call are wrong; the message tells the model which and what is allowed."""


def schemas() -> list[dict[str, Any]]:
    """All tools in the form that ``litellm.acompletion(tools=…)`` takes."""
    return [tool.schema() for tool in TOOLS.values()]


async def call_tool(name: str, raw_arguments: str, context: ToolContext) -> ToolResult:
    """Run the tool that a model asked for, with its arguments as JSON.

    Whatever goes wrong, except cancellation and the disk, is a result with ``ToolOutcome.ERROR`` that says why.
    """
    try:
        tool, arguments = _understand(name, raw_arguments)
    except _ArgumentsRefused as error:
        return ToolResult(str(error), ToolOutcome.ERROR)
    try:
        return await tool.run(arguments, context)
    # A run of days must not end because a tool has a mistake in it.
    except Exception as error:
        if is_of_the_disk(error):
            raise
        return ToolResult(f"{name} failed: {type(error).__name__}: {one_line(str(error), 1000)}", ToolOutcome.ERROR)


def title_of(name: str, raw_arguments: str) -> str:
    """One line for the tool-call log; also for a call that cannot be made."""
    try:
        tool, arguments = _understand(name, raw_arguments)
    except _ArgumentsRefused:
        return one_line(raw_arguments)
    return tool.title(arguments)


def _understand(name: str, raw_arguments: str) -> tuple[Tool[Any], ToolArguments]:
    tool = TOOLS.get(name)
    if tool is None:
        raise _ArgumentsRefused(f"there is no tool {one_line(name, 80)!r}; tools: {', '.join(TOOLS)}")
    try:
        fields = json.loads(raw_arguments) if raw_arguments.strip() else {}
    except (ValueError, RecursionError) as error:
        raise _ArgumentsRefused(f"{name}: the arguments are no valid JSON: {error}. Nothing was done") from None
    if not isinstance(fields, dict):
        raise _ArgumentsRefused(f"{name}: the arguments must be a JSON object, not {type(fields).__name__}")
    try:
        return tool, tool.arguments.model_validate(fields)
    except ValidationError as error:
        problems = "; ".join(_problem(details, tool) for details in error.errors()[:5])
        raise _ArgumentsRefused(f"{name}: {problems}. Nothing was done") from None


def _problem(details: Any, tool: Tool[Any]) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in details["loc"]).lstrip(".")
    where = one_line(where, 80)
    if details["type"] == "missing":
        return f"the argument {where!r} is missing"
    if details["type"] == "extra_forbidden":
        return f"there is no argument {where!r}; arguments: {', '.join(tool.arguments.model_fields)}"
    return f"the argument {where!r} is wrong: {details['msg']}, not {type(details['input']).__name__}"
