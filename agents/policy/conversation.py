"""A step's conversation, replayed: the recorded messages go in, the policy's next move comes out.

A policy of a step is a generator. It yields :class:`Call` and is sent the text that the tool gave back; it returns
its last words when it gives up. Nothing is kept between two model calls: each time the generator is made anew and fed
with the results that the messages record. It is deterministic, so it comes to stand where it stood.
"""

import json
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.steps.facts import StepFacts
from agents.vocabulary import StepName

NO_LLM = (
    "I am the built-in policy, not an LLM: I follow notes that name a model family or a kind of features, such as "
    "'try extra trees' or 'avoid k-mers', when I plan an iteration."
)


@dataclass(frozen=True)
class Call:
    """One tool call, with what the policy says as it makes it."""

    saying: str
    tool: str
    arguments: Mapping[str, Any]


Moves = Generator[Call, str, str]
"""A step: yields calls, is sent their results, returns why it gives up."""

StepPolicy = Callable[[StepFacts, Sequence[str]], Moves]
"""Makes the moves of a step from its facts and from the notes that were there when it began."""


@dataclass(frozen=True)
class Move:
    """What the policy answers: words, and a call unless it gives up."""

    number: int
    text: str
    call: Call | None


class GaveUp(Exception):
    """A step cannot go on; the message says why, in words for a person."""


class ConversationError(ValueError):
    """The messages are no conversation that this policy has led."""


@dataclass
class Record:
    """A conversation as far as it has come."""

    facts: StepFacts
    opening_notes: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    """Names of the tools called so far."""
    results: list[str] = field(default_factory=list)
    new_notes: list[str] = field(default_factory=list)
    """What a person wrote after the policy's latest answer."""


def read(messages: Iterable[Mapping[str, Any]]) -> Record:
    """Sort the messages of an OpenAI-style conversation; raises :class:`ConversationError` where facts are missing."""
    record: Record | None = None
    results: dict[str, str] = {}
    asked: list[str] = []
    answered = gave_up = False
    for message in messages:
        role, text = message.get("role"), text_of(message.get("content"))
        if role == "user" and record is None:
            facts = StepFacts.find(text)
            record = Record(facts, _START_NOTE.findall(text)) if facts else None
        elif role == "user" and record is not None:
            if not gave_up:  # then it is the engine that asks for a call
                (record.new_notes if answered else record.opening_notes).append(_note(text))
        elif role == "assistant" and record is not None:
            answered, gave_up, record.new_notes = True, not message.get("tool_calls"), []
            for call in message.get("tool_calls") or ():
                asked.append(str(call["id"]))
                record.made.append(str(call["function"]["name"]))
        elif role == "tool":
            results[str(message.get("tool_call_id"))] = text
    if record is None:
        raise ConversationError("no user message has a <facts> block; the built-in policy works only inside a run")
    missing = [identity for identity in asked if identity not in results]
    if missing:
        raise ConversationError(f"tool call {missing[0]} has no result")
    record.results = [results[identity] for identity in asked]
    return record


_START_NOTE: Final = re.compile(r"^The person who (?:started the run|watches) says: (.+(?:\n.+)*)", re.MULTILINE)
_PERSON: Final = re.compile(r"^A note from the person[^:\n]*:")


def _note(text: str) -> str:
    """A person's own words, without the engine's phrase before them."""
    return _PERSON.sub("", text.strip()).strip()


def text_of(content: object) -> str:
    """The text of a message's content, which is a string, a list of parts, or None."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""


def next_move(record: Record, policy: StepPolicy) -> Move:
    """Replay ``record`` through ``policy`` and return what it does next.

    Raises :class:`ConversationError` where the recorded calls are not those that the policy makes.
    """
    moves = policy(record.facts, tuple(record.opening_notes))
    planning = record.facts.step is StepName.ITERATION_PLAN
    notes = record.new_notes or (record.opening_notes if planning and not record.results else [])
    number = len(record.results)
    try:
        call = next(moves)
        for made, result in zip(record.made, record.results, strict=True):
            if made != call.tool:
                raise ConversationError(f"the conversation called {made} where the policy calls {call.tool}")
            call = moves.send(result)
    except StopIteration as end:
        return Move(number, _with_notes(str(end.value), notes), None)
    except GaveUp as why:
        return Move(number, _with_notes(str(why), notes), None)
    return Move(number, _with_notes(call.saying, notes), call)


def sentence(words: str) -> str:
    """Words as a sentence: a capital letter first, a full stop last."""
    words = words.strip()
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else ""


def _with_notes(saying: str, notes: Sequence[str]) -> str:
    if not notes:
        return saying
    read_back = " ".join(f"I have read the note {json.dumps(_short(note), ensure_ascii=False)}." for note in notes)
    return f"{read_back} {NO_LLM}\n{saying}"


def _short(note: str, limit: int = 200) -> str:
    return note if len(note) <= limit else f"{note[:limit]}…"
