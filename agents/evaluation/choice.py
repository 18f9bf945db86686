"""Which of two candidates a run goes on with, once they were compared."""

from dataclasses import dataclass
from typing import Final

from agents.evaluation.bootstrap import Comparison
from agents.evaluation.metrics import METRICS, is_better
from agents.vocabulary import Gain

_TIMES: Final = 1.5
_SECONDS: Final = 2.0
"""Less is the start of Python and the other load of the machine."""
_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class Cost:
    """What it takes to use a model; None: not known."""

    seconds: float | None = None
    """Of its inference on the validation split."""
    bytes: int | None = None
    """Of its artifacts."""

    def is_clearly_above(self, other: "Cost") -> bool:
        """Whether it is slower by far, or about as fast and larger by far."""
        slower = _far_above(self.seconds, other.seconds, _SECONDS)
        if slower or _far_above(other.seconds, self.seconds, _SECONDS):
            return slower
        return _far_above(self.bytes, other.bytes, _BYTES)


def _far_above(one: float | None, other: float | None, least: float) -> bool:
    return one is not None and other is not None and one > _TIMES * other and one - other > least


def takes_over(
    metric: str, value: float, incumbent: float | None, comparison: Comparison | None, cost: Cost, best_cost: Cost
) -> bool:
    """Whether a candidate with the score ``value`` replaces the best, whose score is ``incumbent``.

    A real gain does, whatever it costs. Within noise the simpler or faster of the two stays or comes, but never one of
    a lower score on the same rows: ties would else add up to a loss. So a higher score within noise wins unless it is
    clearly dearer to use, and an equal one wins if it is clearly cheaper. Without a comparison the scores decide.
    """
    if comparison is None or comparison.verdict is Gain.UNKNOWN or comparison.difference is None:
        return is_better(METRICS[metric], value, incumbent)
    if comparison.verdict is not Gain.NOISE:
        return comparison.verdict is Gain.REAL
    if comparison.difference == 0:
        return best_cost.is_clearly_above(cost)
    gained = (comparison.difference > 0) is METRICS[metric].higher_is_better
    return gained and not cost.is_clearly_above(best_cost)
