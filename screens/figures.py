"""Figures as a person reads them, the same everywhere. Without Textual: logs use them too."""

from datetime import timedelta
from typing import Final

MISSING: Final = "–"
"""What stands where a value is not known."""


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


def score(value: float | None) -> str:
    """A metric's value with four significant decimals, without a tail of digits nobody reads."""
    if value is None:
        return MISSING
    magnitude = abs(value)
    if magnitude >= 1_000_000 or 0 < magnitude < 0.001:
        return f"{value:.3g}"
    return f"{value:.4f}" if magnitude < 10 else f"{value:.2f}" if magnitude < 1_000 else f"{value:.1f}"
