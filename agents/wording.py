"""Scores, durations and counts as a person reads them: the same in logs, reports and on every screen."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agents.state import ParentState

MISSING: Final = "–"
"""What stands where a value is not known."""


def score(value: float | None) -> str:
    """A metric's value with four significant decimals, without a tail of digits nobody reads."""
    if value is None:
        return MISSING
    magnitude = abs(value)
    if magnitude >= 1_000_000 or 0 < magnitude < 0.001:
        return f"{value:.3g}"
    return f"{value:.4f}" if magnitude < 10 else f"{value:.2f}" if magnitude < 1_000 else f"{value:.1f}"


def duration(seconds: float | None) -> str:
    """``0.4s``, ``12s``, ``3m05s``, ``2h07m``, ``3d04h``: at most six characters."""
    if seconds is None:
        return MISSING
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


def fork_words(parent: "ParentState") -> str:
    """Of which run something is a fork, and where: "peptides at iteration 2, Model training"."""
    step = f", {parent.step.label}" if parent.step else ""
    return f"{parent.run_id} at iteration {parent.iteration}{step}"


def counted(count: int, one: str, many: str = "") -> str:
    """``count`` with its noun: "1 line", "2,000 lines"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def first_line(text: str) -> str:
    """The first line that is not blank; the rest of a reason is often a script's traceback."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def last_line(text: str) -> str:
    """The last line that is not blank: of what a script printed, often its exception."""
    return first_line("\n".join(reversed(text.splitlines())))
