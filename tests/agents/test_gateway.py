"""The gateway: litellm's many failures become one line, and only what can pass is tried again.

A real HTTP server on loopback speaks the OpenAI wire format.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agents.models import gateway
from agents.models.gateway import LiteLLMGateway, ModelError, ModelRefused, problem_with
from agents.vocabulary import BUILTIN_MODEL

pytestmark = pytest.mark.slow  # importing litellm takes seconds

TOOLS = [{"type": "function", "function": {"name": "bash", "description": "run", "parameters": {"type": "object"}}}]
MESSAGES = [{"role": "user", "content": "hello"}]


def reply(**message: object) -> dict[str, object]:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


@contextmanager
def server(*answers: tuple[int, object]) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A server that gives ``answers`` in turn, the last one again and again; its address and the requests it got."""
    waiting = list(answers)
    requests: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}/v1", requests
    finally:
        httpd.shutdown()
        httpd.server_close()


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gateway, "_FIRST_WAIT", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-local")

    async def complete(address: str, timeout: float = 10, retries: list[str] | None = None):
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        heard = retries if retries is not None else []
        return await LiteLLMGateway(0.5, timeout, heard.append).complete("openai/m", MESSAGES, TOOLS)

    return complete


async def test_a_reply_with_text_and_tool_calls_is_understood(ask) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
    with server((200, reply(content="I look.", tool_calls=[call]))) as (address, requests):
        answer = await ask(address)
    assert (answer.text, answer.input_tokens, answer.output_tokens) == ("I look.", 11, 3)
    assert [(c.id, c.name, c.arguments) for c in answer.tool_calls] == [("c1", "bash", '{"command": "ls"}')]
    assert answer.cost_usd is None, "nobody knows a price of this model"
    assert requests[0]["temperature"] == 0.5
    assert requests[0]["tools"]
    assert answer.message()["tool_calls"][0]["function"]["name"] == "bash"


async def test_a_passing_failure_is_tried_again_and_told(ask) -> None:
    told: list[str] = []
    answers = [(503, {"error": {"message": "busy"}}), (429, {"error": {"message": "slow down"}})]
    with server(*answers, (200, reply(content="here"))) as (address, requests):
        answer = await ask(address, retries=told)
    assert answer.text == "here"
    assert len(requests) == 3
    assert len(told) == 2
    assert all("trying again" in line and "\n" not in line for line in told)


async def test_a_refusal_is_not_tried_again(ask) -> None:
    refused = pytest.raises(ModelRefused, match="bad key")
    with server((401, {"error": {"message": "bad key"}})) as (address, requests), refused as raised:
        await ask(address)
    assert len(requests) == 1
    assert "\n" not in str(raised.value)


async def test_after_the_last_attempt_the_failure_is_one_line(ask) -> None:
    with server((500, b"<html>oops</html>")) as (address, requests), pytest.raises(ModelError) as raised:
        await ask(address)
    assert len(requests) == gateway.ATTEMPTS
    assert not isinstance(raised.value, ModelRefused)
    assert "\n" not in str(raised.value)


async def test_a_server_that_is_not_there_is_a_failure(ask) -> None:
    with server((200, reply(content=""))) as (address, _):
        pass
    with pytest.raises(ModelError):
        await ask(address)


def test_models_that_cannot_be_used_are_named_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert problem_with(BUILTIN_MODEL) is None
    assert "unknown provider" in (problem_with("nobody/nothing") or "")
    assert "OPENAI_API_KEY" in (problem_with("openai/gpt-4.1") or "")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-local")
    assert problem_with("openai/gpt-4.1") is None
