"""The tool ``bash``."""

import asyncio
import os
from pathlib import Path

import pytest

from agents.time_limit import TimeLimit
from agents.tools.base import ToolResult
from agents.tools.registry import TOOLS, title_of
from agents.vocabulary import ToolOutcome
from tests.agents.tools.place import Place


async def bash(place: Place, command: str, timeout: float | TimeLimit = 60) -> ToolResult:
    tool = TOOLS["bash"]
    return await tool.run(tool.arguments(command=command), place.context(bash_timeout=timeout))


async def test_the_first_line_tells_status_time_and_size(place: Place) -> None:
    result = await bash(place, "printf 'one\\ntwo\\n'")
    first, rest = result.text.split("\n", 1)
    assert first.startswith("exit status 0, 0.")
    assert first.endswith(" s, 8 bytes")
    assert rest == "one\ntwo"
    assert (result.outcome, result.exit_status) == (ToolOutcome.OK, 0)


async def test_a_failed_command_is_an_error_with_its_output(place: Place) -> None:
    result = await bash(place, "echo oops >&2; exit 4")
    assert (result.outcome, result.exit_status) == (ToolOutcome.ERROR, 4)
    assert "oops" in result.text


async def test_it_is_bash_and_starts_in_the_step(place: Place) -> None:
    result = await bash(place, "[[ -n $BASH_VERSION ]] && pwd")
    assert str(place.step) in result.text


async def test_silence_is_named(place: Place) -> None:
    assert (await bash(place, "true")).text.endswith("(no output)")


async def test_time_out(place: Place) -> None:
    result = await bash(place, "echo begin; sleep 1000 & echo $! > pid; wait", timeout=1)
    assert result.text == "timed out after 1 s; the whole process group was ended\nbegin"
    assert result.outcome is ToolOutcome.TIMEOUT
    with pytest.raises(ProcessLookupError):
        os.kill(int((place.step / "pid").read_text()), 0)


async def test_a_command_that_the_end_of_the_run_cut_off_is_not_blamed_for_its_own_limit(place: Place) -> None:
    result = await bash(place, "sleep 1000", timeout=TimeLimit(1.0, own=300))
    assert result.text.splitlines()[0] == (
        "timed out after 1 s, all that was left for it of the run's time (the call's own limit is 300 s); "
        "the whole process group was ended"
    )
    assert result.outcome is ToolOutcome.TIMEOUT


async def test_the_signal_that_ended_a_command_is_named(place: Place) -> None:
    result = await bash(place, "kill -KILL $$")
    assert result.text.startswith("ended by signal 9 (SIGKILL; often a sign that memory ran out), 0.")
    assert result.outcome is ToolOutcome.ERROR


async def test_what_was_left_running_is_told(place: Place) -> None:
    result = await bash(place, "sleep 1000 & echo started")
    assert result.text.split("\n")[1:] == ["ended after the command: 1 background process", "started"]
    assert result.outcome is ToolOutcome.OK


async def test_python_output_is_seen_at_once(place: Place) -> None:
    script = "import time; print('now'); time.sleep(1000)"
    task = asyncio.create_task(bash(place, f'python3 -c "{script}"', timeout=1000))
    async with asyncio.timeout(60):
        while place.log.read_text() != "now\n":
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_no_key_of_the_engine_is_visible(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-4711")
    result = await bash(place, "env; cat /proc/$PPID/environ 2>/dev/null | tr '\\0' '\\n'")
    assert "PATH=" in result.text
    assert "canary" not in result.text


async def test_terminal_escapes_stay_in_the_log_only(place: Place) -> None:
    result = await bash(place, r"printf '\033[2J\033]0;pwned\007\033[31mred\033[0m\n'")
    assert result.text.endswith("\nred")
    assert place.log.read_bytes() == b"\x1b[2J\x1b]0;pwned\x07\x1b[31mred\x1b[0m\n"


@pytest.mark.parametrize(("command", "said"), [("a\0b", "NUL"), ("x" * 3_000_000, "Argument list too long")])
async def test_a_command_that_cannot_be_started_says_why(place: Place, command: str, said: str) -> None:
    result = await bash(place, command)
    assert result.outcome is ToolOutcome.ERROR
    assert result.text.startswith("not started: ")
    assert said in result.text


def test_the_title_is_the_command_on_one_line() -> None:
    assert title_of("bash", '{"command": "ls \\\\\\n  -l\\u001b[31m"}') == "ls \\ -l"


async def test_the_shell_starts_where_paths_say(place: Place) -> None:
    await bash(place, "mkdir -p sub && cd sub && touch here")
    assert Path(place.step / "sub" / "here").exists()
