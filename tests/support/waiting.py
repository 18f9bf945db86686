"""Waiting for something to come true, with far more time than it can need."""

import asyncio
from collections.abc import Callable


async def until_true(true: Callable[[], bool], what: str = "") -> None:
    """Let other tasks work until ``true()``."""
    for _ in range(600):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"it never came true: {what or true}")
