"""A reply as it goes over the wire: pieces of an event stream, or of one JSON object."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from agents.models.gateway import ModelReply

DONE: Final = b"data: [DONE]\n\n"
NOT_UTF8: Final = b"\xc3\x28\xff"
NOT_UTF8_MARK: Final = "\ufdd0"
"""Stands in a reply's text for bytes that no text can hold."""

_PIECE: Final = 24
_PIECES: Final = 64
"""A text is sent in pieces of so many characters, but in no more than so many pieces."""

Split = Literal["whole", "pieces", "characters"]


@dataclass(frozen=True)
class Style:
    """How a server writes what it has to say."""

    split: Split = "pieces"
    usage: Literal["normal", "missing", "zero"] = "normal"
    no_index: bool = False


@dataclass(frozen=True)
class Written:
    """A response's body in pieces. The first ``open`` of them do not say yet that the reply is over."""

    pieces: list[bytes]
    open: int
    is_stream: bool

    @property
    def content_type(self) -> str:
        return "text/event-stream; charset=utf-8" if self.is_stream else "application/json"


def write(reply: ModelReply, body: Mapping[str, Any], number: int, style: Style) -> Written:
    """The reply to the request ``body``, which is the ``number``-th one."""
    frame = {"id": f"chatcmpl-{number}", "created": int(time.time()), "model": body.get("model", "")}
    if body.get("stream"):
        return _stream(reply, body, frame, style)
    return _whole(reply, body, frame, style)


def event(value: Mapping[str, Any]) -> bytes:
    """A chunk of an event stream."""
    return b"data: " + _json(value) + b"\n\n"


def cut(text: str, split: Split) -> list[str]:
    """The text in pieces; one empty piece where there is no text."""
    if split == "whole" or not text:
        return [text]
    size = 1 if split == "characters" else max(_PIECE, -(-len(text) // _PIECES))
    return [text[start : start + size] for start in range(0, len(text), size)]


def usage_of(reply: ModelReply, messages: Sequence[Mapping[str, Any]], style: Style) -> dict[str, int] | None:
    """Tokens, four characters each; None where the server does not tell."""
    if style.usage == "missing":
        return None
    said = len(reply.text) + len(reply.reasoning) + sum(len(call.name + call.arguments) for call in reply.tool_calls)
    asked, answered = (0, 0) if style.usage == "zero" else (len(_json(messages)) // 4, said // 4)
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def finish_reason_of(reply: ModelReply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")


def _stream(reply: ModelReply, body: Mapping[str, Any], frame: dict[str, Any], style: Style) -> Written:
    frame = {**frame, "object": "chat.completion.chunk"}
    deltas = _whole_delta(reply, style) if style.split == "whole" else _deltas(reply, style)
    chunks = [{**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    reason = finish_reason_of(reply)
    ending = [{**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}]
    usage = usage_of(reply, body.get("messages", ()), style)
    if usage is not None and (body.get("stream_options") or {}).get("include_usage"):
        ending.append({**frame, "choices": [], "usage": usage})
    return Written([*map(event, chunks + ending), DONE], open=len(chunks), is_stream=True)


def _deltas(reply: ModelReply, style: Style) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    if reply.reasoning:
        yield from ({"reasoning_content": piece} for piece in cut(reply.reasoning, style.split))
    if reply.text:
        yield from ({"content": piece} for piece in cut(reply.text, style.split))
    for index, call in enumerate(_calls(reply, style)):
        if style.no_index:
            yield {"tool_calls": [call]}
            continue
        arguments = call["function"]["arguments"]
        yield {"tool_calls": [{**call, "function": {**call["function"], "arguments": ""}}]}
        for piece in cut(arguments, style.split):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _whole_delta(reply: ModelReply, style: Style) -> Iterator[dict[str, Any]]:
    delta: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.reasoning:
        delta["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        delta["tool_calls"] = _calls(reply, style)
    yield delta


def _calls(reply: ModelReply, style: Style) -> list[dict[str, Any]]:
    return [
        {
            **({} if style.no_index else {"index": index}),
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for index, call in enumerate(reply.tool_calls)
    ]


def _whole(reply: ModelReply, body: Mapping[str, Any], frame: dict[str, Any], style: Style) -> Written:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = _calls(reply, Style(no_index=True))
    choice = {"index": 0, "message": message, "finish_reason": finish_reason_of(reply)}
    value = {**frame, "object": "chat.completion", "choices": [choice]}
    usage = usage_of(reply, body.get("messages", ()), style)
    if usage is not None:
        value["usage"] = usage
    data = _json(value)
    size = 1 if style.split == "characters" else max(_PIECE, -(-len(data) // _PIECES))
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return Written(pieces, open=len(pieces) - 1, is_stream=False)


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace").replace(NOT_UTF8_MARK.encode(), NOT_UTF8)
