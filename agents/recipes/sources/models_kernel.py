"""Support vector machines."""

from typing import Any

from sklearn.svm import SVC, SVR, LinearSVC

from agents.recipes.sources.problem import Problem, calibrated, family, fit_on_growing_rows

MOST_ROWS = 6000


@family("svm")
def fit_svm(problem: Problem, settings: dict[str, Any]) -> Any:
    """A support vector machine with radial kernel; probabilities by Platt scaling on held-out folds of train.

    ``width`` is gamma times the number of features: the features are standardised, so 1 fits distances between rows.
    """
    gamma = settings.get("width", 1.0) / problem.x_train.shape[1]
    cost = settings.get("C", 1.0)
    if not problem.classes:
        spread = float(problem.y_train.std()) or 1.0
        return fit_on_growing_rows(
            problem, lambda _: SVR(C=cost * spread, gamma=gamma, epsilon=0.1 * spread), MOST_ROWS
        )
    machine = SVC(C=cost, gamma=gamma, class_weight=problem.class_weight, cache_size=400)
    return fit_on_growing_rows(problem, lambda labels: calibrated(machine, labels), MOST_ROWS)


@family("linear_svm")
def fit_linear_svm(problem: Problem, settings: dict[str, Any]) -> Any:
    """A linear support vector machine; probabilities by Platt scaling on held-out folds of train."""
    machine = LinearSVC(C=settings.get("C", 0.01), class_weight=problem.class_weight, random_state=problem.seed)
    return fit_on_growing_rows(problem, lambda labels: calibrated(machine, labels), MOST_ROWS)
