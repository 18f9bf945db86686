"""Who says what the server answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from agents.models.gateway import Message, ModelReply
from agents.steps.facts import StepFacts
from agents.vocabulary import StepName
from tests.llm_server.conversation import facts_of, replies_in
from tests.support.expert import Turn, competent

ONE_BY_ONE: Final = frozenset({StepName.MODEL_TRAINING})
"""Steps in which the expert makes one call a reply, so that they have a middle."""


class Brain(Protocol):
    """Says what the server answers where nothing goes wrong. It is asked in the server's thread."""

    def answer(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], model: str) -> ModelReply:
        """The reply to this conversation."""


@dataclass
class ExpertBrain:
    """Does all nine steps well, out of nothing but the messages; ``instead`` as in ``tests.support.expert.Expert``.

    A reply that went wrong on its way, or was not the expert's, does not confuse it: it goes on with what is not done.
    What stands in ``instead`` gets the number of replies before it, whoever gave them.
    """

    instead: dict[tuple[int, StepName], Turn] = field(default_factory=dict)
    asked: list[tuple[int, StepName]] = field(default_factory=list)
    seen: dict[tuple[int, StepName], StepFacts] = field(default_factory=dict)

    def answer(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], model: str) -> ModelReply:
        facts = facts_of(messages)
        if facts is None:
            return ModelReply("I know nothing but the nine steps, and this is none of them.")
        place = (facts.iteration, facts.step)
        self.asked.append(place)
        self.seen[place] = facts
        said = replies_in(messages)
        reply = self.instead[place](facts, len(said)) if place in self.instead else _next(facts, said)
        calls = [replace(call, id=f"call_{len(said)}_{index}") for index, call in enumerate(reply.tool_calls)]
        return replace(reply, tool_calls=tuple(calls))


def _next(facts: StepFacts, said: Sequence[Message]) -> ModelReply:
    """The first of the step's replies that was not given yet; the last one again where all were."""
    replies = _replies(facts)
    done = 0
    for message in said:
        if done < len(replies) and _holds(message, replies[done]):
            done += 1
    return replies[min(done, len(replies) - 1)]


def _replies(facts: StepFacts) -> list[ModelReply]:
    replies = [competent(facts, 0)]
    while (following := competent(facts, len(replies))) != replies[-1]:
        replies.append(following)
    if facts.step not in ONE_BY_ONE:
        return replies
    return [replace(reply, tool_calls=(call,)) for reply in replies for call in reply.tool_calls]


def _holds(message: Message, reply: ModelReply) -> bool:
    """Whether the message makes all calls of the reply, perhaps among others and with longer texts."""
    made = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls") or ()]
    return all(
        any(name == call.name and _begins(arguments, call.arguments) for name, arguments in made)
        for call in reply.tool_calls
    )


def _begins(given: str, wanted: str) -> bool:
    try:
        fields, expected = json.loads(given), json.loads(wanted)
    except ValueError:
        return given == wanted
    if not isinstance(fields, dict) or fields.keys() != expected.keys():
        return False
    return all(
        fields[name] == value or (isinstance(value, str) and str(fields[name]).startswith(value))
        for name, value in expected.items()
    )
