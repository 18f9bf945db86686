"""Processes that somebody left running."""

from contextlib import suppress
from pathlib import Path


def processes_in(folder: Path) -> list[str]:
    """Command lines of the processes whose working folder lies in ``folder``; needs Linux's /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
