"""How long a call may take, and whose limit that is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TimeLimit:
    """The limit of one call, in seconds."""

    seconds: float
    own: float | None = None
    """The call's own limit, where the run has less time left than that and so sets the limit; None where it has not."""

    @property
    def words(self) -> str:
        """How long it was, for whoever was ended by it: a script is not blamed for the time of its run."""
        if self.own is None:
            return f"{self.seconds:g} s"
        return (
            f"{self.seconds:.0f} s, all that was left for it of the run's time (the call's own limit is {self.own:g} s)"
        )
