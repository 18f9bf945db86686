"""The table of metrics and its direction."""

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.errors import UserError
from agents.evaluation.metrics import METRICS, default_metric, is_better, metric_named, metrics_for
from agents.vocabulary import TaskType

NOT_FINITE = (None, math.nan, math.inf, -math.inf)


def test_errors_and_losses_are_better_when_lower_and_everything_else_when_higher() -> None:
    lower = {metric.name for metric in METRICS.values() if not metric.higher_is_better}
    assert lower == {"LOG_LOSS", "MSE", "RMSE", "MAE", "MAPE"}


def test_every_metric_belongs_to_classification_or_to_regression() -> None:
    classification = {metric.name for metric in metrics_for(TaskType.MULTICLASS)}
    assert classification == {"ACC", "AUROC", "AUPRC", "F1", "MCC", "LOG_LOSS"}
    assert {metric.name for metric in metrics_for(TaskType.REGRESSION)} == set(METRICS) - classification


def test_the_best_value_lies_on_the_better_side_of_the_worst() -> None:
    for metric in METRICS.values():
        best, worst = metric.bounds
        assert worst is None or is_better(metric, best, worst)


def test_defaults() -> None:
    assert default_metric(TaskType.BINARY).name == default_metric(TaskType.MULTICLASS).name == "AUROC"
    assert default_metric(TaskType.REGRESSION).name == "MAE"


@pytest.mark.parametrize("written", ["log_loss", "LOG_LOSS", "Log-Loss", " log loss "])
def test_a_metric_is_found_in_any_spelling(written: str) -> None:
    assert metric_named(written, TaskType.BINARY) is METRICS["LOG_LOSS"]


def test_an_unknown_metric_is_answered_with_those_of_the_task() -> None:
    with pytest.raises(
        UserError, match=r"'AUK' is not known; use one of: MSE, RMSE, MAE, MAPE, R2, PEARSON, SPEARMAN$"
    ):
        metric_named("AUK", TaskType.REGRESSION)


def test_a_metric_of_the_other_task_is_refused() -> None:
    with pytest.raises(UserError, match="RMSE is not for classification; use one of: ACC"):
        metric_named("rmse", TaskType.MULTICLASS)


def test_without_a_task_every_metric_is_known() -> None:
    assert metric_named("rmse").name == "RMSE"


@given(st.sampled_from(sorted(METRICS)), st.sampled_from(NOT_FINITE), st.one_of(st.floats(), st.none()))
def test_what_is_not_finite_never_wins(name: str, candidate: float | None, incumbent: float | None) -> None:
    assert not is_better(METRICS[name], candidate, incumbent)


@given(st.sampled_from(sorted(METRICS)), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(NOT_FINITE))
def test_anything_finite_beats_what_is_not(name: str, candidate: float, incumbent: float | None) -> None:
    assert is_better(METRICS[name], candidate, incumbent)


@given(st.sampled_from(sorted(METRICS)), st.floats(-10, 10), st.floats(-10, 10))
def test_of_two_different_values_exactly_one_is_better(name: str, one: float, other: float) -> None:
    wins = is_better(METRICS[name], one, other) + is_better(METRICS[name], other, one)
    assert wins == (one != other)


def test_the_table_and_the_preflight_load_no_data_library() -> None:
    code = (
        "import sys, agents.evaluation.metrics, agents.data.layout, agents.data.metadata;"
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'scipy', 'litellm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
