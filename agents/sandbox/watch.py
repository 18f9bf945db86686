"""What no kernel limit holds for all processes of a command together: their number, their memory, the disk's room."""

import asyncio
import math
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from agents.sandbox.fence import Limits

_SECONDS: Final = 0.5
"""From one look to the next. A command that is shorter is not looked at."""


@asynccontextmanager
async def watched(
    limits: Limits, folder: Path, guard: Callable[[], int | None], stop: Callable[[str], None]
) -> AsyncIterator[None]:
    """Call ``stop`` with the reason, once, when what descends from ``guard`` is past its ``limits``."""

    floor = floor_of(limits, folder)

    async def look() -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            if (pid := guard()) is not None and (reason := await asyncio.to_thread(past, limits, folder, floor, pid)):
                stop(reason)
                return

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()


def floor_of(limits: Limits, folder: Path) -> float:
    """Bytes that have to stay free: a disk that is nearly full already does not end what hardly writes to it."""
    return 0.0 if limits.free is None else min(limits.free, _free(folder) / 2)


def _free(folder: Path) -> float:
    """Bytes that are free on the disk of ``folder``; endless where that is not to be known."""
    try:
        room = os.statvfs(folder)
    except OSError:
        return math.inf
    return float(room.f_bavail * room.f_frsize)


def past(limits: Limits, folder: Path, floor: float, guard: int) -> str:
    """Which limit is exceeded, in words that follow "because"; empty where none is."""
    if _free(folder) < floor:
        return f"it left less than {floor / 1e6:,.0f} MB free on the disk"
    with suppress(psutil.Error, OSError):
        family = psutil.Process(guard).children(recursive=True)
        if limits.processes is not None and len(family) > limits.processes:
            return f"it ran more than {limits.processes:,} processes at a time"
        if limits.all_memory is not None and _memory(family, limits.all_memory) > limits.all_memory:
            return f"its processes used more than {limits.all_memory / 1e9:,.1f} GB of memory together"
    return ""


def _memory(family: list[psutil.Process], enough: int) -> int:
    """Bytes in memory, shared pages counted once for each process; counted up to ``enough`` only."""
    total = 0
    for process in family:
        with suppress(psutil.Error, OSError):
            total += process.memory_info().rss
        if total > enough:
            break
    return total
