"""Every metric of rows that count several times or not at all: what a bootstrap computes thousands of times.

A resample of n rows with replacement is a vector of n counts, so many resamples are one matrix, and each metric is a
few operations on it. With whole counts the values are those of ``compute_scores`` on the repeated rows.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.predictions import Predictions
from agents.evaluation.scoring import normalised
from agents.vocabulary import TaskType

Floats = NDArray[np.float64]
Score = Callable[[Floats], Floats]
"""Counts of shape (resamples, rows) to values of shape (resamples,); NaN where the metric is not defined."""

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with their true labels, as scores are computed on them."""

    task_type: TaskType
    truth: Floats
    """Shape (rows,): class numbers, or measured values."""
    n_classes: int
    groups: NDArray[np.int_] | None = None
    """Number of the group of each row, from 0, where rows of a group belong together; None: each row is by itself."""

    def __len__(self) -> int:
        return len(self.truth)


def weighted_score(metric: str, rows: Rows, predictions: Predictions) -> Score:
    """The function that scores ``predictions`` under any counts of the rows; what does not depend on them is done."""
    make = _regression if rows.task_type is TaskType.REGRESSION else _classification
    score = make(metric, rows, predictions)

    def quiet(counts: Floats) -> Floats:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return score(counts)

    return quiet


# --- classification --------------------------------------------------------------------------------------------------


def _classification(metric: str, rows: Rows, predictions: Predictions) -> Score:
    assert predictions.probabilities is not None
    truth, guess = rows.truth.astype(int), predictions.values.astype(int)
    scored = [1] if rows.task_type is TaskType.BINARY else list(range(rows.n_classes))
    match metric:
        case "ACC":
            return _mean_of((truth == guess).astype(np.float64))
        case "LOG_LOSS":
            told = np.clip(normalised(predictions.probabilities)[np.arange(len(truth)), truth], _EPS, 1 - _EPS)
            return _mean_of(-np.log(told))
        case "AUROC" | "AUPRC":
            curve = _auroc if metric == "AUROC" else _auprc
            ranked = predictions.probabilities
            return _mean_over([curve(truth == number, ranked[:, number]) for number in scored])
        case "F1":
            return _mean_over([_f1(truth == number, guess == number) for number in scored])
        case "MCC":
            return _mcc(truth, guess, rows.n_classes)
        case _:
            raise ValueError(f"{metric} is no metric of a classification")


def _mean_of(values: Floats) -> Score:
    return lambda counts: counts @ values / counts.sum(axis=1)


def _mean_over(scores: list[Score]) -> Score:
    """Mean over the classes for which the score is defined."""
    if len(scores) == 1:
        return scores[0]
    return lambda counts: np.nanmean([score(counts) for score in scores], axis=0)


@dataclass(frozen=True, eq=False)
class _Ranking:
    """Rows in the order of a value, equal values in one group."""

    order: NDArray[np.int_]
    starts: NDArray[np.int_]

    @classmethod
    def of(cls, values: Floats) -> "_Ranking":
        order = np.argsort(values, kind="stable")
        ranked = values[order]
        return cls(order, np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]))

    def grouped(self, ranked: Floats) -> Floats:
        """Sums over the groups of equal values, of what stands in order already."""
        return ranked if len(self.starts) == ranked.shape[1] else np.add.reduceat(ranked, self.starts, axis=1)


def _auroc(positive: NDArray[np.bool_], values: Floats) -> Score:
    """Share of pairs in the right order, equal ones by half (Mann and Whitney 1947)."""
    ranking = _Ranking.of(values)
    is_positive = positive[ranking.order].astype(np.float64)

    def score(counts: Floats) -> Floats:
        ranked = counts[:, ranking.order]
        hits = ranked * is_positive
        above, below = ranking.grouped(hits), ranking.grouped(ranked - hits)
        ahead = np.cumsum(below, axis=1) - below / 2
        result: Floats = (above * ahead).sum(axis=1) / (above.sum(axis=1) * below.sum(axis=1))
        return result

    return score


def _auprc(positive: NDArray[np.bool_], values: Floats) -> Score:
    """Sum over the thresholds of precision times the recall that each adds."""
    ranking = _Ranking.of(-values)
    is_positive = positive[ranking.order].astype(np.float64)

    def score(counts: Floats) -> Floats:
        ranked = counts[:, ranking.order]
        hits, taken = ranking.grouped(ranked * is_positive), ranking.grouped(ranked)
        total = hits.sum(axis=1)
        precision = np.cumsum(hits, axis=1) / np.maximum(np.cumsum(taken, axis=1), 1)
        result: Floats = np.einsum("ij,ij->i", hits, precision) / total
        result[(total == 0) | (total == counts.sum(axis=1))] = np.nan
        return result

    return score


