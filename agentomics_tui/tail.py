"""The end of a file that may still grow, may not exist yet, and may be of any size."""

import os
from pathlib import Path
from typing import Final

END_BYTES: Final = 16_384
"""More than any live pane shows."""


def read_end(path: Path, at_most: int = END_BYTES, until: int | None = None) -> tuple[str, int]:
    """The last lines of ``path`` within ``at_most`` bytes, and the size of the whole file; empty where there is none.

    With ``until`` the file is taken to end behind so many bytes.

    A line of which only the end lies within the limit is left out, unless there is no other.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if until is not None:
                size = min(size, until)
            start = max(0, size - at_most)
            file.seek(start)
            data = file.read(size - start)
    except OSError:
        return "", 0
    if size > at_most:
        first, newline, rest = data.partition(b"\n")
        data = rest if newline and rest else first
    return data.decode(errors="replace"), size
