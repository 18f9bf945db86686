"""A small neural network."""

import copy
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from agents.recipes.sources.problem import Problem, family


@family("mlp")
def fit_mlp(problem: Problem, settings: dict[str, Any]) -> Any:
    """One hidden layer, trained epoch by epoch until the validation loss has not fallen for eight of them."""
    epochs = settings.get("epochs", 60)
    options = {
        "hidden_layer_sizes": (settings.get("hidden", 64),),
        "alpha": settings.get("alpha", 1.0),
        "learning_rate_init": settings.get("learning_rate", 1e-3),
        "batch_size": min(64, len(problem.y_train)),
        "random_state": problem.seed,
    }
    is_classifier = problem.classes > 0
    model = MLPClassifier(**options) if is_classifier else MLPRegressor(**options)
    first = {"classes": np.unique(problem.y_train)} if is_classifier else {}
    middle, spread = (0.0, 1.0) if is_classifier else (problem.y_train.mean(), problem.y_train.std() or 1.0)
    target = problem.y_train if is_classifier else (problem.y_train - middle) / spread
    best, least, since = None, np.inf, 0
    for epoch in range(1, epochs + 1):
        model.partial_fit(problem.x_train, target, **(first if epoch == 1 else {}))
        current = model if is_classifier else in_units_of_the_target(model, middle, spread)
        loss = problem.report(epoch, epochs, current, f"epoch {epoch}")
        if loss < least:
            best, least, since = copy.deepcopy(current), loss, 0
        else:
            since += 1
            if since == 8:
                break
    return best


def in_units_of_the_target(model: MLPRegressor, middle: float, spread: float) -> MLPRegressor:
    """A copy of a network that was trained on a standardised target; its last layer, which is linear, is stretched."""
    stretched = copy.deepcopy(model)
    stretched.coefs_[-1] = model.coefs_[-1] * spread
    stretched.intercepts_[-1] = model.intercepts_[-1] * spread + middle
    return stretched
