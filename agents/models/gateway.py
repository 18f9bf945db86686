"""The gateway to every model: one request through ``litellm.acompletion``, answered or refused in plain words.

litellm takes seconds to import, so only the engine's process imports this module's insides, and only when asked.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from agents.vocabulary import BUILTIN_MODEL

Message = dict[str, Any]
"""A message in the OpenAI form: role, content, tool_calls, tool_call_id."""

ATTEMPTS: Final = 4
_FIRST_WAIT: Final = 2.0
_OF_THE_REQUEST: Final = {"ContextWindowExceededError", "ContentPolicyViolationError"}
_TRANSIENT: Final = {408, 409, 425, 429, 500, 502, 503, 504, 529}


class ModelError(Exception):
    """A model call that failed; the message is one line for a person."""


class ModelRefused(ModelError):
    """Asking again will not help: no such model, no key, a request that the provider does not take."""


class RequestRefused(ModelError):
    """This request will never be answered, such as one that is too long; another one may be."""


@dataclass(frozen=True)
class ToolRequest:
    """One tool call of a reply. ``arguments`` is what the model wrote, valid JSON or not."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class ModelReply:
    """A model's reply. ``cost_usd`` is None where no price is known."""

    text: str
    tool_calls: tuple[ToolRequest, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    finish_reason: str = ""

    def message(self) -> Message:
        """The reply as the next request has to carry it."""
        message: Message = {"role": "assistant", "content": self.text}
        if self.tool_calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.tool_calls
            ]
        return message


class Gateway(Protocol):
    """Anything that answers a request; tests put a scripted one in its place."""

    async def complete(
        self, model: str, messages: Sequence[Message], tools: Sequence[dict[str, Any]]
    ) -> ModelReply: ...


@dataclass
class LiteLLMGateway:
    """Sends requests through litellm.

    A transient failure is tried again, up to ``ATTEMPTS`` times in all with growing waits; ``on_retry`` hears of each.
    """

    temperature: float
    response_timeout: float
    """Seconds for one whole reply."""
    on_retry: Callable[[str], None] = field(default=lambda line: None)

    async def complete(self, model: str, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> ModelReply:
        """One reply to ``messages``; raises :class:`ModelError`."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(model, messages, tools)
            except (ModelRefused, RequestRefused):
                raise
            except ModelError as error:
                if attempt == ATTEMPTS:
                    raise
                wait = _FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311
                self.on_retry(f"{error}; trying again in {wait:.0f} s ({attempt} of {ATTEMPTS - 1})")
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def _once(self, model: str, messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> ModelReply:
        litellm = load_litellm()
        try:
            # litellm's own time-out is per read, so a dripping reply would never end.
            async with asyncio.timeout(self.response_timeout):
                response = await litellm.acompletion(
                    model=model,
                    messages=list(messages),
                    tools=list(tools),
                    temperature=self.temperature,
                    timeout=self.response_timeout,
                    max_retries=0,
                    drop_params=True,
                )
        except TimeoutError:
            raise ModelError(f"{model}: no whole reply within {self.response_timeout:.0f} s") from None
        except Exception as error:  # noqa: BLE001 - providers raise whatever they like; all of it is a failed call
            raise _as_model_error(model, error) from None
        return _reply_of(litellm, model, response)


def load_litellm() -> Any:
    """litellm, set up so that neither its import nor its price table goes to the network."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    from agents.policy.provider import register

    register()
    return litellm


def problem_with(model: str) -> str | None:
    """One line that says why ``model`` cannot be used here, or None. Nothing is sent anywhere.

    Loads litellm, so that the first model call need not wait for it.
    """
    litellm = load_litellm()
    if model == BUILTIN_MODEL:
        return None
    try:
        litellm.get_llm_provider(model)
    except Exception:  # noqa: BLE001 - litellm raises several kinds for an unknown provider
        return (
            f"model {model!r}: unknown provider; name it as provider/model, "
            f"for example openai/gpt-4.1 or {BUILTIN_MODEL}"
        )
    missing = litellm.validate_environment(model).get("missing_keys") or []
    if missing:
        return f"model {model!r}: set {' and '.join(missing)} in the environment"
    return None


def _as_model_error(model: str, error: Exception) -> ModelError:
    status = getattr(error, "status_code", None)
    line = " ".join(str(error).split())[:500] or type(error).__name__
    text = f"{model}: {type(error).__name__}: {line}"
    if type(error).__name__ in _OF_THE_REQUEST:
        return RequestRefused(text)
    if isinstance(status, int) and status not in _TRANSIENT and status < 500:
        return ModelRefused(text)
    return ModelError(text)


def _reply_of(litellm: Any, model: str, response: Any) -> ModelReply:
    try:
        choice = response.choices[0]
        message = choice.message
        calls = tuple(
            ToolRequest(
                id=call.id or f"call-{position}",
                name=_encodable(call.function.name or ""),
                arguments=_encodable(_as_text(call.function.arguments)),
            )
            for position, call in enumerate(message.tool_calls or ())
        )
        usage = getattr(response, "usage", None)
        return ModelReply(
            text=_encodable(message.content or ""),
            tool_calls=calls,
            input_tokens=int(getattr(usage, "prompt_tokens", 0) or 0),
            output_tokens=int(getattr(usage, "completion_tokens", 0) or 0),
            cost_usd=_cost(litellm, model, response),
            finish_reason=choice.finish_reason or "",
        )
    except (AttributeError, IndexError, TypeError) as error:
        raise ModelError(f"{model}: the reply has no usable message ({error})") from None


def _as_text(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def _encodable(text: str) -> str:
    """``text`` without lone surrogates, which no file and no request can carry."""
    return text.encode(errors="replace").decode()


def _cost(litellm: Any, model: str, response: Any) -> float | None:
    if model == BUILTIN_MODEL:
        return 0.0
    try:
        return float(litellm.completion_cost(completion_response=response, model=model))
    except Exception:  # noqa: BLE001 - an unknown price raises; the call is then shown as unpriced
        return None
