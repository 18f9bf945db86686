"""How a person starts this program again: hints must name a command that works as it is typed."""

import shlex
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Final

NAME: Final = "agentomics-tui"


def to_type(*words: str) -> str:
    """The command line for ``words``: ``.venv/bin/agentomics-tui watch last`` where the script is on no PATH."""
    return f"{_program()} {shlex.join(words)}"


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
