"""Models that are Python functions: every test says what the model says."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.models.gateway import Message, ModelReply, ToolRequest

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

    async def complete(self, model: str, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> ModelReply:
        self.requests.append([dict(message) for message in messages])
        self.tools.append([tool["function"]["name"] for tool in tools])
        await asyncio.sleep(0)
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return turn if isinstance(turn, ModelReply) else turn(messages)
