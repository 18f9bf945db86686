"""What a server finds in the messages of a request: which step it is, and whether a provider would take it."""

import json
from collections.abc import Sequence

from agents.models.gateway import Message
from agents.steps.facts import StepFacts


def text_of(message: Message) -> str:
    """A message's text, whether it is a string or parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def facts_of(messages: Sequence[Message]) -> StepFacts | None:
    """The facts of the step that the conversation is about; None in any other conversation."""
    return StepFacts.find(text_of(messages[1])) if len(messages) > 1 else None


def replies_in(messages: Sequence[Message]) -> list[Message]:
    """What the model said so far."""
    return [message for message in messages if message["role"] == "assistant"]


def problem(messages: Sequence[Message]) -> str | None:
    """Why OpenAI would refuse the conversation, in its words; None where it would not."""
    if not messages:
        return (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
        )
    waiting: list[str] = []
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            if message.get("tool_call_id") not in waiting:
                return (
                    f"Invalid parameter: messages[{number}] with role 'tool' must be a response to a preceding "
                    "message with 'tool_calls'."
                )
            waiting.remove(message["tool_call_id"])
        elif waiting:
            break
        else:
            waiting = [call["id"] for call in message.get("tool_calls") or ()]
    if waiting:
        return (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}"
        )
    return None


def strict_problem(messages: Sequence[Message]) -> str | None:
    """Why Anthropic, or a chat template that reads the arguments as vLLM's do, would refuse it."""
    seen: set[str] = set()
    for message in messages:
        for call in message.get("tool_calls") or ():
            if not _is_object(call["function"]["arguments"]):
                return f"the arguments of the tool call {call['id']!r} are no JSON object"
            if call["id"] in seen:
                return "`tool_use` ids must be unique"
            seen.add(call["id"])
    return None


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
