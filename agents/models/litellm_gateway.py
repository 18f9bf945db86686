"""The gateway that people use: one streaming request through ``litellm.acompletion``, made again where it may help."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from agents.clock import utc_now
from agents.models.assembly import PartialCall, ThoughtAssembly, ToolCallAssembly
from agents.models.faults import Broken, fault_of, refused_parameter
from agents.models.gateway import (
    Delta,
    Listener,
    Message,
    ModelFacts,
    ModelReply,
    ModelRequest,
    RequestRefused,
    ToolRequest,
)
from agents.models.library import load_litellm
from agents.models.listing import facts_of
from agents.settings import RunSettings
from agents.vocabulary import BUILTIN_MODEL

LONGEST_BACKOFF: Final = 60.0
T = TypeVar("T")
_OPTIONAL: Final = ("temperature", "reasoning_effort", "stream_options", "tool_choice")
"""Parameters without which a request is still what was meant."""


@dataclass
class LiteLLMGateway:
    """Sends requests through litellm.

    A failure that may pass is tried again ``settings.llm_retries`` times with growing waits; the provider's own wish to
    be left alone counts more. ``redact`` takes secrets out of what providers say.
    """

    settings: RunSettings
    redact: Callable[[str], str] = field(default=lambda text: text)
    _dropped: dict[str, set[str]] = field(default_factory=dict)
    """Model to the parameters that it does not take."""

    async def complete(self, request: ModelRequest, listener: Listener) -> ModelReply:
        """One reply; raises :class:`ModelError`, whose message is one line without a secret in it."""
        retries = self.settings.llm_retries
        for retry in range(1, retries + 2):
            try:
                return await self._attempt(request, listener)
            except Exception as error:  # noqa: BLE001 - providers raise whatever they like; all of it is a failed call
                fault = fault_of(request.model, error, utc_now(), self.redact)
                if not fault.may_pass:
                    raise fault.error from None
                if retry > retries:
                    tried = f" (asked {retry} times)" if retries else ""
                    raise type(fault.error)(f"{fault.error}{tried}") from None
                wait = backoff(retry, self.settings.llm_retry_wait, fault.retry_after, random.random())  # noqa: S311
                listener.retrying(str(fault.error), retry, retries, wait)
                await asyncio.sleep(wait)
                await listener.may_go()
        raise AssertionError("unreachable")

    def facts(self, model: str) -> ModelFacts:
        """What litellm's price table says, by the model's whole name or without its provider."""
        if model == BUILTIN_MODEL:
            return ModelFacts(input_price=0.0, output_price=0.0, takes_tools=True, counts_tokens=False)
        table = load_litellm().model_cost
        return facts_of(table.get(model) or table.get(model.partition("/")[2]) or {})

    async def _attempt(self, request: ModelRequest, listener: Listener) -> ModelReply:
        """One attempt; a parameter that the model turns out not to take is left out, and that is said once."""
        dropped = self._dropped.setdefault(request.model, set())
        while True:
            arguments = self._arguments(request, dropped)
            try:
                return await self._once(arguments, listener)
            except Exception as error:
                parameter = refused_parameter(error, set(arguments) & set(_OPTIONAL))
                if parameter is None:
                    raise
                dropped.add(parameter)
                listener.dropped(parameter, str(fault_of(request.model, error, utc_now(), self.redact).error))

    def _arguments(self, request: ModelRequest, dropped: set[str]) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": request.model,
            "messages": _without_empty_texts(request.messages) if "claude" in request.model else list(request.messages),
            "tools": list(request.tools),
            "temperature": request.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
            "timeout": self.settings.llm_response_timeout,
            "max_retries": 0,
        }
        if request.reasoning_effort is not None:
            arguments["reasoning_effort"] = request.reasoning_effort
        if request.must_call:
            arguments["tool_choice"] = _any_of(request.tools)
        if self.settings.api_base and request.model != BUILTIN_MODEL:
            arguments["api_base"] = self.settings.api_base
            if request.model.startswith("openai/") and not os.environ.get("OPENAI_API_KEY"):
                arguments["api_key"] = "none"  # servers of one's own often want no key, but litellm wants to send one
        if wants_cache_marks(request.model):
            arguments["cache_control_injection_points"] = [
                {"location": "message", "role": "system"},
                {"location": "message", "index": -1},
            ]
        return {name: value for name, value in arguments.items() if name not in dropped}

    async def _once(self, arguments: dict[str, Any], listener: Listener) -> ModelReply:
        litellm = load_litellm()
        limit, silence = self.settings.llm_response_timeout, self.settings.llm_silence_timeout
        stream: Any = None
        coming = _Coming()
        try:
            # litellm's own time-out is per read, so a dripping reply would never end.
            async with asyncio.timeout(limit):
                stream = await _within(silence, litellm.acompletion(**arguments))
                async for chunk in _chunks(stream, silence):
                    for delta in coming.take(chunk):
                        listener.heard(delta)
        except TimeoutError:
            raise Broken(f"no whole reply within {limit:g} s") from None
        finally:
            if stream is not None:
                await stream.aclose()
        ended = _end_of(stream)
        if ended == "content_filter" and not coming.heard:
            raise RequestRefused(f"{arguments['model']}: the provider's content filter let no reply through")
        if ended is None or not coming.heard:
            raise Broken(_what_came_instead(stream, coming))
        return _reply_of(litellm, arguments["model"], arguments["messages"], coming)


@dataclass
class _Coming:
    """A reply while it comes."""

    chunks: list[Any] = field(default_factory=list)
    assembly: ToolCallAssembly = field(default_factory=ToolCallAssembly)
    thoughts: ThoughtAssembly = field(default_factory=ThoughtAssembly)
    heard: bool = False

    def take(self, chunk: Any) -> Sequence[Delta]:
        """What a chunk adds. Those without a choice, such as the one with the usage, add nothing."""
        self.chunks.append(chunk)
        if not chunk.choices:
            return ()
        delta, deltas = chunk.choices[0].delta, []
        self.thoughts.take(getattr(delta, "thinking_blocks", None) or ())
        if reasoning := getattr(delta, "reasoning_content", None):
            deltas.append(Delta("reasoning", _encodable(reasoning)))
        if delta.content:
            deltas.append(Delta("text", _encodable(delta.content)))
        pieces = delta.tool_calls or ()
        deltas += [replace(delta, text=_encodable(delta.text)) for delta in self.assembly.take(pieces)]
        for piece in pieces:  # litellm cannot put together what no JSON can hold
            piece.id = piece.id and _encodable(piece.id)
            piece.function.name = piece.function.name and _encodable(piece.function.name)
            piece.function.arguments = piece.function.arguments and _encodable(piece.function.arguments)
        self.heard = self.heard or bool(deltas)
        return deltas


def backoff(retry: int, first: float, retry_after: float | None, chance: float) -> float:
    """Seconds before retry number ``retry`` (from 1).

    They double with each, up to ``LONGEST_BACKOFF``, and are spread by a fifth to both sides, so that many runs do not
    come back at once; ``chance`` is in [0, 1). Never earlier than the provider asks for.
    """
    wait = min(first * 2.0 ** (retry - 1), LONGEST_BACKOFF) * (0.8 + 0.4 * chance)
    return wait if retry_after is None else max(wait, retry_after * (1 + 0.1 * chance))


async def _within(seconds: float, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(seconds) as bound:
            return await work
    except TimeoutError:
        if not bound.expired():
            raise
        raise Broken(f"silence for {seconds:g} s") from None


async def _chunks(stream: Any, silence: float) -> AsyncIterator[Any]:
    """The stream's chunks; raises :class:`Broken` where none comes for ``silence`` seconds."""
    chunks = aiter(stream)
    while True:
        try:
            chunk = await _within(silence, anext(chunks))
        except StopAsyncIteration:
            return
        yield chunk


