"""What clients make of the server: litellm, through which the engine speaks, and a person at a shell."""

import signal
import subprocess
import sys

import httpx
import pytest

from tests.llm_server.asking import PATH, Always, body, faulty, message_of, names, opening
from tests.llm_server.serving import serve
from tests.support.models import calls


@pytest.mark.slow  # importing litellm takes seconds
async def test_litellm_puts_a_streamed_reply_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    said = calls(("bash", {"command": "ls"}), ("run_python", {"path": "a.py", "arguments": []}), text="Both.")
    with serve(Always(said), faulty({"kind": "reply", "reasoning": "Well."})) as served:
        stream = await litellm.acompletion(
            model="openai/expert",
            api_base=served.address,
            api_key="any",
            messages=[{"role": "user", "content": "hello"}],
            tools=[{"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}],
            stream=True,
            stream_options={"include_usage": True},
            max_retries=0,
        )
        whole = litellm.stream_chunk_builder([chunk async for chunk in stream])
    message = whole.choices[0].message
    assert (message.content, message.reasoning_content) == ("Both.", "Well.")
    made = [(call.function.name, call.function.arguments) for call in message.tool_calls]
    assert made == [(call.name, call.arguments) for call in said.tool_calls]
    assert whole.usage.prompt_tokens > 0
    assert stream.received_finish_reason == "tool_calls"


def test_a_person_can_start_it_and_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-u", "-m", "tests.llm_server", "status_503-first"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        address = lines[-1].split("OPENAI_BASE_URL=")[1].split()[0]
        with httpx.Client(trust_env=False, timeout=30) as http:
            answers = [http.post(address + PATH, json=body(opening())) for _ in range(2)]
        told = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert lines[0] == "Overloaded, once\n"
    assert [answer.status_code for answer in answers] == [503, 200]
    assert names(message_of(answers[1].content)) == ["write_python"]
    assert told == ["request 1: struck by status\n", "request 2: answered\n"]
