"""The texts of a candidate's scripts, made once: a replay asks for the same ones at every model call."""

from collections.abc import Mapping
from functools import lru_cache

from agents.policy.carried import candidate_line, find_candidate, find_profile, profile_line
from agents.recipes.catalogue import Candidate, InputProfile, scripts
from agents.steps.facts import StepFacts


def script_texts(facts: StepFacts, profile: InputProfile, candidate: Candidate) -> Mapping[str, str]:
    """File name to text of ``features.py``, ``train.py`` and ``inference.py``."""
    return _texts(profile_line(profile), candidate_line(candidate), facts.seed, facts.task.metric)


@lru_cache(maxsize=16)
def _texts(profile_words: str, candidate_words: str, seed: int, metric: str) -> Mapping[str, str]:
    profile, candidate = find_profile(profile_words), find_candidate(candidate_words)
    assert profile is not None and candidate is not None
    return scripts(profile, candidate, seed=seed, metric=metric)
