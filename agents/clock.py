"""Time, for those who do not get it passed in."""

from datetime import UTC, datetime
from time import monotonic


def utc_now() -> datetime:
    return datetime.now(UTC)


class Stopwatch:
    """Seconds since it was made, by a clock that nobody sets."""

    def __init__(self) -> None:
        self._start = monotonic()

    @property
    def seconds(self) -> float:
        return round(monotonic() - self._start, 4)
