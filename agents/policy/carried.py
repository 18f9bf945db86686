"""What one step's output carries to later steps in a line that the policy can read back.

The outputs' fields are text for people and for LLMs. The profile of the inputs stands as the last line of
``feature_analysis``, the candidate as the last line of the plan's ``model_architecture_instructions``.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from agents.policy.conversation import GaveUp
from agents.recipes.catalogue import Candidate, InputKind, InputProfile, candidates
from agents.steps.facts import IterationFacts, StepFacts
from agents.vocabulary import SplitName, StepName, TaskType

NOTE: Final = "note: "
PROFILE: Final = "profile: "
CANDIDATE: Final = "candidate: "


def profile_line(profile: InputProfile) -> str:
    """The profile as one line."""
    return PROFILE + json.dumps(asdict(profile), ensure_ascii=False, separators=(",", ":"))


def candidate_line(candidate: Candidate) -> str:
    """The candidate as one line."""
    value = {
        "representation": candidate.representation,
        "family": candidate.family,
        "hyperparameters": dict(candidate.hyperparameters),
    }
    return CANDIDATE + json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def profile_of(value: Mapping[str, Any]) -> InputProfile:
    """The profile that a JSON object stands for; raises ``KeyError`` or ``ValueError`` for another object."""
    return InputProfile(
        kind=InputKind(value["kind"]),
        sequence_columns=tuple(value["sequence_columns"]),
        alphabet=dict(value["alphabet"]),
        numeric_columns=tuple(value["numeric_columns"]),
        categorical_columns=tuple(value["categorical_columns"]),
        rows=int(value["rows"]),
        task_type=TaskType(value["task_type"]),
        classes=int(value["classes"]),
        fixed_length=bool(value["fixed_length"]),
    )


def find_profile(text: str) -> InputProfile | None:
    """The profile that stands in a text."""
    value = _find(PROFILE, text)
    try:
        return profile_of(value) if value else None
    except (KeyError, ValueError, TypeError):
        return None


def find_candidate(text: str) -> Candidate | None:
    """The candidate that stands in a text."""
    value = _find(CANDIDATE, text)
    try:
        return Candidate(value["representation"], value["family"], value["hyperparameters"]) if value else None
    except KeyError:
        return None


def _find(prefix: str, text: str) -> dict[str, Any] | None:
    for line in reversed(text.splitlines()):
        if line.startswith(prefix):
            try:
                value = json.loads(line.removeprefix(prefix))
            except ValueError:
                return None
            return value if isinstance(value, dict) else None
    return None


def known_profile(facts: StepFacts) -> InputProfile | None:
    """The newest profile that an exploration of this run found."""
    newest_first = (facts.outputs, *(past.outputs for past in reversed(facts.history)))
    found = (_profile_in(outputs) for outputs in newest_first)
    return next((profile for profile in found if profile), None)


def _profile_in(outputs: Mapping[StepName, Mapping[str, Any]]) -> InputProfile | None:
    """The exploration's, or that of the representation where the exploration was skipped."""
    explored = outputs.get(StepName.DATA_EXPLORATION, {}).get("feature_analysis", "")
    represented = outputs.get(StepName.DATA_REPRESENTATION, {}).get("representation", "")
    return find_profile(str(explored)) or find_profile(str(represented))


def same(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates would train the same model."""
    return (one.representation, one.family, dict(one.hyperparameters)) == (
        other.representation,
        other.family,
        dict(other.hyperparameters),
    )


def tried_candidate(past: IterationFacts, profile: InputProfile, before: Iterable[Candidate]) -> Candidate | None:
    """What an earlier iteration was about: the candidate of its plan, or the one that the rules gave it then."""
    plan = past.outputs.get(StepName.ITERATION_PLAN)
    if plan is None:
        return None
    return _resolve(plan, profile, before)


def chosen_candidate(facts: StepFacts, profile: InputProfile) -> Candidate:
    """What this iteration builds."""
    return _resolve(facts.plan or {}, profile, tried(facts, profile))


def split_folder(facts: StepFacts, name: SplitName) -> Path:
    """A folder of the split in force; raises :class:`GaveUp` where there is none."""
    if facts.paths.split is None:
        raise GaveUp("There is no split yet, so there is nothing to train on.")
    return Path(facts.paths.split[name])


def tried(facts: StepFacts, profile: InputProfile) -> list[Candidate]:
    """The candidates of all earlier iterations, also of failed ones, in their order."""
    found: list[Candidate] = []
    for past in facts.history:
        candidate = tried_candidate(past, profile, found)
        if candidate is not None:
            found.append(candidate)
    return found


def _resolve(plan: Mapping[str, Any], profile: InputProfile, before: Iterable[Candidate]) -> Candidate:
    """A plan without a candidate line (the first one, or one that an LLM wrote) is met by the catalogue."""
    stated = find_candidate(str(plan.get("model_architecture_instructions", "")))
    if stated is not None:
        return stated
    known = candidates(profile)
    instructions = str(plan.get("model_architecture_instructions", "")).splitlines()
    words = " ".join([str(plan.get("combination", "")), *(line for line in instructions if not line.startswith(NOTE))])
    done = list(before)
    named = [candidate for candidate in known if any(names(words, phrase) for phrase in family_names(candidate))]
    for candidate in (*named, *known):
        if not any(same(candidate, other) for other in done):
            return candidate
    return (named or list(known))[0]


def family_names(candidate: Candidate) -> tuple[str, str]:
    """The model family as code and as a person reads it."""
    return candidate.family, candidate.combination.rpartition(" + ")[2]


def representation_names(candidate: Candidate) -> tuple[str, str]:
    """The representation as code and as a person reads it."""
    return candidate.representation, candidate.combination.rpartition(" + ")[0] or candidate.representation


def names(text: str, phrase: str) -> bool:
    """Whether ``text`` has the words of ``phrase``, however they are cased, hyphenated or put in the plural."""
    words = [re.escape(word.rstrip("s")) + "s?" for word in re.split(r"[^a-z0-9]+", phrase.lower()) if word]
    return bool(words) and re.search(r"\b" + r"[\s_-]*".join(words) + r"\b", text.lower()) is not None
