"""The conversation of one step and its size: what is estimated, and what is left out when the model's window is near.

Sizes are estimates: characters of a message over ``CHARACTERS_PER_TOKEN``, corrected by what the provider counted for
the last request. That costs nothing a turn, and needs no tokenizer of the model.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.excerpt import one_line
from agents.models.gateway import Message

CHARACTERS_PER_TOKEN: Final = 3.5
NEAR: Final = 0.8
"""Share of the window at which old outputs are left out; the rest is for the reply, and for a wrong estimate."""
AFTER: Final = 0.5
"""Share of the window that is used afterwards: leaving out breaks the provider's cache, so it is done seldom."""
_SMALL: Final = 600
"""Characters of a tool's output, or of one argument, that are not worth a pointer."""
_MOST_CORRECTION: Final = 3.0


@dataclass(frozen=True)
class Output:
    """Where the whole output of a tool call lies."""

    call: int
    log: str


@dataclass
class Transcript:
    """Messages of one conversation with their sizes, and which tool call each tool message answers."""

    messages: list[Message]
    tools: Sequence[dict[str, Any]] = ()
    _sizes: list[int] = field(default_factory=list)
    _outputs: dict[int, Output] = field(default_factory=dict)
    """Position of a tool message to the call whose output it still holds."""
    _correction: float = 1.0

    def __post_init__(self) -> None:
        self._sizes = [_characters(message) for message in self.messages]
        self._of_tools = len(json.dumps(list(self.tools)))

    def add(self, message: Message, output: Output | None = None) -> None:
        """Append a message; ``output`` where it is the answer of a tool call that has a log."""
        if output is not None:
            self._outputs[len(self.messages)] = output
        self.messages.append(message)
        self._sizes.append(_characters(message))

    @property
    def tokens(self) -> int:
        """Estimated tokens of the next request."""
        return round(self._raw() * self._correction)

    def counted(self, tokens: int) -> None:
        """The provider counted so many tokens for the request that was just answered, before the reply is added."""
        if tokens > 0:
            ratio = tokens / max(1.0, self._raw())
            self._correction = min(max(ratio, 1 / _MOST_CORRECTION), _MOST_CORRECTION)

    def shrink_to(self, target: int) -> list[int]:
        """Leave out the oldest outputs until about ``target`` tokens are left; the tool calls that became pointers.

        What the newest reply asked for stays whole. Where outputs do not suffice, long arguments of old calls go too.
        """
        newest = max((i for i, message in enumerate(self.messages) if message["role"] == "assistant"), default=0)
        left_out = []
        for position in sorted(self._outputs):
            if self.tokens <= target or position > newest:
                break
            content = str(self.messages[position]["content"])
            if len(content) <= _SMALL:
                continue
            output = self._outputs.pop(position)
            self._put(position, {**self.messages[position], "content": _pointer(output, content)})
            left_out.append(output.call)
        for position in range(newest):
            if self.tokens <= target:
                break
            if self.messages[position].get("tool_calls"):
                self._put(position, _with_short_arguments(self.messages[position]))
        return left_out

    def _put(self, position: int, message: Message) -> None:
        self.messages[position] = message
        self._sizes[position] = _characters(message)

    def _raw(self) -> float:
        return (sum(self._sizes) + self._of_tools) / CHARACTERS_PER_TOKEN


def _characters(message: Message) -> int:
    calls = message.get("tool_calls") or ()
    arguments = sum(len(call["function"]["name"]) + len(call["function"]["arguments"]) + 40 for call in calls)
    return len(str(message.get("content") or "")) + arguments + 20


def _pointer(output: Output, content: str) -> str:
    """One line that says what stood here and where it lies."""
    lines = [line for line in content.splitlines() if line.strip()]
    first, last = one_line(lines[0], 200), one_line(lines[-1], 200) if len(lines) > 1 else ""
    ends = f"; its last line: {last}" if last else ""
    return (
        f"[left out to save room: {len(content):,} characters of tool call {output.call}; whole in {output.log}; "
        f"its first line: {first}{ends}]"
    )


def _with_short_arguments(message: Message) -> Message:
    """The message with long texts in its tool calls cut; the arguments stay valid JSON."""
    return {**message, "tool_calls": [_short_call(call) for call in message["tool_calls"]]}


def _short_call(call: dict[str, Any]) -> dict[str, Any]:
    raw = call["function"]["arguments"]
    if len(raw) <= _SMALL:
        return call
    arguments = json.loads(raw)
    short = {name: _short(value) for name, value in arguments.items()}
    return {**call, "function": {**call["function"], "arguments": json.dumps(short)}}


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= _SMALL:
        return value
    return f"{text[:200]} [left out to save room: {len(text) - 200:,} more characters]"
