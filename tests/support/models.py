"""Models that are Python functions: every test says what the model says."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.models.gateway import Delta, Listener, Message, ModelFacts, ModelReply, ModelRequest, ToolRequest

Turn = ModelReply | Exception | Callable[[Sequence[Message]], ModelReply]


def calls(*requests: tuple[str, dict[str, Any] | str], text: str = "") -> ModelReply:
    """A reply that calls tools: pairs of name and arguments, the arguments as a value or as raw text."""
    return ModelReply(
        text=text,
        tool_calls=tuple(
            ToolRequest(f"call-{number}", name, given if isinstance(given, str) else json.dumps(given))
            for number, (name, given) in enumerate(requests)
        ),
    )


@dataclass
class ScriptedGateway:
    """Answers with one turn after the other and remembers what it was asked. An exception is raised."""

    turns: list[Turn]
    requests: list[list[Message]] = field(default_factory=list)
    tools: list[list[str]] = field(default_factory=list)

    known: ModelFacts = field(default_factory=ModelFacts)
    models: list[str] = field(default_factory=list)
    must_call: list[bool] = field(default_factory=list)

    async def complete(self, request: ModelRequest, listener: Listener) -> ModelReply:
        self.models.append(request.model)
        self.must_call.append(request.must_call)
        self.requests.append([dict(message) for message in request.messages])
        self.tools.append([tool["function"]["name"] for tool in request.tools])
        await asyncio.sleep(0)
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        reply = turn if isinstance(turn, ModelReply) else turn(request.messages)
        tell(reply, listener)
        return reply

    def facts(self, model: str) -> ModelFacts:
        return self.known


def tell(reply: ModelReply, listener: Listener) -> None:
    """Say a reply piece by piece, as a provider that streams does."""
    for kind, text in (("reasoning", reply.reasoning), ("text", reply.text)):
        for piece in text.split(" ") if text else ():
            listener.heard(Delta(kind, piece))  # type: ignore[arg-type]
    for index, call in enumerate(reply.tool_calls):
        listener.heard(Delta("tool", "", index, call.name))
        listener.heard(Delta("tool", call.arguments, index))
