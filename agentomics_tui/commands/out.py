"""Printing: the one place of the command line that writes to the terminal.

What is printed often comes from files, models and other people, so nothing gets through that a terminal would obey.
"""

import json
import sys
from io import TextIOWrapper
from typing import Any

from pydantic import BaseModel

from screens.plain import harmless


def single_line(text: str) -> str:
    """``text`` as it may stand on one line: harmless, each line break a blank, other blanks as they are."""
    return harmless(" ".join(text.splitlines()))


def say(line: str = "") -> None:
    """A line for a person, there at once also in a pipe."""
    _print(single_line(line))


def say_text(text: str) -> None:
    """A text of many lines for a person."""
    _print("\n".join(single_line(line) for line in text.splitlines()))


def complain(line: str) -> None:
    """A line on standard error."""
    print(f"agentomics-tui: {single_line(line)}", file=sys.stderr, flush=True)  # noqa: T201


def say_json(value: Any) -> None:
    """One JSON object on a line; an event stands there as in the journal."""
    _print(value.model_dump_json() if isinstance(value, BaseModel) else json.dumps(value, default=str))


def replace_what_cannot_be_encoded() -> None:
    """Have a terminal without UTF-8 show ``?`` for what it has no character for."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201
