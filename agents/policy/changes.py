"""What a refinement changes about a candidate, and which way that moves what the model can fit."""

from collections.abc import Mapping
from math import nan
from typing import Final

from agents.recipes.candidate import FEATURE_PREFIX, Candidate, Setting

CAPACITY: Final[Mapping[str, int]] = {
    "C": 1,
    "alpha": -1,
    "components": 1,
    "hidden": 1,
    "k": -1,
    "l2_regularization": -1,
    "learning_rate": 1,
    "max_features": 1,
    "max_leaf_nodes": 1,
    "min_samples_leaf": -1,
    "shrink": -1,
    "var_smoothing": -1,
    "width": 1,
    "features.components": 1,
    "features.k": 1,
    "features.select": 1,
    "features.window": 1,
}
"""Setting to +1 where a larger value lets the model fit more, -1 where it lets it fit less."""

USUAL: Final[Mapping[tuple[str, str], Setting]] = {
    ("elastic_net", "l1_ratio"): 0.5,
    ("extra_trees", "min_samples_leaf"): 2,
    ("extra_trees", "n_estimators"): 300,
    ("hist_gradient_boosting", "l2_regularization"): 1.0,
    ("hist_gradient_boosting", "learning_rate"): 0.08,
    ("hist_gradient_boosting", "max_features"): 0.2,
    ("hist_gradient_boosting", "max_leaf_nodes"): 8,
    ("hist_gradient_boosting", "min_samples_leaf"): 15,
    ("linear_svm", "C"): 0.01,
    ("mlp", "alpha"): 1.0,
    ("mlp", "hidden"): 64,
    ("mlp", "learning_rate"): 0.001,
    ("naive_bayes", "var_smoothing"): 0.01,
    ("pls", "components"): 8,
    ("random_forest", "min_samples_leaf"): 2,
    ("random_forest", "n_estimators"): 300,
    ("svm", "C"): 1.0,
    ("svm", "width"): 1.0,
}
"""Family and setting to the value that the recipe takes where a candidate names none. What a recipe chooses by
cross-validation, or by the data, is not here."""


def changed(old: Candidate, new: Candidate) -> dict[str, tuple[Setting, Setting]]:
    """Settings that differ, each with the old and the new value; None for one that is chosen by the recipe."""
    names = dict.fromkeys((*old.hyperparameters, *new.hyperparameters))
    pairs = {name: (_value(old, name), _value(new, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def capacity_change(old: Candidate, new: Candidate) -> int:
    """+1 where the change lets the model fit more, -1 where it lets it fit less, 0 where that cannot be told."""
    if old.combination != new.combination:
        return 0
    total = 0
    for name, (before, after) in changed(old, new).items():
        low, high = _number(before), _number(after)
        total += CAPACITY.get(name, 0) * ((high > low) - (high < low))
    return (total > 0) - (total < 0)


def changes_features(old: Candidate, new: Candidate) -> bool:
    """Whether the change is one of the representation."""
    if old.representation != new.representation:
        return True
    return any(name.startswith(FEATURE_PREFIX) for name in changed(old, new))


def difference(old: Candidate, new: Candidate) -> str:
    """What a refinement changes, such as ``k-mers + extra trees: min_samples_leaf from 2 to 5.``"""
    if old.combination != new.combination:
        return f"{new.combination} instead of {old.combination}."
    parts = [_step(name, before, after) for name, (before, after) in changed(old, new).items()]
    return f"{new.combination}: {', '.join(parts)}." if parts else f"{new.combination}, unchanged."


def _step(name: str, before: Setting, after: Setting) -> str:
    if before is None:
        return f"{name} set to {after}"
    return f"{name} from {before} to {after}" if after is not None else f"{name} left to the recipe"


def _value(candidate: Candidate, name: str) -> Setting:
    return candidate.hyperparameters.get(name, USUAL.get((candidate.family, name)))


def _number(value: Setting) -> float:
    """A setting to compare by; NaN, which is neither more nor less, for words and what is not known."""
    return float(value) if isinstance(value, (int, float)) else nan
