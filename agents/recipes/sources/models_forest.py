"""Forests of randomised trees."""

from typing import Any

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from agents.recipes.sources.problem import Problem, family

SHARES = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


@family("extra_trees")
def fit_extra_trees(problem: Problem, settings: dict[str, Any]) -> Any:
    """Trees whose splits are drawn at random, each on all rows."""
    return _grow(problem, settings, ExtraTreesClassifier if problem.classes else ExtraTreesRegressor)


@family("random_forest")
def fit_random_forest(problem: Problem, settings: dict[str, Any]) -> Any:
    """Trees whose splits are the best of some features, each on a bootstrap sample of the rows."""
    return _grow(problem, settings, RandomForestClassifier if problem.classes else RandomForestRegressor)


def _grow(problem: Problem, settings: dict[str, Any], kind: Any) -> Any:
    trees = settings.get("n_estimators", 300)
    options = {
        "min_samples_leaf": settings.get("min_samples_leaf", 2),
        "max_features": settings.get("max_features", "sqrt" if problem.classes else 0.3),
        "warm_start": True,
        "n_jobs": problem.threads,
        "random_state": problem.seed,
    }
    if problem.classes:
        options["class_weight"] = problem.class_weight
    model = kind(**options)
    for share in SHARES:
        grown = max(round(share * trees), 1)
        model.set_params(n_estimators=grown).fit(problem.x_train, problem.y_train)
        problem.report(grown, trees, model, f"{grown} trees")
    return model
