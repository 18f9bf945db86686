"""Gradient-boosted trees."""

import copy
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from agents.recipes.sources.problem import Problem, family


@family("hist_gradient_boosting")
def fit_hist_gradient_boosting(problem: Problem, settings: dict[str, Any]) -> Any:
    """Boosted trees on binned features, grown in stages until the validation loss has not fallen for four of them."""
    most, stage = settings.get("max_iter", 400), 25
    options = {
        "learning_rate": settings.get("learning_rate", 0.08),
        "max_leaf_nodes": settings.get("max_leaf_nodes", 8),
        "min_samples_leaf": settings.get("min_samples_leaf", 15),
        "l2_regularization": settings.get("l2_regularization", 1.0),
        "max_features": settings.get("max_features", 0.2),
        "early_stopping": False,
        "warm_start": True,
        "random_state": problem.seed,
    }
    if problem.classes:
        model = HistGradientBoostingClassifier(class_weight=problem.class_weight, **options)
    else:
        loss = "absolute_error" if problem.absolute else "squared_error"
        model = HistGradientBoostingRegressor(loss=loss, **options)
    best, least, since = None, np.inf, 0
    for trees in range(stage, most + 1, stage):
        model.set_params(max_iter=trees).fit(problem.x_train, problem.y_train)
        loss_now = problem.report(trees, most, model, f"{trees} trees")
        if loss_now < least:
            best, least, since = copy.deepcopy(model), loss_now, 0
        else:
            since += 1
            if since == 4:
                break
    return best
