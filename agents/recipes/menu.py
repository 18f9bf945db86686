"""Which candidates fit a profile, in which order, and what to change about a promising one.

The order is that of held-out scores on real data of each kind, models that differ in kind first. It follows from the
kind of the inputs, the alphabet, the task and the number of rows only.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final

from agents.recipes.candidate import ENSEMBLE, Candidate, InputKind, InputProfile, Setting
from agents.recipes.specification import FAST_TO, join_members

_LINEAR: Final = "linear"
"""Stands for logistic regression or, for numbers, ridge regression."""

_TABLE: Final = (
    ("standardised", _LINEAR),
    ("raw_values", "hist_gradient_boosting"),
    ("normal_scores", "svm"),
    ("raw_values", "extra_trees"),
    ("standardised", "mlp"),
    ("standardised", "elastic_net"),
    ("normal_scores", "mlp"),
    ("raw_values", "random_forest"),
    ("normal_scores", _LINEAR),
    ("standardised", "svm"),
    ("standardised", "knn"),
)
_EXPRESSION: Final = (
    ("expression_values", _LINEAR),
    ("sample_ranks", "extra_trees"),
    ("expression_values", "elastic_net"),
    ("principal_components", "svm"),
    ("expression_values", "svm"),
    ("sample_ranks", _LINEAR),
    ("principal_components", "mlp"),
    ("selected_columns", "random_forest"),
    ("expression_values", "extra_trees"),
    ("principal_components", "knn"),
    ("expression_values", "hist_gradient_boosting"),
)
_PROTEIN: Final = (
    ("composition", _LINEAR),
    ("combined", "hist_gradient_boosting"),
    ("positions", "extra_trees"),
    ("combined", "svm"),
    ("combined", "extra_trees"),
    ("positions", _LINEAR),
    ("combined", "mlp"),
    ("gapped_kmers", "hist_gradient_boosting"),
    ("physicochemical", "svm"),
    ("positions", "svm"),
    ("kmers", "random_forest"),
    ("physicochemical", "knn"),
)
_FIXED_LENGTH: Final = (
    ("positions", _LINEAR),
    ("positions", "svm"),
    ("positions", "hist_gradient_boosting"),
    ("positions", "extra_trees"),
    ("combined", _LINEAR),
    ("positions", "mlp"),
    ("combined", "svm"),
    ("kmers", "elastic_net"),
    ("composition", "hist_gradient_boosting"),
    ("gapped_kmers", "extra_trees"),
    ("positions", "knn"),
)
_NUCLEIC: Final = (
    ("kmers", _LINEAR),
    ("combined", "hist_gradient_boosting"),
    ("gapped_kmers", "extra_trees"),
    ("kmers", "svm"),
    ("positions", "mlp"),
    ("combined", "svm"),
    ("positions", _LINEAR),
    ("kmers", "hist_gradient_boosting"),
    ("gapped_kmers", "random_forest"),
    ("composition", "knn"),
)
_PAIRING: Final = (
    ("pairing", _LINEAR),
    ("pairing_kmers", "hist_gradient_boosting"),
    ("pairing", "mlp"),
    ("pairing", "extra_trees"),
    ("pairing_kmers", "mlp"),
    ("pairing", "hist_gradient_boosting"),
    ("pairing", "svm"),
    ("pairing_kmers", "random_forest"),
    ("kmers", "hist_gradient_boosting"),
    ("kmers", _LINEAR),
)
_FOR_CLASSES: Final = {
    InputKind.TABLE: (("normal_scores", "naive_bayes"),),
    InputKind.EXPRESSION: (("expression_values", "linear_svm"), ("expression_values", "centroids")),
    InputKind.SEQUENCE: (("kmer_counts", "naive_bayes"),),
    InputKind.SEQUENCE_PAIR: (("kmer_counts", "naive_bayes"),),
}
_FOR_NUMBERS: Final = {InputKind.TABLE: (), InputKind.EXPRESSION: (("expression_values", "pls"),)}
_STARTING_SETTINGS: Final[Mapping[str, dict[str, Setting]]] = {
    "selected_columns": {"features.select": 30},
    "principal_components": {"features.components": 20},
    "kmer_counts": {"counts": True},
}
_SLOW_ON_MANY_FEATURES: Final = frozenset(
    product(("combined", "positions", "gapped_kmers"), ("hist_gradient_boosting", "svm"))
)
"""These start from the 400 features that tell most."""

_REFINED_MODEL: Final[Mapping[str, tuple[tuple[str, tuple[Setting, ...]], ...]]] = {
    "logistic": (("C", (0.003, 0.03, 0.3)),),
    "ridge": (("alpha", (100.0, 10.0, 1000.0)),),
    "elastic_net": (("l1_ratio", (0.9, 0.1)),),
    "pls": (("components", (4, 15)),),
    "svm": (("C", (3.0, 0.3, 10.0)), ("width", (0.5, 2.0))),
    "linear_svm": (("C", (0.001, 0.1)),),
    "hist_gradient_boosting": (
        ("learning_rate", (0.04, 0.15)),
        ("max_leaf_nodes", (5, 15)),
        ("max_features", (0.1, 0.5)),
        ("min_samples_leaf", (40, 5)),
        ("l2_regularization", (10.0,)),
    ),
    "extra_trees": (("max_features", (0.2, "log2")), ("min_samples_leaf", (1, 5)), ("n_estimators", (600,))),
    "random_forest": (("max_features", (0.2, "log2")), ("min_samples_leaf", (1, 5)), ("n_estimators", (600,))),
    "knn": (("k", (8, 20, 40)),),
    "naive_bayes": (("var_smoothing", (0.1, 1e-3)),),
    "centroids": (("shrink", (1.5, 0.25)),),
    "mlp": (("alpha", (3.0, 0.1)), ("hidden", (128, 24)), ("learning_rate", (0.0003,))),
}
_REFINED_FEATURES: Final[Mapping[str, tuple[tuple[str, tuple[Setting, ...]], ...]]] = {
    "selected_columns": (("features.select", (60, 15)),),
    "principal_components": (("features.components", (10, 40)),),
    "combined": (("features.select", (700, 200)), ("features.window", (8,))),
    "positions": (("features.window", (25, 8)),),
}
_NEIGHBOURS: Final = {
    "standardised": "normal_scores",
    "normal_scores": "standardised",
    "expression_values": "sample_ranks",
    "sample_ranks": "expression_values",
    "pairing": "pairing_kmers",
    "pairing_kmers": "pairing",
    "kmers": "combined",
    "gapped_kmers": "combined",
    "physicochemical": "combined",
    "composition": "combined",
    "positions": "combined",
}
"""The representation that differs by one block of features."""


def candidates(profile: InputProfile) -> tuple[Candidate, ...]:
    """Candidates for these inputs: first a simple baseline, then others that differ in kind. Each is distinct."""
    is_classification = profile.task_type.is_classification
    listed = list(_listed(profile))
    listed += _FOR_CLASSES[profile.kind] if is_classification else _FOR_NUMBERS.get(profile.kind, ())
    linear = "logistic" if is_classification else "ridge"
    named = [(representation, linear if family == _LINEAR else family) for representation, family in listed]
    return tuple(
        Candidate(representation, family, _starting_settings(representation, family))
        for representation, family in named
        if profile.rows <= FAST_TO.get(family, profile.rows)
    )


def _listed(profile: InputProfile) -> tuple[tuple[str, str], ...]:
    if profile.kind is InputKind.TABLE:
        return _TABLE
    if profile.kind is InputKind.EXPRESSION:
        return _EXPRESSION
    is_nucleic = "protein" not in profile.alphabet.values()
    if profile.kind is InputKind.SEQUENCE_PAIR and is_nucleic:
        return _PAIRING
    if profile.fixed_length:
        return _FIXED_LENGTH
    return _NUCLEIC if is_nucleic else _PROTEIN


def _starting_settings(representation: str, family: str) -> dict[str, Setting]:
    if (representation, family) in _SLOW_ON_MANY_FEATURES:
        return {"features.select": 400}
    return dict(_STARTING_SETTINGS.get(representation, {}))


def refinements(profile: InputProfile, candidate: Candidate) -> tuple[Candidate, ...]:
    """Changes of one thing about ``candidate``, the most promising first; never ``candidate`` itself.

    One hyper-parameter, one setting of the features or one block of features is changed. An ensemble has none.
    """
    if candidate.family == ENSEMBLE:
        return ()
    tried = [*_interleaved(_model_changes(candidate), _feature_changes(profile, candidate))]
    distinct: list[Candidate] = []
    for change in tried:
        if change != candidate and change not in distinct:
            distinct.append(change)
    return tuple(distinct)


def _interleaved(*several: Iterator[Candidate]) -> Iterator[Candidate]:
    """One of each in turn, until all are used up."""
    waiting = list(several)
    while waiting:
        for one in list(waiting):
            item = next(one, None)
            if item is None:
                waiting.remove(one)
            else:
                yield item


def _model_changes(candidate: Candidate) -> Iterator[Candidate]:
    if candidate.representation == "kmer_counts":
        return
    yield from _settings_changed(candidate, _REFINED_MODEL[candidate.family])


def _feature_changes(profile: InputProfile, candidate: Candidate) -> Iterator[Candidate]:
    other = _NEIGHBOURS.get(candidate.representation)
    if other and any(one.representation == other for one in candidates(profile)):
        kept = {name: value for name, value in candidate.hyperparameters.items() if not name.startswith("features.")}
        yield Candidate(other, candidate.family, {**_starting_settings(other, candidate.family), **kept})
    yield from _settings_changed(candidate, _REFINED_FEATURES.get(candidate.representation, ()))
    if candidate.representation in ("kmers", "kmer_counts", "combined", "pairing_kmers"):
        is_protein = "protein" in profile.alphabet.values()
        yield from _settings_changed(candidate, (("features.k", (1, 3) if is_protein else (4, 2, 5)),))


def _settings_changed(candidate: Candidate, choices: Sequence[tuple[str, tuple[Setting, ...]]]) -> Iterator[Candidate]:
    """The first value of each setting, then the second of each, and so on."""
    for rank in range(max((len(values) for _, values in choices), default=0)):
        for name, values in choices:
            if rank < len(values):
                changed = {**candidate.hyperparameters, name: values[rank]}
                yield Candidate(candidate.representation, candidate.family, changed)


def ensemble(profile: InputProfile, members: Sequence[Candidate]) -> Candidate:
    """One candidate that averages two or three others; raises ValueError for other numbers and for nested ones."""
    if not 2 <= len(members) <= 3:
        raise ValueError(f"an ensemble has two or three members, not {len(members)}")
    if any(member.family == ENSEMBLE for member in members):
        raise ValueError("an ensemble cannot be a member of another")
    return Candidate(ENSEMBLE, ENSEMBLE, join_members(list(members)))
