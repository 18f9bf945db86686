"""Numbers as the policy writes them."""

from math import floor


def figure(value: float) -> str:
    """A score with four digits; what is less than 1 is not rounded up to it."""
    text = f"{value:.4g}"
    return f"{floor(value * 1e4) / 1e4:.4f}" if value < 1 and float(text) == 1 else text
