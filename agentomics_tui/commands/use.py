"""Using what a run made."""

import argparse
import io
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, Final

from agentomics_tui.commands.out import complain, say, say_data, say_text
from agentomics_tui.commands.paths import absolute, find_run
from agents.errors import UserError

_STANDARD_INPUT: Final = ("-", "/dev/stdin", "/dev/fd/0")
_STANDARD_OUTPUT: Final = ("-", "/dev/stdout", "/dev/fd/1")


def predict(options: argparse.Namespace) -> int:
    """Predict new data with the best snapshot."""
    from agents.predict import predict as predict_with

    run = find_run(options.run, options.runs_dir)
    source = _standard_input() if options.input in _STANDARD_INPUT else absolute(options.input)
    with _ending_cleanly():
        if options.output in _STANDARD_OUTPUT:
            text = io.StringIO()
            predict_with(run, source, text, complain)
            say_data(text.getvalue())
            return 0
        output = absolute(options.output)
        rows = predict_with(run, source, output, complain)
    say(f"{rows:,} predictions written to {output}")
    return 0


def _standard_input() -> IO[bytes]:
    if sys.stdin is None:  # whoever started the program has closed it
        raise UserError("--input -: there is no standard input to read")
    return sys.stdin.buffer


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind what runs outside of an event loop too; see :func:`agents.tasks.run_endable`."""

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one must not disturb the cleaning up
        raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def report(options: argparse.Namespace) -> int:
    """Print the run's report."""
    run = find_run(options.run, options.runs_dir)
    path = run.report / "report.md"
    if not path.is_file():
        raise UserError(f"run {run.run_id} has no report yet: it is written when the run ends")
    say_text(path.read_text(encoding="utf-8", errors="replace").rstrip())
    return 0
