"""A candidate in words that a person reads."""

from typing import Final

from agents.recipes.candidate import ENSEMBLE, Candidate, Description, InputKind, InputProfile
from agents.recipes.specification import TREES, members_of, split_settings

_ENDS: Final = "one-hot letter at each place (all places of sequences of one length, else both ends)"
_PARTS: Final = {
    "standardised": "numeric columns with medians for missing values, flags of what was missing, one-hot categories; "
    "scaled to mean 0 and variance 1",
    "normal_scores": "numeric columns as normal quantiles with flags of missing values, and one-hot categories",
    "raw_values": "numeric columns as they are, missing values left to the trees, and one-hot categories",
    "expression_values": "all columns that vary, on a log scale where the raw scale is skewed",
    "selected_columns": "the columns that differ most between labels by an F test, log scale where skewed",
    "principal_components": "principal components of the standardised columns, log scale where skewed",
    "sample_ranks": "rank of each column within its sample, which does not depend on the scale of a platform or batch",
    "composition": "length and share of each letter; GC content, skews and CpG of nucleic acids",
    "kmers": "share of each k-mer, and composition",
    "kmer_counts": "number of each k-mer",
    "gapped_kmers": "pairs of letters 2 to 6 apart and triads (proteins: in seven residue classes), and composition",
    "physicochemical": "hydropathy, volume, polarity, helix propensity, Boman index and charge (mean, spread, both "
    "ends), isoelectric point, hydrophobic moments, and composition",
    "positions": f"{_ENDS}, with physico-chemical scales for proteins",
    "combined": f"composition, k-mers, gapped pairs, {_ENDS}; physico-chemical scales for proteins",
    "pairing": "base pairing of the shorter with the longer sequence: seed site classes, best register, local "
    "alignment, best score of each stretch of the guide, A and U around the seed, letters of the guide",
    "pairing_kmers": "base pairing of the two sequences (seed, register, alignment, windows) and k-mers of both",
}
_SCALE: Final = "mean and variance of each feature"
_LEARNED_OF_SEQUENCES: Final = ("lengths of the sequences, which decide what is read", _SCALE)
_LEARNED: Final = {
    "standardised": ("medians", "categories", _SCALE),
    "normal_scores": ("medians", "categories", "quantiles of each column"),
    "raw_values": ("categories",),
    "expression_values": ("log scale or not", "medians", "which columns vary", _SCALE),
    "selected_columns": ("log scale or not", "medians", "the selected columns", _SCALE),
    "principal_components": ("log scale or not", "medians", _SCALE, "components"),
    "sample_ranks": ("log scale or not", "medians", "which columns vary", _SCALE),
}
_FEATURE_SETTINGS: Final = {
    "select": "of these the {} that tell most of the label by an F test on train",
    "components": "{} principal components",
    "k": "words of {} letters",
    "window": "{} letters at each end",
}
_ARCHITECTURE: Final = {
    "logistic": "logistic regression with an L2 penalty",
    "ridge": "linear regression with an L2 penalty",
    "elastic_net": "linear model with L1 and L2 penalties",
    "pls": "partial least squares regression",
    "svm": "support vector machine with a radial kernel",
    "linear_svm": "linear support vector machine",
    "hist_gradient_boosting": "gradient-boosted trees on binned features",
    "extra_trees": "forest of extremely randomised trees",
    "random_forest": "forest of bootstrapped trees",
    "knn": "nearest neighbours, weighted by distance",
    "naive_bayes": "naive Bayes",
    "centroids": "nearest shrunken centroids",
    "mlp": "neural network with one hidden layer",
}
_REGULARISATION: Final = {
    "logistic": "L2 penalty whose strength cross-validation on train chooses",
    "ridge": "L2 penalty whose strength cross-validation on train chooses",
    "elastic_net": "L1 penalty that leaves features out, L2 penalty; the penalty or the epoch by held-out rows",
    "pls": "few components, their number by cross-validation on train",
    "svm": "wide margin (C); probabilities by Platt scaling on held-out folds of train",
    "linear_svm": "wide margin (small C); probabilities by Platt scaling on held-out folds of train",
    "hist_gradient_boosting": "small trees, some features at each split, L2, stop when the validation loss rises",
    "extra_trees": "random splits, at least two rows a leaf, the mean of many trees",
    "random_forest": "bootstrap samples, random features at each split, the mean of many trees",
    "knn": "number of neighbours by cross-validation on train",
    "naive_bayes": "features taken as independent, smoothed",
    "centroids": "class centroids are shrunk towards the common one, how far by cross-validation on train",
    "mlp": "weight decay, stop when the validation loss rises",
}
_REASONS: Final = {
    "logistic": "a linear model is quick, hard to overfit and shows how much signal the features have",
    "ridge": "a linear model is quick, hard to overfit and shows how much signal the features have",
    "elastic_net": "where few features matter, leaving the others out helps",
    "pls": "components that follow the target suit many correlated columns",
    "svm": "a kernel finds smooth interactions with few rows",
    "linear_svm": "a wide margin suits many columns and few rows",
    "hist_gradient_boosting": "boosting finds thresholds and interactions by itself",
    "extra_trees": "randomised trees are robust to noise and to many weak features",
    "random_forest": "a forest finds interactions and needs little tuning",
    "knn": "similar inputs may share their label",
    "naive_bayes": "counts of words are what naive Bayes models",
    "centroids": "a profile for each class is simple and known to work on expression data",
    "mlp": "a network learns combinations of features that no single split shows",
}


