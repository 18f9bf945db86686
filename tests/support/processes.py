"""Processes that somebody left running."""

import os
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


def processes_of(folder: Path) -> dict[int, str]:
    """Command lines of the processes that work in ``folder``, or that it is named to; needs Linux's /proc."""
    name, found = os.fsencode(folder), {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes()
            texts = (command, (process / "environ").read_bytes(), os.fsencode((process / "cwd").readlink()))
            if any(name in text for text in texts):
                found[int(process.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found
