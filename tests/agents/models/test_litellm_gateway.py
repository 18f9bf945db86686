"""The gateway against a real server on loopback: what is sent, what is heard while it comes, what is tried again."""

import asyncio
import json
import threading
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agents.models.gateway import Delta, ModelError, ModelFacts, ModelRefused, ModelReply, ModelRequest, ToolRequest
from agents.models.litellm_gateway import LiteLLMGateway, _Coming, _tool_request, wants_cache_marks
from agents.models.routing import problem_with
from agents.secrets import Redactor
from agents.settings import RunSettings
from agents.vocabulary import BUILTIN_MODEL
from tests.llm_server.scenario import Scenario
from tests.llm_server.serving import serve

pytestmark = pytest.mark.slow  # importing litellm takes seconds

TOOLS = [{"type": "function", "function": {"name": "bash", "description": "run", "parameters": {"type": "object"}}}]
MESSAGES = [{"role": "user", "content": "hello"}]
LOOK = ModelReply("I look.", (ToolRequest("c1", "bash", '{"command": "ls"}'),), reasoning="Where am I?")


class Says:
    """A brain that always says the same."""

    def __init__(self, reply: ModelReply = LOOK) -> None:
        self.reply = reply

    def answer(self, messages: Sequence[Any], tools: Sequence[Any], model: str) -> ModelReply:
        return self.reply


@dataclass
class Ear:
    """A listener that remembers."""

    deltas: list[Delta] = field(default_factory=list)
    retries: list[tuple[str, int, int, float]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    gates: int = 0

    def heard(self, delta: Delta) -> None:
        self.deltas.append(delta)

    def retrying(self, reason: str, retry: int, of: int, wait: float) -> None:
        self.deltas.clear()
        self.retries.append((reason, retry, of, wait))

    async def may_go(self) -> None:
        self.gates += 1

    def dropped(self, parameter: str, reason: str) -> None:
        self.left_out.append((parameter, reason))

    def diverged(self, recorded_call: int, diff: str) -> None:
        raise AssertionError("nothing is replayed here")

    def said(self, kind: str) -> str:
        return "".join(delta.text for delta in self.deltas if delta.kind == kind)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-local-canary")


def faulty(**fault: object) -> Scenario:
    fault = {"when": {"call": 1}, **fault}
    return Scenario.model_validate({"title": "x", "expect": {"status": "finished"}, "fault": [fault]})


@contextmanager
def asking(brain: Says | None = None, scenario: Scenario | None = None, **settings: object):
    """A function that asks a server, and the server."""
    with serve(brain or Says(), scenario) as served:
        values = {"llm_retries": 2, "llm_retry_wait": 0.001, "temperature": 0.5, **settings}
        run = RunSettings(dataset=Path("/d"), api_base=served.address, **values)  # type: ignore[arg-type]
        gateway = LiteLLMGateway(run, Redactor({"OPENAI_API_KEY": "sk-local-canary"}))
        ear = Ear()

        async def ask(tools: Sequence[Any] = TOOLS, *, must_call: bool = False) -> ModelReply:
            return await gateway.complete(ModelRequest("openai/expert", MESSAGES, tools, 0.5, None, must_call), ear)

        yield ask, ear, served


async def test_a_reply_is_heard_piece_by_piece_and_understood_as_a_whole() -> None:
    with asking() as (ask, ear, served):
        reply = await ask()
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("I look.", "Where am I?", "tool_calls")
    assert [(call.name, call.arguments) for call in reply.tool_calls] == [("bash", '{"command": "ls"}')]
    assert (ear.said("text"), ear.said("reasoning"), ear.said("tool")) == (
        "I look.",
        "Where am I?",
        '{"command": "ls"}',
    )
    assert len(ear.deltas) > 3
    assert reply.input_tokens > 0
    assert reply.cost_usd is None, "nobody knows a price of this model"
    body = served.requests[0].body
    assert (body["model"], body["temperature"], body["stream"]) == ("expert", 0.5, True)
    assert body["messages"] == MESSAGES
    assert body["tools"] == TOOLS
    assert ear.retries == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "status", "code": 503}, "overloaded or down (HTTP 503)"),
        ({"kind": "status", "code": 500, "html": True}, "HTTP 500"),
        ({"kind": "html"}, "an HTML page came instead of a reply"),
        ({"kind": "empty"}, "an empty reply came"),
        ({"kind": "truncate"}, "the reply broke off before its end"),
        ({"kind": "truncate", "how": "reset"}, "the reply broke off"),
        ({"kind": "refuse"}, "no connection"),
        ({"kind": "hang", "where": "before_headers"}, "silence for 1 s"),
        ({"kind": "hang", "where": "mid_stream"}, "silence for 1 s"),
    ],
)
async def test_what_may_pass_is_tried_again_told_and_void(fault: dict[str, object], words: str) -> None:
    with asking(scenario=faulty(times=2, **fault), llm_silence_timeout=1) as (ask, ear, served):
        reply = await ask()
        assert len(served.requests) >= 3
    assert reply.text == ear.said("text") == "I look."
    if fault["kind"] == "refuse":  # the connection may have been taken up again without a word
        return
    assert [(retry, of) for _, retry, of, _ in ear.retries] == [(1, 2), (2, 2)]
    assert ear.gates == 2, "a paused run makes no further attempt"
    assert all(words in reason and len(reason.splitlines()) == 1 for reason, *_ in ear.retries)


