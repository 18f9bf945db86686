"""How a person starts this program again: hints must name a command that works as it is typed."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

NAME: Final = "agentomics-tui"


_ALWAYS: Final[list[str]] = []


@contextmanager
def always_with(*words: str) -> Iterator[None]:
    """Let every command line that is told meanwhile end in ``words``, such as the folder of the runs that was named."""
    before, _ALWAYS[:] = tuple(_ALWAYS), words
    try:
        yield
    finally:
        _ALWAYS[:] = before


def to_type(*words: str) -> str:
    """The command line for ``words``: ``.venv/bin/agentomics-tui watch last`` where the script is on no PATH."""
    return " ".join(parts_to_type(*words))


def parts_to_type(*words: str) -> list[str]:
    """The same in parts between which a line may be broken."""
    more = [shlex.join(_ALWAYS)] if _ALWAYS else []
    return [_program(), *map(shlex.quote, words), *more]


@cache
def _program() -> str:
    """The bare name wherever the shell finds it, and in any process that no person started from the command line."""
    started = Path(sys.argv[0])
    as_module = started.name == "__main__.py" and started.parent.name == "agentomics_tui"
    if shutil.which(NAME) or not (as_module or started.name == NAME):
        return NAME
    script = Path(sys.executable).parent / NAME if as_module else started
    if not script.is_file():
        return shlex.join([sys.executable, "-m", "agentomics_tui"])
    script, here = script.absolute(), Path.cwd()
    return shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))
