"""What each kind of fault does to a reply, and to the response that carries it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from email.utils import formatdate
from time import time
from typing import Any, Final

from agents.models.gateway import ModelReply, ToolRequest
from tests.llm_server.exchange import Exchange
from tests.llm_server.scenario import (
    BadJsonFault,
    BadUtf8Fault,
    DripFault,
    EmptyFault,
    ErrorChunkFault,
    Fault,
    HangFault,
    HtmlFault,
    RefuseFault,
    ReplyFault,
    ScriptedCall,
    StatusFault,
    TruncateFault,
)
from tests.llm_server.wire import DONE, NOT_UTF8_MARK, Style, Written, event

HOSTILE: Final = (
    "x[/ a [/etc/x] b [bold red] list[int] \\[0-9\\]+ "
    "\x1b]52;c;cm0gLXJmIC8=\x07\x1b]0;title\x07\x1b[2J\x1b[31m\x1b[?1049h\x9b31m\u202e\x00\x08\x7f"
)
"""Markup that raises, a clipboard write, a title, a cleared screen, another screen, text turned round, controls."""

HTML: Final = b"<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body><h1>nginx</h1></body></html>\n"
_HTML_TYPE: Final = "text/html; charset=utf-8"
_CODE_FIELDS: Final = ("content", "command")
"""Arguments to which a comment can be added."""

_ERRORS: Final[dict[int, tuple[str, str | None, str]]] = {
    400: ("invalid_request_error", None, "Invalid type for 'tools[0]': expected an object, but got a string instead."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-…a91."),
    403: ("invalid_request_error", "model_not_found", "The project does not have access to this model."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    408: ("server_error", None, "The request timed out."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    500: ("server_error", None, "The server had an error while processing your request."),
    502: ("server_error", None, "Bad gateway."),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
    529: ("overloaded_error", None, "Overloaded"),
}


def changed(fault: Fault | None, reply: ModelReply, number: int) -> ModelReply:
    """The reply as the fault has it; the reply itself where the fault is of another kind."""
    if isinstance(fault, BadUtf8Fault):
        return replace(reply, text=f"{reply.text or 'Here it is.'} {NOT_UTF8_MARK}")
    if not isinstance(fault, ReplyFault):
        return reply
    own = reply.tool_calls if fault.tool_calls is None else _requests(fault.tool_calls, number, "in")
    calls = (*_requests(fault.prepend, number, "before"), *own, *_requests(fault.append, number, "after"))
    if fault.huge_arguments:
        calls = tuple(_lengthened(call, "x" * fault.huge_arguments) for call in calls)
    if fault.escapes:
        calls = tuple(_lengthened(call, HOSTILE.replace("\x00", "")) for call in calls)
    if fault.duplicate_ids:
        calls = tuple(replace(call, id="call_same") for call in calls)
    hostile = HOSTILE if fault.escapes else ""
    return replace(
        reply,
        text=(reply.text if fault.text is None else fault.text) + hostile,
        reasoning=(reply.reasoning if fault.reasoning is None else fault.reasoning) + hostile,
        tool_calls=calls,
        finish_reason=fault.finish_reason or reply.finish_reason,
    )


def style_of(fault: Fault | None) -> Style:
    """How the response is written."""
    match fault:
        case ReplyFault():
            return Style(fault.split, fault.usage, fault.no_index)
        case DripFault():
            return Style("characters")
        case _:
            return Style()


def error_body(code: int, fault: StatusFault | None = None) -> bytes:
    """An error in OpenAI's form."""
    kind, name, message = _ERRORS.get(code, ("server_error", None, f"Error {code}."))
    error: dict[str, Any] = {"message": message, "type": kind, "param": None, "code": name}
    if fault is not None:
        given = {"message": fault.message, "type": fault.error_type, "param": fault.parameter, "code": fault.error_code}
        error |= {key: value for key, value in given.items() if value is not None}
    return json.dumps({"error": error}, indent=2).encode()


