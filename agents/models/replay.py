"""``replay:RUN`` as a model: the replies of a recorded run, so that it can be led again, exactly and offline.

A reply is found by its place: iteration, step, and turn of the conversation. What is asked there is compared with what
was asked in the recorded run; where it differs in more than the run's folder and how long things took, that is told
with a diff, and the recorded reply is given all the same.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.models.gateway import (
    Delta,
    Listener,
    Message,
    ModelFacts,
    ModelRefused,
    ModelReply,
    ModelRequest,
    ToolRequest,
)
from agents.steps.facts import StepFacts
from agents.vocabulary import REPLAY, StepName

_DIFF_LINES: Final = 40
_TIMES: Final = (
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s|min|h)\b"), "N s"),
    (re.compile(r'("(?:seconds|time_left|created|time|started)": )(?:[\d.]+|null|"[^"]*")'), r"\1N"),
)
"""What differs from run to run and means nothing."""


_NUMBERED: Final = re.compile(r"tool_calls/\d+\.|tool call \d+")
"""Where a tool's output lies: a step that begins again has other numbers."""


class RecordedCall(BaseModel):
    """``model_calls/000017.json`` as far as somebody needs it who gives its reply again."""

    model_config = ConfigDict(extra="ignore")

    call: int
    model: str = ""
    iteration: int | None
    step: StepName | None
    messages_before: int
    new_messages: list[Message]
    reply: dict[str, Any] | None
    error: str | None = None
    repeats: int | None = None


_REPLY_FIELDS: Final = frozenset(
    {
        *("role", "content", "tool_calls", "reasoning", "finish_reason"),
        *("input_tokens", "output_tokens", "cached_tokens", "cost_usd"),
    }
)
"""What a record says of a reply; the rest of it is what the provider wants back."""
Place = tuple[int | None, StepName | None]


@dataclass
class _Conversation:
    """What was asked and answered in one step, turn by turn."""

    turns: list[tuple[RecordedCall, list[Message]]] = field(default_factory=list)
    """Each call that was answered, with the whole conversation that it carried."""
    failed: RecordedCall | None = None
    """The call that got no answer, where the conversation ended with one."""


@dataclass
class ReplayGateway:
    """Answers from the model calls of ``recorded``, a run's folder, for a run in ``root``."""

    recorded: Path
    root: Path
    _told: set[str] = field(default_factory=set)
    """Differences that were told: the same one stands in every later request of its conversation."""

    async def complete(self, request: ModelRequest, listener: Listener) -> ModelReply:
        """The recorded reply; raises :class:`ModelRefused` where the recorded run made no call at this place."""
        facts = StepFacts.find(str(request.messages[1]["content"])) if len(request.messages) > 1 else None
        if facts is None:
            raise ModelRefused(f"{request.model}: the request is no step of a run")
        turn = sum(message["role"] == "assistant" for message in request.messages)
        conversation = self._conversations.get((facts.iteration, facts.step))
        if conversation is None or turn >= len(conversation.turns):
            raise ModelRefused(f"{request.model}: {_what_there_is(conversation, facts, turn)}")
        call, messages = conversation.turns[turn]
        if diff := self._new_difference(messages, request.messages):
            listener.diverged(call.call, diff)
        reply = self._reply(call)
        for delta in _deltas(reply):
            listener.heard(delta)
        return reply

    def facts(self, model: str) -> ModelFacts:
        return ModelFacts(input_price=0.0, output_price=0.0, takes_tools=True, counts_tokens=False)

    @cached_property
    def _conversations(self) -> dict[Place, _Conversation]:
        """The last conversation of each step: an interrupted one begins again when the run is taken up."""
        found: dict[Place, _Conversation] = {}
        messages: list[Message] = []
        for call in recorded_calls(self.recorded):
            messages = [*messages[: call.messages_before], *call.new_messages]
            place = (call.iteration, call.step)
            begins = not any(message["role"] == "assistant" for message in messages)
            if begins or place not in found:
                found[place] = _Conversation()
            found[place].failed = call if call.reply is None else None
            if call.reply is not None:
                found[place].turns.append((call, messages))
        return found

    def _reply(self, call: RecordedCall) -> ModelReply:
        """The recorded reply with the paths of this run; it costs nothing."""
        reply = reply_of(json.loads(json.dumps(call.reply).replace(str(self.recorded), str(self.root))))
        return replace(reply, input_tokens=0, output_tokens=0, cached_tokens=0, cost_usd=0.0)

    def _new_difference(self, recorded: Sequence[Message], asked: Sequence[Message]) -> str:
        """A diff of the first message that is another one and was not told yet; empty where there is none."""
        for before, now in zip(recorded, asked, strict=False):
            old, new = self._plain(before, self.recorded), self._plain(now, self.root)
            if old != new and (diff := _diff(old, new)) not in self._told:
                self._told.add(diff)
                return diff
        if len(recorded) != len(asked):
            return f"{len(recorded)} messages were recorded, {len(asked)} are asked"
        return ""

    def _plain(self, message: Message, root: Path) -> str:
        """A message as text, without the run's folder, without either run's id and how long things took."""
        text = plain(message).replace(str(root), "RUN")
        for name in (self.recorded.name, self.root.name):  # in both texts: an id may be a word of the prompts
            text = text.replace(name, "RUN")
        return text


