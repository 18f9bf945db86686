"""How sure a validation score is and whether it is a gain: what the journal holds of it, and its words."""

from dataclasses import dataclass

from agents.vocabulary import Gain
from agents.wording import score


@dataclass(frozen=True)
class Certainty:
    """Of one candidate's validation score. Bounds are at 95 %; None: nothing can be said, and a reason why."""

    low: float | None = None
    high: float | None = None
    unsure: str = ""
    """Why there are no bounds."""
    compared: int = 1
    """How many candidates had a score on this split version by then, this one included."""
    against: int | None = None
    """Iteration of the best that it was compared with; None for the first one of a split version."""
    verdict: Gain | None = None
    difference: float | None = None
    """Candidate less best, on the rows that neither was trained on."""
    difference_low: float | None = None
    difference_high: float | None = None
    chance: float | None = None
    """That the candidate is the better one, from 0 to 1."""
    rows: int = 0
    """Rows of the comparison."""
    why: str = ""
    """Why it could not be compared, where ``verdict`` is unknown."""
    seconds: float | None = None
    """Of its inference on the validation split."""
    bytes: int | None = None
    """Of its artifacts."""

    @property
    def bounds(self) -> str:
        """The interval, such as ``0.7512–0.8734``; empty where there is none."""
        return "" if self.low is None or self.high is None else f"{score(self.low)}–{score(self.high)}"

    @property
    def gain(self) -> str:
        """The verdict and the chance, such as ``real 97 %``; empty for the first candidate of a split."""
        match self.verdict:
            case None:
                return ""
            case Gain.UNKNOWN:
                return "not comparable"
            case _:
                return f"{self.verdict} {percent(self.chance)}".strip()


def percent(chance: float | None) -> str:
    """A chance as a person reads it; one that was counted in resamples is never quite 0 or 1."""
    if chance is None:
        return ""
    if chance > 0.99:
        return ">99 %"
    return "<1 %" if chance < 0.01 else f"{chance:.0%}".replace("%", " %")


def gain_in_words(certainty: Certainty) -> str:
    """What the comparison with the best came to, in words; empty where there was none."""
    match certainty.verdict:
        case None:
            return ""
        case Gain.UNKNOWN:
            return f"not comparable: {certainty.why}" if certainty.why else "not comparable"
        case Gain.NOISE:
            verdict = "the difference is within noise"
        case Gain.REAL:
            verdict = "the gain is real"
        case Gain.WORSE:
            verdict = "the loss is real"
    chance = percent(certainty.chance)
    return f"{verdict} (chance to be the better one {chance})" if chance else verdict
