"""What the engine asks of a model, and what it gets: the words that every gateway speaks.

Nothing heavy is imported here. The gateway that people use is ``agents/models/litellm_gateway.py``; tests put a
scripted one in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Message = dict[str, Any]
"""A message in the OpenAI form: role, content, tool_calls, tool_call_id."""


class ModelError(Exception):
    """A model call that failed; the message is one line for a person."""


class ModelRefused(ModelError):
    """Asking again will not help: no such model, no key, a request that the provider does not take."""


class RequestRefused(ModelError):
    """This request will never be answered, such as one that breaks a content rule; another one may be."""


class RequestTooLong(RequestRefused):
    """The request is longer than the model's window; a shorter one may be answered."""


@dataclass(frozen=True)
class ToolRequest:
    """One tool call of a reply. ``arguments`` is what the model wrote, valid JSON or not."""

    id: str
    name: str
    arguments: str
    extra: dict[str, Any] = field(default_factory=dict)
    """What the provider wants back with the call, such as a thought signature."""


@dataclass(frozen=True)
class ModelReply:
    """A model's reply. ``cost_usd`` is None where no price is known."""

    text: str
    tool_calls: tuple[ToolRequest, ...] = ()
    reasoning: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: float | None = None
    finish_reason: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    """Fields of the message that the provider wants back with the next request, such as signed thinking blocks."""

    def message(self) -> Message:
        """The reply as the next request has to carry it."""
        message: Message = {"role": "assistant", "content": self.text, **self.extra}
        if self.tool_calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                    **call.extra,
                }
                for call in self.tool_calls
            ]
        return message


@dataclass(frozen=True)
class ModelRequest:
    """One request to one model."""

    model: str
    messages: Sequence[Message]
    tools: Sequence[dict[str, Any]] = ()
    temperature: float = 1.0
    reasoning_effort: str | None = None
    must_call: bool = False
    """The reply has to call a tool, where the provider can make a model do so."""


DeltaKind = Literal["text", "reasoning", "tool"]


@dataclass(frozen=True)
class Delta:
    """A piece of a reply, as it came. For a tool call: its place in the reply, its name, a piece of its arguments."""

    kind: DeltaKind
    text: str
    index: int = 0
    name: str = ""


class Listener(Protocol):
    """Whoever wants to know how a request goes while it goes."""

    def heard(self, delta: Delta) -> None:
        """A piece of the reply came."""

    def retrying(self, reason: str, retry: int, of: int, wait: float) -> None:
        """What came so far is void; the request is made again after ``wait`` seconds."""

    async def may_go(self) -> None:
        """Return when the next attempt may be made: not while a person has paused the run."""

    def dropped(self, parameter: str, reason: str) -> None:
        """The model does not take this parameter; it is asked without it from now on."""

    def diverged(self, recorded_call: int, diff: str) -> None:
        """A replayed model was asked something else than in the recorded run."""


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model beforehand; None where nobody knows."""

    window: int | None = None
    """Tokens of input."""
    max_output: int | None = None
    input_price: float | None = None
    """US dollars a token."""
    output_price: float | None = None
    takes_tools: bool | None = None
    counts_tokens: bool = True
    """Whether it reads and writes tokens that somebody pays for: not the built-in policy, and no recorded run."""

    @property
    def is_priced(self) -> bool:
        return self.input_price is not None and self.output_price is not None

    def price(self, input_tokens: float, output_tokens: float) -> float | None:
        """US dollars at full price, no cache counted; None where no price is known."""
        if self.input_price is None or self.output_price is None:
            return None
        return input_tokens * self.input_price + output_tokens * self.output_price


class Gateway(Protocol):
    """Anything that answers a request."""

    async def complete(self, request: ModelRequest, listener: Listener) -> ModelReply:
        """One reply; raises :class:`ModelError` when there is none. Cancelling it closes the connection."""

    def facts(self, model: str) -> ModelFacts:
        """What is known of ``model``."""
