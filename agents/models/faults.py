"""What a failed request means: whether it may pass, how long to wait, and one line that a person understands.

Providers and litellm raise many classes; what counts is the HTTP status, a few words in the message, and whether there
was an answer at all.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from agents.models.gateway import ModelError, ModelRefused, RequestRefused, RequestTooLong

_TRANSIENT: Final = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_NOISE: Final = re.compile(r"^(?:litellm\.)?[A-Za-z_.]+(?:Error|Exception|Timeout)\s*(?::|-)\s*")
_TAIL: Final = re.compile(
    r"\s*(?:Original exception:|LiteLLM Retried|Received Model Group|Available Model Group).*$", re.S
)
_SOCKET: Final = re.compile(r" ssl:(?:<[^>]*>|\w+)| \[Connect call failed [^\]]*\]")
"""How aiohttp tells where it could not connect to: of no use to a person."""
_TOO_LONG: Final = re.compile(
    r"context_length_exceeded|context (?:length|window|size)|maximum context|prompt is too long|too many tokens"
    r"|input is too long|exceeds? the (?:model|available)[^.]*context",
    re.I,
)
_NO_CREDIT: Final = re.compile(r"insufficient_quota|exceeded your current quota|credit balance|payment required", re.I)
_WORDS: Final = {
    400: "the provider does not take this request",
    401: "the key was not accepted",
    402: "no credit is left",
    403: "the key gives no access to this",
    404: "there is no such model or address",
    408: "no answer in time",
    413: "the request is too large",
    429: "too many requests",
    500: "an error inside the provider",
    502: "the provider's gateway has no answer",
    503: "the provider is overloaded or down",
    504: "the provider's gateway got no answer in time",
    529: "the provider is overloaded",
}
_INSIDE: Final = (
    (
        re.compile(r"TransferEncodingError|ClientPayloadError|payload is not completed|peer closed connection", re.I),
        "the connection ended inside the reply",
    ),
    (
        re.compile(
            r"argument of type '|'\w+' object (?:is not|has no)|object is not (?:iterable|subscriptable|callable)"
            r"|(?:list|string|tuple) ind(?:ex|ices)|errors\.pydantic\.dev|validation errors? for|Expecting value: line"
            r"|codec can't decode|KeyError|unhashable type|unsupported operand"
        ),
        "what came is no reply of the kind that was asked for",
    ),
)
"""What libraries say of themselves when a reply is broken, and what that means to a person."""
_BROKE_OFF: Final = "MidStreamFallbackError"
_JSON: Final = json.JSONDecoder()
_LONGEST: Final = 300
LONGEST_WAIT: Final = 3600.0
"""Seconds that a provider may ask for; one that asks for more is asked again then."""


@dataclass(frozen=True)
class Fault:
    """A failed attempt."""

    error: ModelError
    may_pass: bool
    retry_after: float | None = None
    """Seconds that the provider asks to be left alone."""


class Broken(Exception):
    """A reply that came, but not whole; the message says how. It may come whole the next time."""


def fault_of(model: str, error: Exception, now: datetime, redact: Callable[[str], str] = str) -> Fault:
    """What ``error`` means for a request to ``model``; ``redact`` takes secrets out of it before it is cut."""
    if isinstance(error, ModelError):
        return Fault(error, may_pass=False)
    if isinstance(error, Broken):
        return Fault(ModelError(f"{model}: {error}"), may_pass=True)
    text = _message(error, redact)
    status = _status(error)
    kind = type(error).__name__
    if kind == "ContextWindowExceededError" or (status in {400, 413, None} and _TOO_LONG.search(str(error))):
        return Fault(RequestTooLong(f"{model}: the conversation is longer than the model's window: {text}"), False)
    if kind == "ContentPolicyViolationError":
        return Fault(RequestRefused(f"{model}: refused by the provider's content rules: {text}"), False)
    headline = _headline(status, kind, text)
    line = f"{model}: {headline}: {text}" if text else f"{model}: {headline}"
    if (status is None or status >= 500) and (broken := _inside(text)):
        line = f"{model}: {headline if kind == _BROKE_OFF else broken}"
    if _NO_CREDIT.search(str(error)):
        return Fault(ModelRefused(line), may_pass=False)
    if status is not None and status not in _TRANSIENT and status < 500:
        return Fault(ModelRefused(line), may_pass=False)
    return Fault(ModelError(line), may_pass=True, retry_after=_retry_after(error, now))


def refused_parameter(error: Exception, sent: set[str]) -> str | None:
    """Which of the optional parameters that were ``sent`` a refusal is about; None where it names none, or several.

    Providers say it in too many ways to look for more than the name; a request without it is worth one attempt.
    """
    if _status(error) not in {400, 422} and type(error).__name__ != "UnsupportedParamsError":
        return None
    text = _message(error, str)
    named = [name for name in sorted(sent) if re.search(rf"\b{name}\b", text)]
    return named[0] if len(named) == 1 else None


def _inside(text: str) -> str:
    """What is wrong with a reply of which only a library's own words are left; empty where a provider speaks."""
    return next((words for inner, words in _INSIDE if inner.search(text)), "")


def _headline(status: int | None, kind: str, text: str) -> str:
    if kind == _BROKE_OFF:
        return "the reply broke off"
    if text.startswith(("Cannot connect", "Connection error", "Server disconnected")):
        return "no connection"
    if status is None or kind == "APIConnectionError":
        return "no connection, or no answer that can be understood"
    words = _WORDS.get(status, "")
    return f"{words} (HTTP {status})" if words else f"HTTP {status}"


def _message(error: Exception, redact: Callable[[str], str]) -> str:
    text = " ".join(_TAIL.sub("", redact(str(error))).encode(errors="replace").decode().split())
    text = _SOCKET.sub("", text)
    while (shorter := _NOISE.sub("", text)) != text:
        text = shorter
    return _said(text)[:_LONGEST]


def _said(text: str) -> str:
    """What a provider says in words, where it says it in JSON."""
    start = text.find("{")
    if start < 0:
        return text
    try:
        body, _ = _JSON.raw_decode(text[start:])
    except (ValueError, RecursionError):
        return text
    error = body.get("error", body)
    words = error.get("message") if isinstance(error, dict) else error
    return " ".join(f"{text[:start]}{words}".split()) if isinstance(words, str) and words else text


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        try:
            status = int(status or "")
        except ValueError:
            return None
    return status


def _retry_after(error: Exception, now: datetime) -> float | None:
    for holder in (getattr(error, "litellm_response_headers", None), _headers(error)):
        if holder is None:
            continue
        seconds = _seconds(holder.get("retry-after-ms"), 0.001, now)
        if seconds is None:
            seconds = _seconds(holder.get("retry-after"), 1.0, now)
        if seconds is not None:
            return min(max(0.0, seconds), LONGEST_WAIT)
    return None


def _headers(error: Exception) -> Any:
    return getattr(getattr(error, "response", None), "headers", None)


def _seconds(value: object, unit: float, now: datetime) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        return float(value) * unit
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