def _f1(positive: NDArray[np.bool_], guessed: NDArray[np.bool_]) -> Score:
    both = (positive & guessed).astype(np.float64)
    either = positive.astype(np.float64) + guessed.astype(np.float64)
    return lambda counts: 2 * (counts @ both) / (counts @ either)


def _mcc(truth: NDArray[np.int_], guess: NDArray[np.int_], n_classes: int) -> Score:
    """Correlation of two one-hot codes (Gorodkin 2004); 0 where only the guess is constant, NaN where the truth is."""
    true, said = np.eye(n_classes)[truth], np.eye(n_classes)[guess]
    right = (truth == guess).astype(np.float64)

    def score(counts: Floats) -> Floats:
        total, hits = counts.sum(axis=1), counts @ right
        of_true, of_said = counts @ true, counts @ said
        shared = hits * total - (of_true * of_said).sum(axis=1)
        spread = total**2 - (of_true**2).sum(axis=1), total**2 - (of_said**2).sum(axis=1)
        result: Floats = shared / np.sqrt(spread[0] * spread[1])
        result[spread[1] == 0] = 0
        result[spread[0] == 0] = np.nan
        return result

    return score


# --- regression ------------------------------------------------------------------------------------------------------


def _regression(metric: str, rows: Rows, predictions: Predictions) -> Score:
    truth, guess = rows.truth, predictions.values
    match metric:
        case "MSE":
            return _mean_of((guess - truth) ** 2)
        case "RMSE":
            mean = _mean_of((guess - truth) ** 2)
            return lambda counts: np.sqrt(mean(counts))
        case "MAE":
            return _mean_of(np.abs(guess - truth))
        case "MAPE":
            with np.errstate(all="ignore"):
                return _mean_of(np.where(truth == 0, np.nan, np.abs((guess - truth) / truth)))
        case "R2":
            return _r2(truth, guess)
        case "PEARSON":
            return _pearson(truth, guess)
        case "SPEARMAN":
            return _spearman(truth, guess)
        case _:
            raise ValueError(f"{metric} is no metric of a regression")


def _r2(truth: Floats, guess: Floats) -> Score:
    centred = truth - truth.mean()  # so that no digits are lost where the values lie far from 0
    errors, squares = (guess - truth) ** 2, centred**2

    def score(counts: Floats) -> Floats:
        variation = counts @ squares - (counts @ centred) ** 2 / counts.sum(axis=1)
        return np.asarray(1 - counts @ errors / _above_rounding(variation, squares.sum()))

    return score


def _pearson(truth: Floats, guess: Floats) -> Score:
    one, other = truth - truth.mean(), guess - guess.mean()

    def score(counts: Floats) -> Floats:
        total = counts.sum(axis=1)
        sums = counts @ one, counts @ other
        shared = counts @ (one * other) - sums[0] * sums[1] / total
        spread = counts @ one**2 - sums[0] ** 2 / total, counts @ other**2 - sums[1] ** 2 / total
        spread = _above_rounding(spread[0], (one**2).sum()), _above_rounding(spread[1], (other**2).sum())
        return np.asarray(shared / np.sqrt(spread[0] * spread[1]))

    return score


def _above_rounding(variation: Floats, scale: float) -> Floats:
    """``variation``, or NaN where it is nothing but rounding: the values of that resample are all the same."""
    return np.where(variation > 1e-12 * scale, variation, np.nan)


def _spearman(truth: Floats, guess: Floats) -> Score:
    """Pearson correlation of the ranks within the resample, equal values at their mean rank."""
    rankings = _Ranking.of(truth), _Ranking.of(guess)

    def score(counts: Floats) -> Floats:
        total = counts.sum(axis=1, keepdims=True)
        ranks = [_ranks(counts, ranking) - (total + 1) / 2 for ranking in rankings]  # centred on their mean
        shared = (counts * ranks[0] * ranks[1]).sum(axis=1)
        spread = [(counts * rank**2).sum(axis=1) for rank in ranks]
        return np.asarray(shared / np.sqrt(spread[0] * spread[1]))

    return score


def _ranks(counts: Floats, ranking: _Ranking) -> Floats:
    """Mean rank of each row among the rows as often as they count, in the rows' own order."""
    size = ranking.grouped(counts[:, ranking.order])
    middle = np.cumsum(size, axis=1) - (size - 1) / 2
    group = np.zeros(len(ranking.order), dtype=int)
    group[ranking.starts] = 1
    ranks = np.empty_like(counts)
    ranks[:, ranking.order] = middle[:, np.cumsum(group) - 1]
    return ranks
