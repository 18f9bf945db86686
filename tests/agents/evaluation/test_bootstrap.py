"""Intervals, paired comparisons and the optimism of picking the best, against simulation and exact cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.evaluation.bootstrap import FEWEST_ROWS, compare, interval, optimism
from agents.evaluation.metrics import METRICS, metrics_for
from agents.evaluation.predictions import Predictions
from agents.evaluation.scoring import compute_scores
from agents.evaluation.weighted import Rows
from agents.vocabulary import Gain, TaskType
from tests.agents.evaluation.test_weighted import drawn
from tests.support.noise import share, simulate


def binary(truth: np.ndarray, positive: np.ndarray) -> Predictions:
    return Predictions((positive > 0.5).astype(float), np.column_stack([1 - positive, positive]))


def classes(size: int) -> Rows:
    return Rows(TaskType.BINARY, (np.arange(size) % 2).astype(float), 2)


def skilled(rows: Rows, seed: int, skill: float) -> Predictions:
    random = np.random.default_rng(seed)
    seen = skill * (2 * rows.truth - 1) + random.normal(0, 1, len(rows))
    return binary(rows.truth, 1 / (1 + np.exp(-seen)))


# --- the interval ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", list(TaskType))
def test_the_interval_holds_the_score_and_the_same_seed_gives_the_same(task: TaskType) -> None:
    rows, predictions = drawn(task, 1, 120, ties=False)
    scores = compute_scores(task, rows.truth, predictions, rows.n_classes)
    for metric in metrics_for(task):
        found = interval(metric.name, rows, predictions, seed=5)
        value = scores[metric.name]
        assert found.low is not None
        assert found.high is not None
        assert value is not None
        assert found.low < value < found.high, metric.name
        assert found == interval(metric.name, rows, predictions, seed=5)
        assert found != interval(metric.name, rows, predictions, seed=6)


def test_an_interval_of_a_mean_is_about_that_of_its_standard_error() -> None:
    random = np.random.default_rng(0)
    errors = random.normal(0, 1, 400)
    rows = Rows(TaskType.REGRESSION, np.zeros(400), 1)
    found = interval("MAE", rows, Predictions(errors, None))
    error = np.abs(errors).std() / 20
    assert found.high is not None
    assert found.low is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["AUROC", "ACC", "MAE", "SPEARMAN"])
def test_the_interval_holds_the_true_score_about_as_often_as_it_says(metric: str) -> None:
    regression = METRICS[metric].for_regression

    def sample(seed: int, size: int) -> tuple[Rows, Predictions]:
        random = np.random.default_rng(seed)
        if not regression:
            return (rows := classes(size)), skilled(rows, seed, 0.7)
        truth = random.normal(0, 1, size)
        return Rows(TaskType.REGRESSION, truth, 1), Predictions(truth + random.normal(0, 1, size), None)

    rows, predictions = sample(10_000, 100_000)
    true = compute_scores(rows.task_type, rows.truth, predictions, 2)[metric]
    assert true is not None
    held = 0
    for seed in range(300):
        found = interval(metric, *sample(seed, 100))
        held += found.low is not None and found.high is not None and found.low <= true <= found.high
    assert 0.90 <= held / 300 <= 0.985


def test_rows_of_a_group_are_no_independent_evidence() -> None:
    random = np.random.default_rng(0)
    errors = np.repeat(random.normal(0, 1, 40), 10)
    rows = Rows(TaskType.REGRESSION, np.zeros(400), 1)
    grouped = Rows(TaskType.REGRESSION, np.zeros(400), 1, np.repeat(np.arange(40), 10))
    alone, together = (interval("MAE", each, Predictions(errors, None)) for each in (rows, grouped))
    assert together.high is not None
    assert together.low is not None
    assert alone.high is not None
    assert alone.low is not None
    assert together.high - together.low > 2 * (alone.high - alone.low)


# --- where nothing can be said ---------------------------------------------------------------------------------------


def test_too_few_rows_groups_or_rows_of_a_class_give_no_interval_and_the_reason() -> None:
    few = classes(FEWEST_ROWS - 1)
    assert interval("AUROC", few, skilled(few, 0, 1)).reason == "only 9 rows, fewer than 10"
    grouped = Rows(TaskType.BINARY, classes(40).truth, 2, np.arange(40) % 4)
    assert interval("AUROC", grouped, skilled(grouped, 0, 1)).reason == "only 4 groups, fewer than 10"
    rare = Rows(TaskType.BINARY, np.r_[np.ones(2), np.zeros(40)], 2)
    assert interval("AUROC", rare, skilled(rare, 0, 1)).reason == "a class has fewer than 3 rows"


def test_a_perfect_or_a_constant_prediction_gives_no_interval_of_no_width() -> None:
    rows = classes(40)
    for positive in (rows.truth, np.full(40, 0.3)):
        found = interval("AUROC", rows, binary(rows.truth, positive))
        assert (found.low, found.high, found.reason) == (None, None, "every resample scores the same")


def test_a_metric_that_most_resamples_leave_undefined_gives_no_interval() -> None:
    rows = Rows(TaskType.REGRESSION, np.arange(12.0), 1)
    predictions = Predictions(np.r_[np.zeros(11), 1.0], None)  # constant wherever the last row is not drawn
    assert interval("PEARSON", rows, predictions).reason.startswith("the metric is undefined in 3")
    assert compare("PEARSON", rows, predictions, predictions).verdict is Gain.UNKNOWN


def test_without_enough_rows_nothing_is_said_of_a_gain() -> None:
    rows = classes(8)
    found = compare("ACC", rows, skilled(rows, 0, 2), skilled(rows, 1, 0))
    assert (found.verdict, found.chance) == (Gain.UNKNOWN, None)
    assert found.interval.reason == "only 8 rows, fewer than 10"


# --- the comparison --------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(METRICS)), st.integers(0, 10_000))
def test_truth_is_a_real_gain_over_noise_and_noise_a_real_loss_in_either_direction(name: str, seed: int) -> None:
    """Both directions of each metric."""
    task = TaskType.REGRESSION if METRICS[name].for_regression else TaskType.BINARY
    rows, noise = drawn(task, seed, 200, ties=False)
    random = np.random.default_rng(seed + 1)
    if task is TaskType.REGRESSION:
        noise = Predictions(random.normal(50, 9, 200), None)
        good = Predictions(rows.truth + random.normal(0, 0.1, 200), None)
    else:
        good = binary(rows.truth, np.clip(0.9 * rows.truth + 0.05 + random.normal(0, 0.05, 200), 0, 1))
    gain, loss = compare(name, rows, good, noise), compare(name, rows, noise, good)
    assert (gain.verdict, loss.verdict) == (Gain.REAL, Gain.WORSE)
    assert gain.difference is not None
    assert (gain.difference > 0) is METRICS[name].higher_is_better
    assert loss.difference == pytest.approx(-gain.difference)
    assert gain.chance == pytest.approx(1 - (loss.chance or 0))


@pytest.mark.parametrize("task", list(TaskType))
def test_a_candidate_like_the_best_is_within_noise_with_an_even_chance(task: TaskType) -> None:
    rows, predictions = drawn(task, 2, 60, ties=True)
    for metric in metrics_for(task):
        found = compare(metric.name, rows, predictions, predictions)
        assert (found.difference, found.chance, found.verdict) == (0, 0.5, Gain.NOISE), metric.name


def test_more_comparisons_ask_for_more_evidence() -> None:
    rows = classes(200)
    weak, strong = skilled(rows, 1, 0.5), skilled(rows, 2, 0.9)
    once, often = (compare("AUROC", rows, strong, weak, number) for number in (1, 10_000))
    assert once.verdict is Gain.REAL
    assert often.verdict is Gain.NOISE
    assert once.chance == often.chance


def test_a_comparison_of_50_000_rows_uses_fewer_resamples_and_agrees_with_theory() -> None:
    rows = classes(50_000)
    one, other = skilled(rows, 1, 0.50), skilled(rows, 2, 0.53)
    found = compare("ACC", rows, other, one)
    right = [(predictions.values == rows.truth).astype(float) for predictions in (other, one)]
    error = (right[0] - right[1]).std() / np.sqrt(50_000)
    assert found.interval.low is not None
    assert found.interval.high is not None
    assert found.interval.high - found.interval.low == pytest.approx(2 * 1.96 * error, rel=0.2)
    assert found.verdict is Gain.REAL


# --- a whole run of comparisons --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("dearer", [False, True])
def test_of_200_runs_of_pure_noise_at_most_one_in_twenty_calls_a_gain_real(dearer: bool) -> None:
    runs = [simulate(number, 0.0, candidates=4, dearer=dearer) for number in range(200)]
    assert share(runs, false=True) <= 0.05


@pytest.mark.slow
def test_a_true_gain_is_found_and_a_larger_one_more_often() -> None:
    small, large = ([simulate(number, gain, candidates=4) for number in range(44)] for gain in (0.1, 0.4))
    assert share(small, false=False) < share(large, false=False)
    assert share(large, false=False) >= 0.5


# --- the best of many ------------------------------------------------------------------------------------------------


def test_picking_the_best_of_equal_candidates_is_as_optimistic_as_it_is_found_to_be() -> None:
    rows = classes(200)
    expected, true = [], []
    for seed in range(20):
        candidates = [skilled(rows, 100 * seed + number, 0.5) for number in range(10)]
        scores = [compute_scores(rows.task_type, rows.truth, each, 2)["ACC"] or 0 for each in candidates]
        found = optimism("ACC", rows, candidates)
        assert found is not None
        assert found.candidates == 10
        assert found.corrected == pytest.approx(max(scores) - found.expected)
        expected.append(found.expected)
        true.append(max(scores) - 0.6915)  # the normal distribution at 0.5
    assert np.mean(expected) == pytest.approx(np.mean(true), abs=0.015)


def test_a_loss_is_corrected_upwards() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(0, 1, 100)
    candidates = [Predictions(truth + random.normal(0, 1, 100), None) for _ in range(8)]
    rows = Rows(TaskType.REGRESSION, truth, 1)
    found = optimism("MAE", rows, candidates)
    least = min(compute_scores(rows.task_type, truth, each, 1)["MAE"] or 9 for each in candidates)
    assert found is not None
    assert found.expected > 0
    assert found.corrected == pytest.approx(least + found.expected)


def test_one_candidate_or_few_rows_allow_no_word_on_optimism() -> None:
    rows = classes(60)
    assert optimism("ACC", rows, [skilled(rows, 0, 1)]) is None
    few = classes(8)
    assert optimism("ACC", few, [skilled(few, 0, 1), skilled(few, 1, 1)]) is None


def test_one_that_is_clearly_the_best_is_hardly_too_good() -> None:
    rows = classes(400)
    found = optimism("AUROC", rows, [skilled(rows, 0, 2), *(skilled(rows, seed, 0) for seed in range(1, 6))])
    assert found is not None
    assert found.expected < 0.01
