"""Linear models: logistic and ridge regression, the elastic net, partial least squares."""

import copy
from typing import Any

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge, SGDClassifier

from agents.recipes.sources.problem import Problem, family, fit_best_of


@family("logistic")
def fit_logistic(problem: Problem, settings: dict[str, Any]) -> LogisticRegression:
    """L2-regularised logistic regression; its strength by cross-validation on train unless ``C`` is given."""

    def make(strength: float) -> LogisticRegression:
        return LogisticRegression(C=strength, class_weight=problem.class_weight, max_iter=300, tol=1e-3)

    values = [settings["C"]] if settings.get("C") else [1e-4, 1e-3, 1e-2, 1e-1, 1, 10]
    return fit_best_of(problem, values, make, "C")


@family("ridge")
def fit_ridge(problem: Problem, settings: dict[str, Any]) -> Ridge:
    """Ridge regression; its penalty by cross-validation on train unless ``alpha`` is given."""
    values = [settings["alpha"]] if settings.get("alpha") else [1e4, 3e3, 1e3, 300, 100, 30, 10, 3, 1, 0.1]
    return fit_best_of(problem, values, lambda alpha: Ridge(alpha=alpha), "alpha")


@family("elastic_net")
def fit_elastic_net(problem: Problem, settings: dict[str, Any]) -> Any:
    """L1 and L2 penalties together, which leave many features out."""
    ratio = settings.get("l1_ratio", 0.5)
    if not problem.classes:
        largest = float(np.ptp(problem.y_train)) or 1.0
        values = [largest * share for share in (0.1, 0.03, 0.01, 0.003, 0.001)]
        return fit_best_of(problem, values, lambda a: ElasticNet(alpha=a, l1_ratio=ratio, max_iter=3000), "alpha")
    return _fit_elastic_net_classifier(problem, ratio, settings.get("alpha", 0.003))


def _fit_elastic_net_classifier(problem: Problem, ratio: float, alpha: float, epochs: int = 40) -> SGDClassifier:
    """Stochastic gradient descent, stopped when the validation loss has not fallen for 8 epochs."""
    labels = np.unique(problem.y_train)
    model = SGDClassifier(
        loss="log_loss",
        penalty="elasticnet",
        alpha=alpha,
        l1_ratio=ratio,
        average=True,
        class_weight=problem.class_weight,
        random_state=problem.seed,
        learning_rate="adaptive",
        eta0=0.01,
    )
    best, least, since = model, np.inf, 0
    for epoch in range(1, epochs + 1):
        model.partial_fit(problem.x_train, problem.y_train, classes=labels)
        loss = problem.report(epoch, epochs, model, f"epoch {epoch}")
        if loss < least:
            best, least, since = copy.deepcopy(model), loss, 0
        else:
            since += 1
            if since == 8:
                break
    return best


@family("pls")
def fit_pls(problem: Problem, settings: dict[str, Any]) -> PLSRegression:
    """Partial least squares; its number of components by cross-validation on train."""
    most = min(settings.get("components", 8), problem.x_train.shape[1], max(len(problem.y_train) * 2 // 3 - 1, 1))
    return fit_best_of(
        problem, range(1, most + 1), lambda count: PLSRegression(n_components=count, scale=False), "components"
    )
