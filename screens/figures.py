"""Figures as a person reads them, the same everywhere. Without Textual: logs use them too."""

from datetime import timedelta

from agents.wording import MISSING as MISSING
from agents.wording import duration as duration
from agents.wording import score as score


def ticking(seconds: float) -> str:
    """Like :func:`duration`, in whole seconds that passed: for what ticks."""
    whole = max(0, int(seconds))
    return duration(whole) if whole > 9 else f"{whole}s"


def clock(elapsed: timedelta) -> str:
    """``0:04:07`` or ``3d 04:07:00``, of fixed form so that it can tick in place."""
    whole = int(elapsed.total_seconds())
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    return f"{days}d {hours:02d}:{minutes:02d}:{seconds:02d}" if days else f"{hours}:{minutes:02d}:{seconds:02d}"


def size(count: int) -> str:
    """``0 B``, ``812 B``, ``4.1 kB``, ``37 MB``: at most seven characters."""
    if count < 1_000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1_000
        if value < 999.5 or unit == "GB":
            break
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def count(number: int) -> str:
    """``950``, ``18.4k``, ``2.3M``."""
    if number < 1_000:
        return str(number)
    if number < 999_950:
        return f"{number / 1_000:.1f}k"
    return f"{number / 1_000_000:.1f}M"
