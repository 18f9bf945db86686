"""Which of two candidates a run goes on with."""

import pytest

from agents.evaluation.bootstrap import Comparison, Interval
from agents.evaluation.choice import Cost, takes_over
from agents.vocabulary import Gain

CHEAP, DEAR = Cost(3.0, 1_000), Cost(60.0, 1_000)


def found(verdict: Gain, difference: float | None) -> Comparison:
    return Comparison(difference, Interval(), 0.5, verdict, 100)


@pytest.mark.parametrize(("metric", "better"), [("AUROC", 0.1), ("MAE", -0.1)])
class TestBothDirections:
    def test_a_real_gain_takes_over_whatever_it_costs(self, metric: str, better: float) -> None:
        assert takes_over(metric, 0.5 + better, 0.5, found(Gain.REAL, better), DEAR, CHEAP)
        assert not takes_over(metric, 0.5 - better, 0.5, found(Gain.WORSE, -better), CHEAP, DEAR)

    def test_a_better_score_within_noise_takes_over_unless_it_is_clearly_dearer(
        self, metric: str, better: float
    ) -> None:
        tie = found(Gain.NOISE, better)
        assert takes_over(metric, 0.5 + better, 0.5, tie, CHEAP, CHEAP)
        assert takes_over(metric, 0.5 + better, 0.5, tie, CHEAP, DEAR)
        assert not takes_over(metric, 0.5 + better, 0.5, tie, DEAR, CHEAP)

    def test_a_lower_score_never_takes_over_so_that_ties_do_not_add_up_to_a_loss(
        self, metric: str, better: float
    ) -> None:
        assert not takes_over(metric, 0.5 - better, 0.5, found(Gain.NOISE, -better), CHEAP, DEAR)

    def test_without_a_comparison_the_scores_decide(self, metric: str, better: float) -> None:
        for comparison in (None, found(Gain.UNKNOWN, better)):
            assert takes_over(metric, 0.5 + better, 0.5, comparison, DEAR, CHEAP)
            assert not takes_over(metric, 0.5, 0.5, comparison, CHEAP, DEAR)
            assert takes_over(metric, 0.5, None, comparison, DEAR, Cost())


def test_an_equal_score_takes_over_if_it_is_clearly_cheaper() -> None:
    tie = found(Gain.NOISE, 0.0)
    assert takes_over("AUROC", 0.5, 0.5, tie, CHEAP, DEAR)
    assert not takes_over("AUROC", 0.5, 0.5, tie, CHEAP, CHEAP)


@pytest.mark.parametrize(
    ("one", "other", "above"),
    [
        (Cost(60.0, 1), Cost(3.0, 10**9), True),  # time comes first
        (Cost(2.9, 1), Cost(1.0, 1), False),  # the start of Python
        (Cost(120.0, 1), Cost(100.0, 1), False),  # the load of the machine
        (Cost(3.0, 10**8), Cost(3.5, 10**6), True),  # about as fast, and far larger
        (Cost(3.0, 9_000), Cost(3.0, 1_000), False),
        (Cost(None, None), Cost(3.0, 1_000), False),
        (Cost(3.0, 1_000), Cost(), False),
    ],
)
def test_dearer_is_slower_by_far_or_larger_by_far(one: Cost, other: Cost, above: bool) -> None:
    assert one.is_clearly_above(other) is above
    assert not (above and other.is_clearly_above(one))