def plain(message: Message) -> str:
    """A message as text, without how long things took and what number a tool call had."""
    calls = message.get("tool_calls") or ()
    parts = [str(message.get("role")), str(message.get("content") or "")]
    parts += [f"{call['function']['name']} {call['function']['arguments']}" for call in calls]
    text = _NUMBERED.sub("tool call N", "\n".join(parts))
    for pattern, instead in _TIMES:
        text = pattern.sub(instead, text)
    return text


def reply_of(recorded: Mapping[str, Any]) -> ModelReply:
    """The reply that a model call's record holds."""
    made = recorded.get("tool_calls") or ()
    return ModelReply(
        text=recorded.get("content") or "",
        tool_calls=tuple(
            ToolRequest(
                call["id"],
                call["function"]["name"],
                call["function"]["arguments"],
                {name: value for name, value in call.items() if name not in ("id", "type", "function")},
            )
            for call in made
        ),
        reasoning=recorded.get("reasoning") or "",
        input_tokens=recorded.get("input_tokens") or 0,
        output_tokens=recorded.get("output_tokens") or 0,
        cached_tokens=recorded.get("cached_tokens") or 0,
        cost_usd=recorded.get("cost_usd"),
        finish_reason=recorded.get("finish_reason") or "",
        extra={name: value for name, value in recorded.items() if name not in _REPLY_FIELDS},
    )


def recorded_calls(run: Path) -> Iterator[RecordedCall]:
    """The model calls of a run in their order; raises :class:`ModelRefused` where one cannot be read."""
    for path in sorted((run / "model_calls").glob("*.json")):
        try:
            yield RecordedCall.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ModelRefused(f"{path}: cannot be replayed: {' '.join(str(error).split())[:200]}") from None


def problem_with_replay(model: str) -> str | None:
    """Why the run of ``replay:PATH`` cannot be replayed, in one line."""
    run = Path(model.removeprefix(REPLAY))
    if not (run / "model_calls").is_dir():
        return f"model {model!r}: {run} is no run with recorded model calls"
    if not any((run / "model_calls").glob("*.json")):
        return f"model {model!r}: the run made no model call"
    return None


def _what_there_is(conversation: _Conversation | None, facts: StepFacts, turn: int) -> str:
    """Why there is no reply to repeat."""
    where = f"step {facts.step.label} of iteration {facts.iteration}"
    if conversation is not None and conversation.failed is not None:
        call = conversation.failed
        return f"the recorded run got no reply to its call {call.call}, in {where}: {call.error}"
    return f"the recorded run made no call number {turn + 1} in {where}"


def _diff(old: str, new: str) -> str:
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), "recorded", "asked", lineterm="", n=1))
    more = len(lines) - _DIFF_LINES
    return "\n".join([*lines[:_DIFF_LINES], *([f"… {more} more lines"] if more > 0 else ())])


def _deltas(reply: ModelReply) -> Iterator[Delta]:
    if reply.reasoning:
        yield Delta("reasoning", reply.reasoning)
    if reply.text:
        yield Delta("text", reply.text)
    for index, call in enumerate(reply.tool_calls):
        yield Delta("tool", call.arguments, index, call.name)