def describe(profile: InputProfile, candidate: Candidate) -> Description:
    """What the candidate does, what it learns from train, what keeps it from overfitting and why it is worth a try."""
    if candidate.family == ENSEMBLE:
        return _describe_ensemble(profile, members_of(candidate))
    of_features, of_model = split_settings(candidate.hyperparameters)
    learned = list(_LEARNED.get(candidate.representation, _LEARNED_OF_SEQUENCES))
    if candidate.family in TREES or candidate.representation in ("kmer_counts", "normal_scores"):
        learned = [item for item in learned if item != _SCALE]
    return Description(
        representation=_PARTS[candidate.representation] + _of_features(of_features) + _columns(profile),
        fitted_on_train_only=tuple(learned),
        architecture=_ARCHITECTURE[candidate.family] + _listed(of_model),
        regularisation=_REGULARISATION[candidate.family],
        reason=_REASONS[candidate.family],
    )


def _describe_ensemble(profile: InputProfile, members: list[Candidate]) -> Description:
    parts = [describe(profile, member) for member in members]
    return Description(
        representation="; and ".join(dict.fromkeys(part.representation for part in parts)),
        fitted_on_train_only=tuple(dict.fromkeys(item for part in parts for item in part.fitted_on_train_only)),
        architecture=f"mean of the predictions of: {'; '.join(part.architecture for part in parts)}",
        regularisation=f"averaging; {'; '.join(dict.fromkeys(part.regularisation for part in parts))}",
        reason="models that differ in kind err in different places, so that their mean errs less",
    )


def _of_features(settings: dict[str, object]) -> str:
    """Settings of the features in plain words."""
    said = [words.format(settings[name]) for name, words in _FEATURE_SETTINGS.items() if settings.get(name)]
    rest = {name: value for name, value in settings.items() if name not in _FEATURE_SETTINGS}
    return f" ({'; '.join(said)})" * bool(said) + _listed(rest)


def _listed(settings: dict[str, object]) -> str:
    return f" ({', '.join(f'{name} {value}' for name, value in settings.items())})" if settings else ""


def _columns(profile: InputProfile) -> str:
    """Which columns, where they are few enough to name."""
    if profile.kind in (InputKind.TABLE, InputKind.EXPRESSION):
        return f"; {len(profile.numeric_columns)} numeric and {len(profile.categorical_columns)} categorical columns"
    rest = len(profile.numeric_columns) + len(profile.categorical_columns)
    return f"; of {', '.join(profile.sequence_columns)}{f' and {rest} other columns' if rest else ''}"
