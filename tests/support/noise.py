"""Simulated runs: candidates whose true skill is known, compared one after the other as a run compares them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.evaluation.bootstrap import compare
from agents.evaluation.choice import Cost, takes_over
from agents.evaluation.predictions import Predictions
from agents.evaluation.scoring import compute_scores
from agents.evaluation.weighted import Rows
from agents.vocabulary import Gain, TaskType

METRICS = ("AUROC", "AUPRC", "ACC", "F1", "MCC", "LOG_LOSS", "MAE", "RMSE", "R2", "PEARSON", "SPEARMAN")
"""Taken in turn, one a run."""
SIZES = (40, 100, 250)
"""Validation rows, taken in turn."""


@dataclass(frozen=True)
class SimulatedRun:
    """What the comparisons of one run came to."""

    metric: str
    rows: int
    called_real: tuple[bool, ...]
    """Of each candidate after the first: whether its gain was called real."""
    better: tuple[bool, ...]
    """Whether its skill is truly above that of the best that it was compared with."""

    @property
    def has_false_gain(self) -> bool:
        return any(called and not better for called, better in zip(self.called_real, self.better, strict=True))

    @property
    def has_found_gain(self) -> bool:
        return any(called and better for called, better in zip(self.called_real, self.better, strict=True))


def simulate(number: int, gain: float, *, candidates: int = 8, dearer: bool = False) -> SimulatedRun:
    """Run ``number``: the skill of its candidates grows by ``gain`` from one to the next; 0 is pure noise.

    Skill is the weight of the truth in a prediction, beside noise of which half is common to all candidates, as models
    trained on the same rows err on the same ones. With ``dearer`` each candidate is slower than the one before, so that
    ties leave the best what it is and no lucky score makes it harder to beat.
    """
    random = np.random.default_rng(number)
    metric, size = METRICS[number % len(METRICS)], SIZES[number % len(SIZES)]
    task = TaskType.REGRESSION if METRICS.index(metric) > 5 else TaskType.BINARY
    rows, signal = _truth(task, random, size)
    shared = random.normal(0, 1, size)
    called, better = [], []
    best, best_skill, best_value, cost = None, 0.0, None, Cost()
    for place in range(candidates):
        own_cost = Cost(10.0 * 2**place if dearer else 1.0)
        skill = 0.8 + gain * place
        predictions = _predict(task, skill * signal + (shared + random.normal(0, 1, size)) / np.sqrt(2))
        value = compute_scores(task, rows.truth, predictions, rows.n_classes)[metric]
        assert value is not None
        found = None
        if best is not None:
            found = compare(metric, rows, predictions, best, comparisons=candidates - 1)
            called.append(found.verdict is Gain.REAL)
            better.append(skill > best_skill)
        if takes_over(metric, value, best_value, found, own_cost, cost):
            best, best_skill, best_value, cost = predictions, skill, value, own_cost
    return SimulatedRun(metric, size, tuple(called), tuple(better))


def _truth(task: TaskType, random: np.random.Generator, size: int) -> tuple[Rows, np.ndarray]:
    if task is TaskType.REGRESSION:
        truth = random.normal(0, 1, size)
        return Rows(task, truth, 1), truth
    truth = (np.arange(size) % 3 == 0).astype(float)
    return Rows(task, truth, 2), 2 * truth - 1


def _predict(task: TaskType, seen: np.ndarray) -> Predictions:
    if task is TaskType.REGRESSION:
        return Predictions(seen / 2, None)
    positive = 1 / (1 + np.exp(-seen))
    return Predictions((positive > 0.5).astype(float), np.column_stack([1 - positive, positive]))


def share(runs: Sequence[SimulatedRun], *, false: bool) -> float:
    """Share of the runs with a false gain, or with a found one."""
    return sum(run.has_false_gain if false else run.has_found_gain for run in runs) / len(runs)
