"""How sure a score is, whether a gain is real, and how much too good the best of many looks: by resampling rows.

The bootstrap (Efron and Tibshirani 1993, chapters 6, 13 and 16) draws the scored rows again with replacement. Classes
are drawn each by itself, so that no resample lacks one; where rows belong to groups (patients, clusters of sequences),
whole groups are drawn, since rows of a group are no independent evidence. The same seed draws the same.

Time: at most :data:`_BUDGET` rows are drawn in all, so the number of resamples falls from 2,000 to 200 as the rows
grow; a comparison of 50,000 rows takes about half a second. What these rows do not show (another training seed, another
cohort), no resample shows either: an interval is that of the score on new rows like these.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agents.evaluation.metrics import METRICS
from agents.evaluation.predictions import Predictions
from agents.evaluation.weighted import Floats, Rows, weighted_score
from agents.vocabulary import Gain

LEVEL: Final = 0.95
"""Of every interval; and over all comparisons of a run together, no gain is called real by chance more often than in
``1 - LEVEL`` of the runs."""
FEWEST_ROWS: Final = 10
"""Fewer rows, or groups, say nothing of what other rows would give."""
FEWEST_OF_A_CLASS: Final = 3
_BUDGET: Final = 12_000_000
_MOST: Final = 2_000
_FEWEST: Final = 200
_FEWEST_OF_MANY: Final = 50
"""Where each resample scores many candidates, and only a mean is asked for."""
_CHUNK: Final = 2_000_000
_UNDEFINED: Final = 0.05
"""Share of resamples in which a metric may be undefined; they are left out."""
_CANDIDATES: Final = 50
"""Of the best candidates: a worse one can hardly be the maximum of a resample."""


@dataclass(frozen=True)
class Interval:
    """Where the score of new rows like these probably lies; without bounds there is a ``reason``."""

    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """A candidate against the best, on the same rows."""

    difference: float | None
    """Candidate less best, in the metric; None where it is not defined."""
    interval: Interval
    """Of the difference."""
    chance: float | None
    """Share of the resamples in which the candidate is the better one, ties by half: about the probability that its
    gain is real, if nothing was known before (Efron 2012 on the bootstrap as a posterior). Not corrected for how many
    candidates there were."""
    verdict: Gain
    rows: int


@dataclass(frozen=True)
class Optimism:
    """What picking the maximum of several candidates adds to its score."""

    candidates: int
    expected: float
    """By how much the picked score is better than that of new rows; in the metric, 0 or above."""
    corrected: float
    """The score without it."""


# --- one score -------------------------------------------------------------------------------------------------------


def interval(metric: str, rows: Rows, predictions: Predictions, seed: int = 0) -> Interval:
    """Percentile interval of a score at :data:`LEVEL`."""
    if reason := _too_few(rows):
        return Interval(reason=reason)
    score = weighted_score(metric, rows, predictions)
    return _interval_of(np.concatenate([score(counts) for counts in _resamples(rows, seed)]))


def _interval_of(values: Floats) -> Interval:
    defined = values[np.isfinite(values)]
    if len(defined) < (1 - _UNDEFINED) * len(values):
        share = 1 - len(defined) / len(values)
        return Interval(reason=f"the metric is undefined in {share:.0%} of the resamples")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if high - low <= 1e-12 * max(1.0, abs(high)):
        return Interval(reason="every resample scores the same")
    return Interval(float(low), float(high))


# --- two scores ------------------------------------------------------------------------------------------------------


def compare(
    metric: str, rows: Rows, candidate: Predictions, best: Predictions, comparisons: int = 1, seed: int = 0
) -> Comparison:
    """Paired bootstrap of the difference: both are scored on the same resamples.

    A run compares candidate after candidate with the best so far, and each comparison could call noise a gain. So the
    level is shared out among the ``comparisons`` that the run makes in all (Bonferroni; the best so far was picked on
    the same rows, which makes it harder to beat, not easier): a gain is real where at most
    ``a = (1 - LEVEL) / comparisons`` of the resamples deny it and it is also that far from 0 by Student's t of its
    bootstrap standard error. Shares alone are too sure where two models differ in a handful of rows, and too coarse
    where there are few resamples. The same distance the other way is worse; all between is within noise.
    """
    sign = 1 if METRICS[metric].higher_is_better else -1
    scores = weighted_score(metric, rows, candidate), weighted_score(metric, rows, best)
    difference = _difference(scores[0](np.ones((1, len(rows)))), scores[1](np.ones((1, len(rows)))))[0]
    found = float(difference) if math.isfinite(difference) else None
    reason = _too_few(rows) or (
        "" if found is not None else "the metric is undefined on the rows that both were scored on"
    )
    if reason or found is None:
        return Comparison(found, Interval(reason=reason), None, Gain.UNKNOWN, len(rows))
    values = np.concatenate([_difference(scores[0](counts), scores[1](counts)) for counts in _resamples(rows, seed)])
    bounds = _interval_of(values)
    gains = sign * values[np.isfinite(values)]
    if len(gains) < (1 - _UNDEFINED) * len(values):
        return Comparison(found, bounds, None, Gain.UNKNOWN, len(rows))
    chance = float((gains > 0).mean() + (gains == 0).mean() / 2)
    verdict = _verdict(sign * found, gains, chance, (1 - LEVEL) / max(1, comparisons), _units(rows))
    return Comparison(found, bounds, chance, verdict, len(rows))


def _difference(one: Floats, other: Floats) -> Floats:
    """Without the rounding of two ways to the same value."""
    difference = one - other
    return np.where(np.abs(difference) <= 1e-12 * np.maximum(np.abs(one), np.abs(other)), 0.0, difference)


def _verdict(gain: float, gains: Floats, chance: float, level: float, units: int) -> Gain:
    error = float(gains.std()) * math.sqrt(units / (units - 1))
    far = abs(gain) > float(stats.t.ppf(1 - level, units - 1)) * error
    if far and gain > 0 and 1 - chance <= level:
        return Gain.REAL
    if far and gain < 0 and chance <= level:
        return Gain.WORSE
    return Gain.NOISE


# --- many scores -----------------------------------------------------------------------------------------------------


def optimism(metric: str, rows: Rows, candidates: Sequence[Predictions], seed: int = 0) -> Optimism | None:
    """What picking the best of ``candidates`` by their score on these rows is expected to add to its score.

    The best is picked again on each resample and scored on the rows that were not drawn; the mean of that is what the
    procedure of picking gives on new rows (Tsamardinos, Greasidou and Borboudakis 2018, bootstrap bias correction).
    None where there is nothing to pick, or too few rows.
    """
    if len(candidates) < 2 or _too_few(rows):
        return None
    sign = 1 if METRICS[metric].higher_is_better else -1
    scores = [weighted_score(metric, rows, predictions) for predictions in candidates]
    all_rows = np.ones((1, len(rows)))
    whole = sign * np.array([score(all_rows)[0] for score in scores])
    kept = [number for number in np.argsort(-whole) if math.isfinite(whole[number])][:_CANDIDATES]
    if len(kept) < 2:
        return None
    outside: list[Floats] = []
    for counts in _resamples(rows, seed, 2 * len(kept)):
        inner = sign * np.array([scores[number](counts) for number in kept])
        outer = sign * np.array([scores[number]((counts == 0).astype(np.float64)) for number in kept])
        picked = np.argmax(np.where(np.isfinite(inner), inner, -np.inf), axis=0)
        outside.append(outer[picked, np.arange(outer.shape[1])])
    values = np.concatenate(outside)
    defined = values[np.isfinite(values)]
    if len(defined) < len(values) / 2:
        return None
    best = float(whole[kept[0]])
    expected = max(0.0, best - float(defined.mean()))
    return Optimism(len(candidates), expected, sign * (best - expected))


# --- resamples -------------------------------------------------------------------------------------------------------


def _units(rows: Rows) -> int:
    """How many independent pieces of evidence there are."""
    return len(rows) if rows.groups is None else len(np.unique(rows.groups))


def _too_few(rows: Rows) -> str:
    """Why nothing can be said from so few rows; empty where something can."""
    if (units := _units(rows)) < FEWEST_ROWS:
        return f"only {units} {'rows' if rows.groups is None else 'groups'}, fewer than {FEWEST_ROWS}"
    if rows.task_type.is_classification:
        _, counts = np.unique(rows.truth, return_counts=True)
        if counts.min() < FEWEST_OF_A_CLASS:
            return f"a class has fewer than {FEWEST_OF_A_CLASS} rows"
    return ""


def _resamples(rows: Rows, seed: int, work: int = 1) -> Iterator[Floats]:
    """Counts of the rows, shape (resamples, rows), in pieces. ``work`` is what each resample takes, in scores."""
    random = np.random.default_rng(seed)
    size = len(rows)
    left = min(_MOST, max(_FEWEST if work == 1 else _FEWEST_OF_MANY, _BUDGET // (size * work)))
    strata = _strata(rows)
    while left > 0:
        number = min(left, max(1, _CHUNK // size))
        if rows.groups is None:
            counts = np.empty((number, size))
            for members in strata:
                counts[:, members] = _drawn(random, number, len(members))
        else:
            names, place = np.unique(rows.groups, return_inverse=True)
            counts = _drawn(random, number, len(names))[:, place]
        yield counts
        left -= number


def _strata(rows: Rows) -> list[NDArray[np.int_]]:
    if not rows.task_type.is_classification:
        return [np.arange(len(rows))]
    return [np.flatnonzero(rows.truth == number) for number in np.unique(rows.truth)]


def _drawn(random: np.random.Generator, number: int, size: int) -> Floats:
    """How often each of ``size`` things is drawn in ``size`` draws, ``number`` times."""
    drawn = random.integers(0, size, (number, size)) + np.arange(number)[:, None] * size
    return np.bincount(drawn.ravel(), minlength=number * size).reshape(number, size).astype(np.float64)
