"""A candidate as the settings of its scripts: which blocks of features, which steps before the model, which model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agents.recipes.candidate import ENSEMBLE, FEATURE_PREFIX, Candidate, InputKind, InputProfile, Setting

TREES: Final = frozenset({"hist_gradient_boosting", "extra_trees", "random_forest"})
"""Families that need no scales and handle missing numbers."""

FAST_TO: Final = {"svm": 20_000, "knn": 50_000, "mlp": 100_000}
"""Rows of train up to which a family is worth its time."""

_SEQUENCE_PARTS: Final = {
    "composition": ["composition"],
    "kmers": ["composition", "kmers"],
    "kmer_counts": ["kmers"],
    "gapped_kmers": ["composition", "gapped"],
    "physicochemical": ["composition", "physicochemical"],
    "positions": ["positions"],
    "combined": ["composition", "kmers", "gapped", "physicochemical", "positions"],
}


@dataclass(frozen=True)
class Specification:
    """What CONFIG of train.py says about the members that are fitted; one, or several that are averaged."""

    members: list[dict[str, Any]]


def specify(profile: InputProfile, candidate: Candidate) -> Specification:
    """The settings of ``candidate``; raises ValueError for a representation or family that does not fit the profile."""
    if candidate.family != ENSEMBLE:
        return Specification([_member(profile, candidate, title="")])
    members = members_of(candidate)
    titles = [f"{member.combination}: " for member in members]
    return Specification([_member(profile, one, title=title) for one, title in zip(members, titles, strict=True)])


def join_members(members: list[Candidate]) -> dict[str, Setting]:
    """Members as the hyper-parameters of an ensemble: ``1.family``, ``1.C``, …"""
    joined: dict[str, Setting] = {}
    for number, member in enumerate(members, start=1):
        joined[f"{number}.representation"] = member.representation
        joined[f"{number}.family"] = member.family
        joined.update({f"{number}.{name}": value for name, value in member.hyperparameters.items()})
    return joined


def members_of(candidate: Candidate) -> list[Candidate]:
    """The members of an ensemble, the reverse of :func:`join_members`."""
    settings: dict[str, dict[str, Setting]] = {}
    for key, value in candidate.hyperparameters.items():
        number, _, name = key.partition(".")
        settings.setdefault(number, {})[name] = value
    return [
        Candidate(str(member.pop("representation")), str(member.pop("family")), member)
        for _, member in sorted(settings.items())
    ]


def split_settings(settings: Mapping[str, Setting]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the representation (without their prefix) and of the model."""
    of_features = {
        name.removeprefix(FEATURE_PREFIX): value for name, value in settings.items() if name.startswith(FEATURE_PREFIX)
    }
    return of_features, {name: value for name, value in settings.items() if not name.startswith(FEATURE_PREFIX)}


def _member(profile: InputProfile, candidate: Candidate, *, title: str) -> dict[str, Any]:
    of_features, of_model = split_settings(candidate.hyperparameters)
    return {
        "title": title,
        "features": _blocks(profile, candidate, of_features),
        "preprocessing": _preprocessing(candidate, of_features),
        "family": candidate.family,
        "settings": of_model,
    }


def _preprocessing(candidate: Candidate, settings: dict[str, Any]) -> dict[str, Any]:
    steps: dict[str, Any] = {}
    if settings.get("select"):
        steps["select"] = settings["select"]
    if candidate.representation == "normal_scores":
        steps["scale"] = "quantile"
    elif candidate.family not in TREES and candidate.representation != "kmer_counts":
        steps["scale"] = "standard"
    if settings.get("components"):
        steps["components"] = settings["components"]
    return steps


def _blocks(profile: InputProfile, candidate: Candidate, settings: dict[str, Any]) -> list[dict[str, Any]]:
    impute = candidate.family not in TREES
    numeric, categorical = list(profile.numeric_columns), list(profile.categorical_columns)
    if profile.kind is InputKind.EXPRESSION:
        blocks = [_block("ExpressionFeatures", numeric=numeric, ranks=candidate.representation == "sample_ranks")]
        numeric = []
    elif profile.kind is InputKind.TABLE:
        blocks = []
    else:
        blocks = _sequence_blocks(profile, candidate, settings)
    if numeric or categorical:
        blocks.append(_block("TableFeatures", numeric=numeric, categorical=categorical, impute=impute))
    return blocks


def _sequence_blocks(profile: InputProfile, candidate: Candidate, settings: dict[str, Any]) -> list[dict[str, Any]]:
    name = candidate.representation
    blocks: list[dict[str, Any]] = []
    columns = list(profile.sequence_columns)
    pairing = name.startswith("pairing")
    if pairing:
        blocks.append(_block("PairingFeatures", columns=columns[:2]))
        if name == "pairing":
            return blocks
        name = "kmers"
    if name not in _SEQUENCE_PARTS:
        raise ValueError(f"{name!r} is no representation of sequences")
    for column in columns:
        alphabet = profile.alphabet[column]
        parts = [part for part in _SEQUENCE_PARTS[name] if part != "physicochemical" or alphabet == "protein"]
        word = settings.get("k") or (2 if alphabet == "protein" else 3)
        options: dict[str, Any] = {
            "column": column,
            "alphabet": alphabet,
            "parts": parts,
            "k": word,
            "counts": name == "kmer_counts",
        }
        if settings.get("window") or name == "combined":
            options["window"] = settings.get("window", 5)
        blocks.append(_block("SequenceFeatures", **options))
    return blocks


def _block(name: str, **options: Any) -> dict[str, Any]:
    return {"block": name, "options": options}