async def test_the_provider_says_how_long_it_wants_to_be_left_alone() -> None:
    with asking(scenario=faulty(kind="status", code=429, retry_after=0.5)) as (ask, ear, _):
        await ask()
    [(reason, _, _, wait)] = ear.retries
    assert "too many requests (HTTP 429)" in reason
    assert 0.5 <= wait <= 0.55


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "the key was not accepted"),
        (403, "no access"),
        (404, "no such model"),
        (400, "does not take this request"),
    ],
)
async def test_a_refusal_is_not_tried_again_and_shows_no_key(code: int, words: str) -> None:
    scenario = faulty(kind="status", code=code, times=0, message="Incorrect API key provided: sk-local-canary.")
    with asking(scenario=scenario) as (ask, ear, served):
        with pytest.raises(ModelRefused) as raised:
            await ask()
        assert len(served.requests) == 1
    assert words.split()[-1] in str(raised.value)
    assert "Incorrect API key provided: [OPENAI_API_KEY]." in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    assert ear.retries == []


async def test_a_key_at_the_edge_of_a_long_message_is_not_cut_in_two() -> None:
    scenario = faulty(kind="status", code=401, times=0, message=f"{'q' * 290} sk-local-canary")
    with asking(scenario=scenario) as (ask, _, _), pytest.raises(ModelRefused) as raised:
        await ask()
    assert "sk-local" not in str(raised.value)


def test_halves_of_a_character_that_come_apart_are_put_together_and_a_lone_one_is_replaced() -> None:
    coming = _Coming()
    for arguments in ('{"command": "echo \ud83d', "\ude00 \ud800", '"}'):
        piece = SimpleNamespace(index=0, id="c\ud800", function=SimpleNamespace(name="ba\ud800sh", arguments=arguments))
        delta = SimpleNamespace(content=None, tool_calls=[piece])
        coming.take(SimpleNamespace(choices=[SimpleNamespace(delta=delta)]))
        for text in (piece.id, piece.function.name, piece.function.arguments):
            text.encode()
    [call] = (_tool_request(call) for call in coming.assembly.calls)
    assert (call.id, call.name) == ("c\ufffd", "ba\ufffdsh")
    assert call.arguments == '{"command": "echo \U0001f600 \ufffd"}'


