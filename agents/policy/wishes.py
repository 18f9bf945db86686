"""What a person's notes ask for, as far as a program without an LLM can tell."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.policy.carried import family_names, names, representation_names
from agents.policy.history import Trials
from agents.recipes.catalogue import Candidate

_CLAUSE = re.compile(r"[.;!?\n]+|,|\bbut\b", re.IGNORECASE)
_AGAINST = re.compile(r"\b(avoid|no|not|never|without|skip|stop|except|drop|leave out|don'?t)\b", re.IGNORECASE)
_INSTEAD_OF = re.compile(r"\b(instead of|rather than)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Wishes:
    """Names of model families and representations that notes ask for or ask to avoid."""

    wanted: frozenset[str] = frozenset()
    avoided: frozenset[str] = frozenset()

    def wants(self, candidate: Candidate) -> bool:
        return self.degree(candidate) > 0

    def degree(self, candidate: Candidate) -> int:
        """How many of the wanted names the candidate has."""
        return len(self.wanted & {candidate.family, candidate.representation})

    def avoids(self, candidate: Candidate) -> bool:
        return bool(self.avoided & {candidate.family, candidate.representation})


Notes = Sequence[tuple[int, str]]
"""Notes in their order, each with the iteration that was planned when it came."""


def open_wishes(notes: Notes, known: Iterable[Candidate], trials: Trials) -> Wishes:
    """What the notes still ask for: a wish is met by a trial since the note that has it; what is avoided stays so.

    A later note overrules an earlier one.
    """
    vocabulary = _vocabulary(known)
    wanted: set[str] = set()
    avoided: set[str] = set()
    for since, note in notes:
        found = wishes(note, vocabulary)
        met = [trial.candidate for trial in trials.all if trial.iteration >= since and not trial.failure]
        done = {name for candidate in met for name in (candidate.family, candidate.representation)}
        wanted = (wanted - found.avoided) | (found.wanted - done)
        avoided = (avoided - found.wanted) | found.avoided
    return Wishes(frozenset(wanted), frozenset(avoided))


def wishes(note: str, vocabulary: Mapping[str, str]) -> Wishes:
    """What one note asks for. ``vocabulary`` maps phrases to codes of families and representations."""
    wanted: set[str] = set()
    avoided: set[str] = set()
    for clause, against in _clauses(note):
        (avoided if against else wanted).update(_named(clause, vocabulary))
    return Wishes(frozenset(wanted), frozenset(avoided))


def _vocabulary(known: Iterable[Candidate]) -> dict[str, str]:
    found: dict[str, str] = {}
    for candidate in known:
        found |= dict.fromkeys(family_names(candidate), candidate.family)
        found |= dict.fromkeys(representation_names(candidate), candidate.representation)
    return found


def _clauses(note: str) -> Iterable[tuple[str, bool]]:
    """Pieces of a note, each with whether it speaks against what it names."""
    for clause in _CLAUSE.split(_INSTEAD_OF.sub("; avoid ", note)):
        yield clause, _AGAINST.search(clause) is not None


def _named(clause: str, vocabulary: Mapping[str, str]) -> list[str]:
    """What a clause names; a phrase that is part of a longer one that is also named does not count."""
    found = [phrase for phrase in vocabulary if names(clause, phrase)]
    whole = [
        phrase for phrase in found if not any(len(other) > len(phrase) and names(other, phrase) for other in found)
    ]
    return list(dict.fromkeys(vocabulary[phrase] for phrase in whole))
