"""The command line: what each command takes, and which function does it.

Nothing heavy is imported before a command is known; a command imports what it needs.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final, NoReturn

from agentomics_tui.commands.out import (
    OutputFailed,
    complain,
    give_up_output,
    open_what_is_closed,
    replace_what_cannot_be_encoded,
)
from agentomics_tui.commands.paths import runs_dir
from agents.errors import UserError
from agents.run_folder import RUNS_DIR_VARIABLE
from agents.settings import RunSettings
from agents.version import software_version
from agents.vocabulary import BUILTIN_MODEL

_BAD_INPUT: Final = 2
_INTERRUPTED: Final = 130
_DEMO_ITERATIONS: Final = 3
_DEFAULT_ITERATIONS: Final[int] = RunSettings.model_fields["iterations"].default

Command = Callable[[argparse.Namespace], int]

_EPILOGUE: Final = f"""\
RUN is a run's id, a unique beginning of it, a path, or 'last'. Runs lie below --runs-dir, else ${RUNS_DIR_VARIABLE},
else the user's data folder. Exit status: 0 finished with a snapshot, 1 finished without one or failed, 2 bad input,
3 stopped by a person or a budget, 130 interrupted. Without a command the run library opens."""


def run_command(arguments: Sequence[str]) -> int:
    """Parse ``arguments``, do what they say and return the exit status."""
    open_what_is_closed()
    options = _parser().parse_args(arguments)
    replace_what_cannot_be_encoded()
    try:
        _check_text(arguments)
        options.runs_dir = runs_dir(options.runs_dir)
        module, function = options.command.rsplit(":", 1)
        command: Command = getattr(import_module(f"agentomics_tui.commands.{module}"), function)
        return command(options)
    except UserError as error:
        complain(str(error))
        return _BAD_INPUT
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        give_up_output()  # the reader of a pipe (head, less) has seen enough
        return 0
    except OutputFailed as error:
        give_up_output()
        complain(str(error))
        return _BAD_INPUT
    except OSError as error:
        # Where a person can do more than look at the file, the command itself says so.
        reason = error.strerror or str(error)
        complain(f"{error.filename}: {reason}" if error.filename else reason)
        return _BAD_INPUT


def _check_text(arguments: Sequence[str]) -> None:
    """Refuse what cannot be written to a run's files, which are UTF-8."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UserError(f"the argument {os.fsencode(argument)!r} is not UTF-8 text") from None


