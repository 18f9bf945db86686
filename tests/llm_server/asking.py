"""What the server's own tests ask with: a plain HTTP client, a brain that says one thing, a step's conversation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from agents.models.gateway import Message, ModelReply
from agents.steps.facts import PathFacts, StepFacts, TaskFacts
from agents.vocabulary import SplitName, StepName, TaskType
from tests.llm_server.scenario import Scenario
from tests.llm_server.serving import Served, serve
from tests.support.models import calls

PATH: Final = "/chat/completions"


@dataclass
class Always:
    """A brain that says the same each time."""

    reply: ModelReply = field(
        default_factory=lambda: calls(("bash", {"command": "ls -la | head"}), text="I look around first.")
    )

    def answer(self, messages: Any, tools: Any, model: str) -> ModelReply:
        return self.reply


def faulty(*faults: dict[str, Any], **fields: Any) -> Scenario:
    """A scenario whose faults strike from the first call on."""
    table = {"title": "test", "expect": {"status": "finished"}, **fields}
    return Scenario.model_validate({**table, "fault": [{"when": {"call": 1}, **fault} for fault in faults]})


def facts(step: StepName = StepName.MODEL_TRAINING, iteration: int = 0) -> StepFacts:
    task = TaskFacts(
        dataset="toy",
        task_type=TaskType.BINARY,
        metric="AUROC",
        higher_is_better=True,
        classes=["safe", "toxic"],
        rows={"train": 4},
        has_groups=False,
        brings_validation=False,
    )
    split = {name: f"/run/splits/v1/{name}" for name in SplitName}
    return StepFacts(
        step=step,
        iteration=iteration,
        iterations=3,
        exploring=False,
        may_split=iteration == 0,
        split_version=1,
        seed=0,
        cpus=1,
        time_left=None,
        task=task,
        paths=PathFacts(data="/run/data", iteration="/run/iterations/000", step="/run/step", split=split),
        plan=None,
        outputs={},
        history=[],
    )


def opening(step: StepName = StepName.MODEL_TRAINING, iteration: int = 0) -> list[Message]:
    """The messages with which a step's conversation begins."""
    return [{"role": "system", "content": "You train."}, {"role": "user", "content": facts(step, iteration).block()}]


def body(messages: list[Message] | None = None, **fields: Any) -> dict[str, Any]:
    messages = messages or [{"role": "user", "content": "hello"}]
    return {
        "model": "expert",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": messages,
        **fields,
    }


def events(data: bytes) -> list[dict[str, Any]]:
    """The chunks of a whole event stream."""
    *chunks, done, rest = data.split(b"\n\n")
    assert (done, rest) == (b"data: [DONE]", b"")
    return [json.loads(chunk.removeprefix(b"data: ")) for chunk in chunks]


def message_of(data: bytes) -> Message:
    """The message that the stream of a reply makes up, in the form in which it is sent back."""
    text, made = "", {}
    for chunk in events(data):
        delta = chunk["choices"][0]["delta"] if chunk["choices"] else {}
        text += delta.get("content", "")
        for call in delta.get("tool_calls", ()):
            whole = made.setdefault(call["index"], {"type": "function", "function": {"name": "", "arguments": ""}})
            whole["id"] = call.get("id") or whole["id"]
            for name, piece in call["function"].items():
                whole["function"][name] += piece
    return {"role": "assistant", "content": text, "tool_calls": list(made.values())}


def answered(message: Message) -> list[Message]:
    """The message, and a result for each of its calls."""
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in message["tool_calls"]]
    return [message, *results]


def names(message: Message) -> list[str]:
    return [call["function"]["name"] for call in message["tool_calls"]]


@contextmanager
def client(served: Served, timeout: float = 30) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.address, timeout=timeout, trust_env=False) as http:
        yield http


def received(http: httpx.Client, asked: dict[str, Any]) -> tuple[bytes, Exception | None]:
    """All that comes of a response, and how it broke off."""
    data = b""
    try:
        with http.stream("POST", PATH, json=asked) as response:
            for piece in response.iter_raw():
                data += piece
    except httpx.HTTPError as error:
        return data, error
    return data, None


def ask(fault: dict[str, Any] | None = None, asked: dict[str, Any] | None = None) -> httpx.Response:
    """The response to one request, of a server with that fault."""
    with serve(Always(), faulty(fault) if fault else None) as served, client(served) as http:
        return http.post(PATH, json=asked or body())


def replied(**fault: Any) -> bytes:
    return ask({"kind": "reply", **fault}).content
