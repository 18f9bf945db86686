"""Printing: the one place of the command line that writes to standard output."""

import json
import sys
from typing import Any


def say(line: str = "") -> None:
    """A line for a person, there at once also in a pipe."""
    print(line, flush=True)  # noqa: T201


def complain(line: str) -> None:
    """A line on standard error."""
    print(f"agentomics-tui: {line}", file=sys.stderr, flush=True)  # noqa: T201


def say_json(value: Any) -> None:
    """One JSON object on a line."""
    say(json.dumps(value, ensure_ascii=False, default=str))