def _without_empty_texts(messages: Sequence[Message]) -> list[Message]:
    """litellm fills an empty text for Claude with words of its own, which the model would take for what it said."""
    return [
        {**message, "content": None} if message.get("tool_calls") and message.get("content") == "" else message
        for message in messages
    ]


def _any_of(tools: Sequence[dict[str, Any]]) -> Any:
    """``tool_choice`` for a reply that must call one of ``tools``; some servers know only the form with a name."""
    if len(tools) == 1:
        return {"type": "function", "function": {"name": tools[0]["function"]["name"]}}
    return "required"


def _end_of(stream: Any) -> str | None:
    """Why the reply ended, in the provider's words; None where it broke off.

    litellm keeps Google's reason elsewhere, since Google sends one before the last chunk; there it also makes one up
    for a reply that broke off, whose tool calls are whole all the same, since each comes in one piece.
    """
    reason: str | None = stream.received_finish_reason or stream.intermittent_finish_reason
    return reason or None


def _what_came_instead(stream: Any, coming: _Coming) -> str:
    """litellm makes up a normal end where a stream broke off; this says what really came."""
    headers = (getattr(stream, "_hidden_params", None) or {}).get("additional_headers") or {}
    kind = str(headers.get("llm_provider-content-type", ""))
    if "html" in kind:
        return "an HTML page came instead of a reply; is the address that of an API?"
    return "the reply broke off before its end" if coming.heard else "an empty reply came"


def _reply_of(litellm: Any, model: str, messages: Sequence[Message], coming: "_Coming") -> ModelReply:
    response = litellm.stream_chunk_builder(coming.chunks, messages=list(messages))
    if response is None or not response.choices:
        raise Broken("the reply has no usable message")
    message, usage = response.choices[0].message, getattr(response, "usage", None)
    details = getattr(usage, "prompt_tokens_details", None)
    return ModelReply(
        text=_encodable(message.content or ""),
        tool_calls=tuple(_tool_request(call) for call in coming.assembly.calls),
        reasoning=_encodable(getattr(message, "reasoning_content", None) or ""),
        input_tokens=int(getattr(usage, "prompt_tokens", 0) or 0),
        output_tokens=int(getattr(usage, "completion_tokens", 0) or 0),
        cached_tokens=int(getattr(details, "cached_tokens", 0) or 0),
        cost_usd=_cost(litellm, model, response),
        finish_reason=response.choices[0].finish_reason or "",
        # Signed thoughts must come back unchanged, or the provider refuses the next request.
        extra={"thinking_blocks": coming.thoughts.blocks} if coming.thoughts.blocks else {},
    )


def _tool_request(call: PartialCall) -> ToolRequest:
    return ToolRequest(
        id=_encodable(call.id),
        name=_encodable(call.name),
        arguments=_encodable("".join(call.arguments)),
        extra={"provider_specific_fields": call.extra} if call.extra else {},
    )


def _encodable(text: str) -> str:
    """``text`` without lone surrogates, which no file and no request can carry; two halves become what they mean."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _cost(litellm: Any, model: str, response: Any) -> float | None:
    if model == BUILTIN_MODEL:
        return 0.0
    try:
        cost = float(litellm.completion_cost(completion_response=response, model=model))
    except Exception:  # noqa: BLE001 - an unknown price raises; the call is then shown as unpriced
        return None
    return cost or None  # the table has a price of nothing where nobody knows it


def wants_cache_marks(model: str) -> bool:
    """Whether the provider caches only what is marked in the request; the others cache a stable beginning unasked."""
    litellm = load_litellm()
    return "claude" in model and bool(litellm.utils.supports_prompt_caching(model=model))