class _Parser(argparse.ArgumentParser):
    """Tells a slip in one line, as every other error is told."""

    def error(self, message: str) -> NoReturn:
        complain(f"{message} (see: {self.prog} --help)")
        raise SystemExit(_BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    everywhere = _Parser(add_help=False)
    everywhere.add_argument("--runs-dir", metavar="DIR", help="folder of the runs")
    parser = _Parser(
        prog="agentomics-tui",
        description="An autonomous agent builds machine-learning models for omics data, live in your terminal.",
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[everywhere],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"agentomics-tui {software_version()}")
    parser.set_defaults(command="look:library")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, function: str, text: str, *, run: bool = False) -> argparse.ArgumentParser:
        # SUPPRESS: a flag that is not given after the command must not undo the one before it.
        after = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
        after.add_argument("--runs-dir", metavar="DIR", help="folder of the runs")
        command = commands.add_parser(name, help=text, description=text, parents=[after], allow_abbrev=False)
        command.set_defaults(command=function)
        if run:
            command.add_argument("run", metavar="RUN", help="id, unique beginning, path, or 'last'")
        return command

    demo = add("demo", "run:demo", "a real run on the embedded peptide dataset: no key, no network, minutes")
    _add_run_options(demo, _DEMO_ITERATIONS)
    start = add("run", "run:run", "start a run on a dataset and watch it")
    start.add_argument("dataset", metavar="DATASET", help="folder of the dataset")
    start.add_argument("--label-column", metavar="COLUMN", help="column to predict, where metadata.json does not say")
    start.add_argument("--metric", help="metric to judge by (see: agentomics-tui metrics)")
    _add_run_options(start, _DEFAULT_ITERATIONS)

    add("watch", "look:watch", "open the dashboard of a run, live or over", run=True)
    _json(add("runs", "look:runs", "list all runs"))
    _json(add("status", "look:status", "say how a run stands", run=True))
    logs = _json(add("logs", "look:logs", "print a run's events, a line each", run=True))
    logs.add_argument("--follow", action="store_true", help="go on until the run is over")

    add("pause", "steer:pause", "stand still before the next model or tool call", run=True)
    add("resume", "steer:resume", "go on after a pause, or restart a run whose engine died", run=True)
    skip = add("skip", "steer:skip", "end the current step or iteration", run=True)
    what = skip.add_mutually_exclusive_group(required=True)
    what.add_argument("--step", action="store_true", help="end the current step and its tool")
    what.add_argument("--iteration", action="store_true", help="go to the next iteration")
    stop = add("stop", "steer:stop", "finish this iteration, evaluate, report, end", run=True)
    stop.add_argument("--now", action="store_true", help="end running tools and evaluate the best so far")
    say = add("say", "steer:say", "send a note to the agent", run=True)
    say.add_argument("text", metavar="TEXT", help="the note")

    predict = add("predict", "use:predict", "predict new data with a run's best snapshot", run=True)
    predict.add_argument("--input", required=True, metavar="DIR|CSV|FASTA", help="the inputs, no labels")
    predict.add_argument("--output", required=True, metavar="CSV", help="file to write; - prints")
    add("report", "use:report", "print a run's report (Markdown)", run=True)

    check = _json(add("check", "prepare:check", "say what is understood of a dataset, and what is wrong with it"))
    check.add_argument("dataset", metavar="DATASET", help="folder of the dataset")
    check.add_argument("--label-column", metavar="COLUMN", help="column to predict")
    check.add_argument("--metric", help="metric to judge by")
    _json(add("metrics", "prepare:metrics", "list the metrics with their directions"))
    return parser


def _json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _add_run_options(parser: argparse.ArgumentParser, iterations: int) -> None:
    add = parser.add_argument
    add("--model", metavar="M", default=BUILTIN_MODEL, help=f"provider/model for litellm, or {BUILTIN_MODEL} (default)")
    add("--iteration-plan-model", metavar="M", help="another model for planning")
    text = "iterations, the baseline included (default %(default)s)"
    add("--iterations", type=int, metavar="N", default=iterations, help=text)
    add("--exploration-iterations", type=int, metavar="N", help="that must try something new (default 2)")
    add("--split-allowed-iterations", type=int, metavar="N", help="that may change the split (default 1)")
    add("--seed", type=int, metavar="S", help="seed of everything random (default 0)")
    add("--timeout", type=float, metavar="SECONDS", help="no new iteration starts after it (default: no limit)")
    add("--cpus", type=int, metavar="N", help="threads for generated code (default: all of this process)")
    add("--note", metavar="TEXT", help="what the agent should know from the start")
    add("--run-id", metavar="ID", help="name of the run's folder")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--headless", action="store_true", help="no screen: a line for each event")
    shown.add_argument("--detach", action="store_true", help="start the run and return at once")
    _json(parser)
    limit = parser.add_argument_group("limits of one step, and how the model is asked").add_argument
    limit("--max-steps", type=int, metavar="N", help="model calls in one step (default 100)")
    limit("--max-validation-retries", type=int, metavar="N", help="rejected outputs before a step fails (default 10)")
    limit("--llm-response-timeout", type=float, metavar="SECONDS", help="for one whole reply (default 900)")
    limit("--bash-timeout", type=float, metavar="SECONDS", help="of one bash call (default 300)")
    limit("--run-python-timeout", type=float, metavar="SECONDS", help="of one script (default 21600)")
    limit("--temperature", type=float, metavar="T", help="of the model, 0 to 2 (default 1)")
