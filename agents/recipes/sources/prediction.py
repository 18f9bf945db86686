"""Predictions of a fitted model, and of several that are averaged."""

from typing import Any

import numpy as np


def class_probabilities(model: Any, features: np.ndarray, classes: int) -> np.ndarray:
    """Probability of each class, shape (rows, classes); 0 for a class that the training rows did not have."""
    known = np.asarray(model.predict_proba(features), dtype=float)
    probabilities = np.zeros((len(features), classes))
    probabilities[:, np.asarray(model.classes_, dtype=int)] = known
    total = probabilities.sum(axis=1, keepdims=True)
    return np.where(total > 0, probabilities / np.where(total > 0, total, 1), 1 / classes)


def predicted(model: Any, features: np.ndarray, classes: int) -> np.ndarray:
    """What ``model`` says about ``features``: probabilities of the classes or, with no classes, numbers (rows,)."""
    if classes:
        return class_probabilities(model, features, classes)
    return np.asarray(model.predict(features), dtype=float).reshape(len(features))
