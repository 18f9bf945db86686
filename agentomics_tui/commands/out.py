"""Printing: the one place of the command line that writes to the terminal.

What is printed often comes from files, models and other people, so nothing gets through that a terminal would obey.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Any

from pydantic import BaseModel

from screens.plain import harmless


class OutputFailed(Exception):
    """Standard output cannot be written to, such as on a full disk; the message is one line."""


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
    with suppress(OSError):  # where even that cannot be written, the exit status has to tell
        print(f"agentomics-tui: {single_line(line)}", file=sys.stderr, flush=True)  # noqa: T201


def say_json(value: Any) -> None:
    """One JSON object on a line; an event stands there as in the journal."""
    _print(value.model_dump_json() if isinstance(value, BaseModel) else json.dumps(value, default=str))


def say_data(text: str) -> None:
    """A table for another program, byte for byte in UTF-8; harmless where it goes to a terminal."""
    if sys.stdout.isatty():
        say_text(text)
        return
    with _telling():
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()


def open_what_is_closed() -> None:
    """Stand-ins for standard streams that whoever started the program has closed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115


def give_up_output() -> None:
    """Let what could not be written go, or Python complains about it once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def replace_what_cannot_be_encoded() -> None:
    """Have a terminal without UTF-8 show ``?`` for what it has no character for."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _print(text: str) -> None:
    with _telling():
        print(text, flush=True)  # noqa: T201


@contextmanager
def _telling() -> Iterator[None]:
    """Say that it is standard output which fails."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailed(f"standard output: {error.strerror or error}") from None
