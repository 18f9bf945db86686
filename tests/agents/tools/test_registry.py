"""Calling a tool by its name, with what a model sent as arguments."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.tools.base import Tool, ToolArguments, ToolContext, ToolResult
from agents.tools.registry import TOOLS, call_tool, schemas, title_of
from agents.vocabulary import ToolOutcome
from tests.agents.tools.place import Place


def test_every_tool_has_a_schema_that_describes_it_and_all_of_its_arguments() -> None:
    described = {entry["function"]["name"]: entry["function"] for entry in schemas()}
    assert list(described) == ["bash", "write_python", "run_python", "replace", "foundation_models_info"]
    for function in described.values():
        assert len(function["description"]) > 100
        for argument in function["parameters"]["properties"].values():
            assert argument["description"]
        assert function["parameters"]["additionalProperties"] is False
    json.dumps(schemas())


async def test_a_call_runs_the_tool(place: Place) -> None:
    result = await call_tool("bash", '{"command": "echo hi"}', place.context())
    assert result.text.endswith("\nhi")


async def test_no_arguments_at_all_are_an_empty_object(place: Place) -> None:
    assert (await call_tool("foundation_models_info", "", place.context())).outcome is ToolOutcome.OK


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        (
            "shell",
            "{}",
            "there is no tool 'shell'; tools: bash, write_python, run_python, replace, foundation_models_info",
        ),
        ("bash", '{"command": "ls', "bash: the arguments are no valid JSON: Unterminated string"),
        ("bash", "[" * 100_000, "no valid JSON"),
        ("bash", '["ls"]', "must be a JSON object, not list"),
        ("bash", "{}", "the argument 'command' is missing"),
        ("bash", '{"command": 3}', "the argument 'command' is wrong: Input should be a valid string, not int"),
        ("bash", '{"command": ""}', "at least 1 character"),
        ("bash", '{"command": "ls", "timeout": 5}', "there is no argument 'timeout'; arguments: command"),
        ("bash", '{"command": "\\ud800"}', "the argument 'command' is wrong"),
        (
            "run_python",
            '{"path": "a.py", "arguments": "--x 1"}',
            "'arguments' is wrong: Input should be a valid list, not str",
        ),
        ("replace", '{"path": "a", "edits": []}', "at least 1 item"),
        ("replace", '{"path": "a", "edits": [{"old": "x"}]}', "the argument 'edits[0].new' is missing"),
    ],
)
async def test_wrong_calls_say_what_is_wrong(place: Place, name: str, raw: str, said: str) -> None:
    result = await call_tool(name, raw, place.context())
    assert result.outcome is ToolOutcome.ERROR
    assert said in result.text
    assert len(result.text) < 1_000
    result.text.encode()


class Broken(Tool[ToolArguments]):
    """A tool that fails as its author did not expect."""

    name = "broken"
    arguments = ToolArguments

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def run(self, arguments: ToolArguments, context: ToolContext) -> ToolResult:
        raise self.error

    def title(self, arguments: ToolArguments) -> str:
        return ""


async def test_an_unexpected_error_of_a_tool_is_text(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOOLS, "broken", Broken(RuntimeError("dis\x1b[31mk")))
    result = await call_tool("broken", "{}", place.context())
    assert result == ToolResult("broken failed: RuntimeError: disk", ToolOutcome.ERROR)


async def test_cancellation_passes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOOLS, "broken", Broken(asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        await call_tool("broken", "{}", place.context())


def test_titles() -> None:
    assert title_of("run_python", '{"path": "train.py", "arguments": ["--n", "a b"]}') == "train.py --n 'a b'"
    assert title_of("write_python", '{"path": "a.py", "content": ""}') == "a.py"
    assert title_of("replace", '{"path": "a.py", "edits": [{"old": "a", "new": "b"}]}') == "a.py (1 edit)"
    assert title_of("foundation_models_info", "{}") == "list of families"
    assert title_of("nope", "{\n}") == "{ }"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["replace", "write_python", "foundation_models_info", "x"]), st.text() | st.from_regex(r"\{.*\}")
)
async def test_no_arguments_break_a_call_or_its_title(place: Place, name: str, raw: str) -> None:
    title = title_of(name, raw)
    assert len(title) <= 200
    title.encode()
    result = await call_tool(name, raw, place.context())
    result.text.encode()
