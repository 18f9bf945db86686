"""Simple models: nearest neighbours, naive Bayes, shrunken centroids."""

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import ComplementNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid

from agents.recipes.sources.problem import Problem, calibrated, family, fit_best_of, fit_on_growing_rows


@family("knn")
def fit_knn(problem: Problem, settings: dict[str, Any]) -> Any:
    """Nearest neighbours, near ones weigh more; how many by cross-validation on train unless ``k`` is given."""
    kind = KNeighborsClassifier if problem.classes else KNeighborsRegressor
    most = max(len(problem.y_train) * 2 // 3, 1)
    tried = [settings["k"]] if settings.get("k") else [50, 25, 12, 6]

    def make(neighbours: int) -> Any:
        return kind(n_neighbors=neighbours, weights="distance", n_jobs=problem.threads)

    return fit_best_of(problem, sorted({min(count, most) for count in tried}, reverse=True), make, "neighbours")


@family("naive_bayes")
def fit_naive_bayes(problem: Problem, settings: dict[str, Any]) -> Any:
    """Naive Bayes: of counts where all features are at least 0, else Gaussian."""
    if settings.get("counts") and problem.x_train.min() >= 0:
        return fit_on_growing_rows(problem, lambda _: ComplementNB(alpha=0.5), len(problem.y_train))
    smoothing = settings.get("var_smoothing", 1e-2)
    return fit_on_growing_rows(problem, lambda _: GaussianNB(var_smoothing=smoothing), len(problem.y_train))


@family("centroids")
def fit_centroids(problem: Problem, settings: dict[str, Any]) -> Any:
    """Nearest shrunken centroids (Tibshirani et al., PNAS 99:6567, 2002); how far to shrink by cross-validation."""
    tried = [settings["shrink"]] if settings.get("shrink") is not None else [3.0, 2.0, 1.0, 0.5, 0.0]
    if np.ptp(problem.x_train, axis=0).max() == 0:
        return fit_on_growing_rows(problem, lambda _: DummyClassifier(strategy="prior"), len(problem.y_train))

    def make(amount: float) -> Any:
        return calibrated(NearestCentroid(shrink_threshold=amount or None), problem.y_train)

    return fit_best_of(problem, tried, make, "shrink by")