async def respond(fault: Fault | None, exchange: Exchange, written: Written) -> None:
    """Send the response, or what the fault makes of it."""
    match fault:
        case StatusFault():
            await _status(fault, exchange)
        case HtmlFault():
            await exchange.whole(200, _HTML_TYPE, HTML)
        case EmptyFault():
            await exchange.whole(200, written.content_type, DONE if fault.done and written.is_stream else b"")
        case RefuseFault():
            await exchange.cut(reset=fault.how == "reset")
        case HangFault():
            await _hang(fault, exchange, written)
        case TruncateFault():
            await _truncate(fault, exchange, written)
        case BadJsonFault() | ErrorChunkFault():
            await _spoil(fault, exchange, written)
        case DripFault():
            await _send(exchange, written, fault.seconds)
        case _:
            await _send(exchange, written)


async def _send(exchange: Exchange, written: Written, wait: float = 0) -> None:
    *pieces, last = written.pieces
    await exchange.start(200, written.content_type)
    for piece in pieces:
        await exchange.piece(piece)
        if wait:
            await asyncio.sleep(wait)
    await exchange.end(last)


async def _status(fault: StatusFault, exchange: Exchange) -> None:
    headers = {}
    if fault.retry_after is not None:
        seconds = f"{fault.retry_after:g}"
        date = formatdate(time() + fault.retry_after, usegmt=True)
        headers["retry_after"] = date if fault.retry_after_is_date else seconds
    if fault.html:
        await exchange.whole(fault.code, _HTML_TYPE, HTML, **headers)
    elif fault.body is not None:
        await exchange.whole(fault.code, "text/plain; charset=utf-8", fault.body.encode(), **headers)
    else:
        await exchange.whole(fault.code, "application/json", error_body(fault.code, fault), **headers)


async def _hang(fault: HangFault, exchange: Exchange, written: Written) -> None:
    if fault.where != "before_headers":
        await exchange.start(200, written.content_type)
    if fault.where == "mid_stream":
        for piece in _beginning(written, fault.after):
            await exchange.piece(piece)
    await exchange.for_ever()


async def _truncate(fault: TruncateFault, exchange: Exchange, written: Written) -> None:
    begun = _beginning(written, fault.after)
    await exchange.start(200, written.content_type)
    for piece in begun:
        await exchange.piece(piece)
    if fault.how == "end":
        await exchange.end()
        return
    exchange.half(written.pieces[len(begun)])
    await exchange.cut(reset=fault.how == "reset")


async def _spoil(fault: BadJsonFault | ErrorChunkFault, exchange: Exchange, written: Written) -> None:
    begun = _beginning(written, fault.after)
    rest = written.pieces[len(begun) :]
    if isinstance(fault, BadJsonFault):
        spoilt = b'{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"a'
        pieces = [*begun, b"data: " + spoilt + b"\n\n" if written.is_stream else spoilt, *rest]
    else:
        error = {"error": {"message": fault.message, "type": "server_error", "param": None, "code": fault.code}}
        pieces = [*begun, event(error), DONE] if written.is_stream else [json.dumps(error).encode()]
    await _send(exchange, replace(written, pieces=pieces))


def _beginning(written: Written, pieces: int) -> list[bytes]:
    """The first pieces, but none that says that the reply is over."""
    return written.pieces[: min(pieces, written.open)]


def _requests(calls: Sequence[ScriptedCall], number: int, where: str) -> tuple[ToolRequest, ...]:
    return tuple(
        ToolRequest(call.id or f"call_{number}_{where}_{index}", call.name, call.arguments)
        for index, call in enumerate(calls)
    )


def _lengthened(call: ToolRequest, text: str) -> ToolRequest:
    """The call with the text in its arguments: as a comment in code, else in the summary of a result."""
    try:
        fields = json.loads(call.arguments)
    except ValueError:
        return replace(call, arguments=call.arguments + text)
    for name in _CODE_FIELDS:
        if name in fields:
            fields[name] += f"\n# {text}\n"
            break
    else:
        if "summary" in fields:
            fields["summary"] += f" {text}"
    return replace(call, arguments=json.dumps(fields, ensure_ascii=False))