async def test_after_the_last_retry_the_failure_is_one_line_that_says_how_often_it_was_tried() -> None:
    with asking(scenario=faulty(kind="status", code=500, times=0)) as (ask, _, served):
        with pytest.raises(ModelError, match=r"HTTP 500.*\(asked 3 times\)") as raised:
            await ask()
        assert len(served.requests) == 3
    assert not isinstance(raised.value, ModelRefused)


async def test_a_dripping_reply_ends_with_the_time_for_one_reply() -> None:
    scenario = faulty(kind="drip", seconds=0.2, times=0)
    with asking(scenario=scenario, llm_response_timeout=1, llm_retries=0) as (ask, _, served):
        with pytest.raises(ModelError, match="no whole reply within 1 s"):
            await ask()
        await asyncio.to_thread(served.wait, lambda server: server.disconnects)


async def test_a_parameter_that_the_model_does_not_take_is_left_out_and_that_is_said_once() -> None:
    words = "Unsupported value: 'temperature' does not support 0.5 with this model."
    fault = {"when": {"parameter": "temperature"}, "times": 0, "kind": "status", "code": 400, "message": words}
    with asking(scenario=faulty(**fault)) as (ask, ear, served):
        await ask()
        await ask()
        sent = ["temperature" in request.body for request in served.requests]
    assert sent == [True, False, False]
    [(parameter, reason)] = ear.left_out
    assert parameter == "temperature"
    assert words in reason


async def test_a_model_that_only_talked_is_made_to_call_a_tool() -> None:
    with asking() as (ask, _, served):
        await ask()
        await ask(must_call=True)
        await ask(must_call=True, tools=[*TOOLS, *TOOLS])
    choices = [request.body.get("tool_choice") for request in served.requests]
    assert choices == [None, {"type": "function", "function": {"name": "bash"}}, "required"]


async def test_a_server_that_wants_no_key_is_asked_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with asking() as (ask, _, _):
        assert (await ask()).text == "I look."


async def test_a_server_that_is_not_there_is_a_failure_that_may_pass() -> None:
    with asking() as (ask, ear, _):
        pass
    with pytest.raises(ModelError) as raised:
        await ask()
    assert not isinstance(raised.value, ModelRefused)
    assert len(ear.retries) == 2


def facts(model: str) -> ModelFacts:
    return LiteLLMGateway(RunSettings(dataset=Path("/d"))).facts(model)


def test_window_and_price_come_from_the_table_that_litellm_brings() -> None:
    known = facts("openai/gpt-4.1")
    assert known.is_priced
    assert known.window is not None
    assert known.window > 100_000
    assert facts("openai/nobody-knows") == ModelFacts()
    assert facts("anthropic/claude-sonnet-4-5").is_priced


def test_only_providers_that_cache_what_is_marked_get_marks() -> None:
    assert wants_cache_marks("anthropic/claude-sonnet-4-5")
    assert not wants_cache_marks("openai/gpt-4.1")
    assert not wants_cache_marks(BUILTIN_MODEL)


async def test_a_provider_that_caches_what_is_marked_gets_the_stable_beginning_and_the_end_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant")
    bodies: list[dict[str, Any]] = []

    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        gateway = LiteLLMGateway(RunSettings(dataset=Path("/d"), api_base=f"http://127.0.0.1:{server.server_port}"))
        messages = [{"role": "system", "content": "the rules"}, {"role": "user", "content": "the task"}]
        with pytest.raises(ModelRefused):
            await gateway.complete(ModelRequest("anthropic/claude-sonnet-4-5", messages, TOOLS), Ear())
        server.shutdown()
    [body] = bodies
    assert body["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert body["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_models_that_cannot_be_used_are_named_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert problem_with(BUILTIN_MODEL) is None
    assert "unknown provider" in (problem_with("nobody/nothing") or "")
    assert "OPENAI_API_KEY" in (problem_with("openai/gpt-4.1") or "")
    assert "no run" in (problem_with(f"replay:{tmp_path}") or "")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-local")
    assert problem_with("openai/gpt-4.1") is None
