"""A reply while it comes, made readable: prose as it stands, tool calls without the escapes of their JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic_core import from_json

from agents.models.stream import ReplyProgress, ToolProgress
from agents.state import RunState
from screens.figures import count, ticking
from screens.plain import harmless, one_line
from screens.spending import asks_a_model

_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_MEANT: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WHOLE_LINE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\n")
"""An escaped line break; the backslashes before it are seen from their first one on."""
_LONG: Final = 60.0
"""Seconds after which a person may want to ask a model again."""


@dataclass(frozen=True)
class ReplyPart:
    """One part of a reply. Everything is harmless text."""

    label: str
    head: str
    """One line that stays in view while ``text`` grows below it; empty for prose."""
    text: str
    muted: bool = False


def reply_parts(reply: ReplyProgress) -> tuple[ReplyPart, ...]:
    """The parts that have come, in their order."""
    parts = []
    if reply.reasoning.strip():
        parts.append(ReplyPart("thinks", "", harmless(reply.reasoning).strip("\n"), muted=True))
    if reply.text.strip():
        parts.append(ReplyPart("says", "", harmless(reply.text).strip("\n")))
    for tool in reply.tools:
        head, text = readable(tool)
        parts.append(ReplyPart("writes", one_line(head), harmless(text).strip("\n")))
    return tuple(parts)


def waiting_words(state: RunState, reply: ReplyProgress, now: datetime) -> str:
    """How long a model has been asked, or when it is asked again, for a line that ticks; empty where none is.

    The built-in policy answers at once.
    """
    call = state.running_model_call
    if call is None or state.status.is_over or not asks_a_model(state):
        return ""
    if call.retry is not None:
        left = (call.retry.until - now).total_seconds()
        if left > 0:
            return f"asks again in {ticking(left + 0.999)} · a at once"
        if reply.is_empty:
            return f"asking again for {ticking(-left)}"
    seconds = state.active_since(call.started, now)
    hint = " · a asks again" if seconds >= _LONG else ""
    since = f"asks for {ticking(seconds)}" if reply.is_empty else f"answers for {ticking(seconds)}"
    return f"{since}{hint}" if reply.is_empty else f"{since}, {count(reply.size)} characters{hint}"


def readable(tool: ToolProgress) -> tuple[str, str]:
    """Tool and file in one line, and what else its arguments say so far, in lines."""
    given = _parsed(tool.head if tool.is_cut else tool.arguments)
    path = given.pop("path", None) if given else None
    head = f"{tool.name}  {path}" if isinstance(path, str) else tool.name
    if tool.is_cut:
        start = _WHOLE_LINE.search(tool.arguments, 1)
        return head, _unescaped(tool.arguments[start.end() if start else 0 :])
    if given is None:
        return tool.name, _unescaped(tool.arguments)
    only = next(iter(given.values())) if len(given) == 1 else None
    try:
        return head, only if isinstance(only, str) else "\n".join(_lines(given))
    except ValueError:  # a number of more digits than Python writes
        return tool.name, _unescaped(tool.arguments)


def _parsed(arguments: str) -> dict[str, object] | None:
    """What the beginning of a JSON object says; None where it is none."""
    try:
        given = from_json(arguments, allow_partial="trailing-strings")
    except ValueError:
        return None if arguments.strip() else {}
    return given if isinstance(given, dict) else None


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _entry(f"{key}:", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _entry("-", inner)
    elif isinstance(value, str):
        yield from value.split("\n")
    else:
        yield json.dumps(value)


def _entry(head: str, value: object) -> Iterator[str]:
    lines = list(_lines(value))
    if len(lines) == 1 and not isinstance(value, dict | list):
        yield f"{head} {lines[0]}"
    else:
        yield head
        yield from (f"  {line}" for line in lines)


def _unescaped(text: str) -> str:
    """A piece of JSON with its escapes resolved, for where it cannot be parsed."""

    def meant(escape: re.Match[str]) -> str:
        return chr(int(escape[1], 16)) if escape[1] else _MEANT.get(escape[2], escape[2])

    return _ESCAPE.sub(meant, text)
