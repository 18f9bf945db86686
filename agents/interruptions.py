"""What a person ends before it is done."""

from typing import Final

from agents.vocabulary import StepName


class Interruption(Exception):
    """A person ended what was running; the message says who asked."""


class StepRepeats(Interruption):
    """Begin again at ``back_to``, which is the step that runs or an earlier one; None is the one that runs.

    ``anew``: what a person wants to be done otherwise; else the step only goes on later.
    """

    def __init__(self, reason: str, back_to: StepName | None = None, *, anew: bool = False) -> None:
        super().__init__(reason)
        self.back_to = back_to
        self.anew = anew


class StepInterrupted(Interruption):
    """Skip this step."""


class IterationInterrupted(Interruption):
    """Skip this iteration."""


class RunInterrupted(Interruption):
    """Stop now."""


class AskedAgain(Exception):
    """A person cancelled a model call and wants it to be made again."""


_REACH: Final = (StepRepeats, StepInterrupted, IterationInterrupted, RunInterrupted)


def is_stronger(new: Interruption, pending: Interruption | None) -> bool:
    """Whether ``new`` ends more than what is being ended already: its tools take a moment to go."""
    return pending is None or _REACH.index(type(new)) > _REACH.index(type(pending))
