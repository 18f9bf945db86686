"""The policy as a litellm provider, so that it is reached by ``litellm.acompletion(model="builtin/omics")``."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import litellm
from litellm import CustomLLM
from litellm.llms.custom_llm import CustomLLMError
from litellm.types.utils import ChatCompletionMessageToolCall, Choices, Function, Message, ModelResponse, Usage

from agents.policy.conversation import ConversationError, Move, next_move, read
from agents.policy.steps import POLICIES
from agents.vocabulary import BUILTIN_MODEL

PROVIDER, _, MODEL = BUILTIN_MODEL.partition("/")
_FREE: Final = {
    "litellm_provider": PROVIDER,
    "mode": "chat",
    "input_cost_per_token": 0.0,
    "output_cost_per_token": 0.0,
    "supports_function_calling": True,
}


class BuiltinPolicy(CustomLLM):  # type: ignore[misc]  # litellm is not typed here
    """Answers each request by replaying its messages. Reads no token and costs nothing."""

    async def acompletion(self, *_: object, **request: Any) -> Any:
        """The next move as a ``ModelResponse``; raises ``CustomLLMError`` (400) for what is no step of a run."""
        return _response(_answer(request))

    async def astreaming(self, *_: object, **request: Any) -> AsyncIterator[dict[str, Any]]:
        """The same move as a stream: the words, then the call."""
        move = _answer(request)
        call = _tool_call(move)
        yield _chunk(text=move.text)
        if call is not None:
            yield _chunk(tool_use={**call, "index": 0})
        yield _chunk(finish_reason="tool_calls" if call else "stop")


def register() -> None:
    """Make ``builtin/omics`` known to litellm, with its price of nothing. Doing it twice changes nothing."""
    if any(item["provider"] == PROVIDER for item in litellm.custom_provider_map):
        return
    litellm.custom_provider_map.append({"provider": PROVIDER, "custom_handler": BuiltinPolicy()})
    litellm.utils.custom_llm_setup()
    litellm.register_model({BUILTIN_MODEL: _FREE})


def _answer(request: Mapping[str, Any]) -> Move:
    model = str(request["model"]).removeprefix(f"{PROVIDER}/")
    if model != MODEL:
        raise CustomLLMError(404, f"there is no built-in model {model!r}; there is {BUILTIN_MODEL}")
    try:
        record = read(request["messages"])
        policy = POLICIES.get(record.facts.step)
        if policy is None:
            raise ConversationError(f"the step {record.facts.step} is no step of a model")
        move = next_move(record, policy)
    except ConversationError as error:
        raise CustomLLMError(400, str(error)) from error
    offered = {tool["function"]["name"] for tool in (request.get("optional_params") or {}).get("tools") or ()}
    if move.call is not None and offered and move.call.tool not in offered:
        return Move(move.number, f"I need the tool {move.call.tool}, which was not offered, so I stop here.", None)
    return move


def _tool_call(move: Move) -> dict[str, Any] | None:
    if move.call is None:
        return None
    arguments = json.dumps(move.call.arguments, ensure_ascii=False)
    return {
        "id": f"call_{move.number:03d}",
        "type": "function",
        "function": {"name": move.call.tool, "arguments": arguments},
    }


def _response(move: Move) -> Any:
    call = _tool_call(move)
    calls = None
    if call is not None:
        function = Function(**call["function"])
        calls = [ChatCompletionMessageToolCall(id=call["id"], type="function", function=function)]
    message = Message(role="assistant", content=move.text, tool_calls=calls)
    return ModelResponse(
        model=BUILTIN_MODEL,
        choices=[Choices(index=0, finish_reason="tool_calls" if calls else "stop", message=message)],
        usage=Usage(prompt_tokens=0, completion_tokens=0, total_tokens=0),
    )


def _chunk(
    *, text: str = "", tool_use: Mapping[str, Any] | None = None, finish_reason: str | None = None
) -> dict[str, Any]:
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0} if finish_reason else None
    return {
        "text": text,
        "tool_use": tool_use,
        "is_finished": finish_reason is not None,
        "finish_reason": finish_reason or "",
        "usage": usage,
        "index": 0,
    }
