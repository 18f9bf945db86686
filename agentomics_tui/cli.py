"""The command line: what each command takes, and which function does it.

Nothing heavy is imported before a command is known; a command imports what it needs.
"""

import argparse
import os
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final, get_args

from agentomics_tui.arguments import BAD_INPUT, CommandParser, Parser, or_none
from agentomics_tui.commands.out import (
    OutputFailed,
    complain,
    give_up_output,
    open_what_is_closed,
    replace_what_cannot_be_encoded,
)
from agentomics_tui.commands.paths import runs_dir
from agentomics_tui.user_settings import DEMO_ITERATIONS, OFF, PREFIX, PROJECT_FILE, USER_FILE, user_folder
from agents.errors import UserError
from agents.program import always_with
from agents.run_folder import RUNS_DIR_VARIABLE
from agents.settings import Effort, RunSettings
from agents.version import software_version
from agents.vocabulary import Gate, NoteTime, StepName

_INTERRUPTED: Final = 130

STEERING: Final = (
    "pause",
    "resume",
    "skip",
    "redo",
    "ask-again",
    "raise",
    "stop",
    "say",
    "gates",
    "approve",
    "reject",
)
"""Commands that change a run which somebody may hold control of."""
_DEFAULT: Final = re.compile(r" \(default.*\)$")

Command = Callable[[argparse.Namespace], int]

_FORK: Final = """\
Without --iteration and --step it goes on behind the last finished step. What no flag says is as in RUN, whatever
settings files say. Money, tokens and time are counted from the fork. RUN is only read; it may be running."""

_NONE: Final = f"""\
The word {OFF} switches a limit off for this run, whatever a variable or a settings file says; so it does after
--iteration-plan-model, --fallback-model, --api-base, --metric, --note, --approve, --notify-command,
--iteration-plan-temperature and --context-window."""

_EPILOGUE: Final = f"""\
RUN is a run's id, a unique beginning of it, a path, or 'last'. Runs lie below --runs-dir, else ${RUNS_DIR_VARIABLE},
else what a settings file says, else the user's data folder. Flags win over ${PREFIX}* variables, those over
{PROJECT_FILE} in the current folder, that over {USER_FILE} in {user_folder()}. Exit status:
0 finished with a snapshot, 1 finished without one or failed, 2 bad input, 3 stopped by a person or a budget,
130 interrupted. Without a command the run library opens."""


def run_command(arguments: Sequence[str]) -> int:
    """Parse ``arguments``, do what they say and return the exit status."""
    open_what_is_closed()
    options = _parser().parse_args(arguments)
    replace_what_cannot_be_encoded()
    try:
        _check_text(arguments)
        named = ("--runs-dir", options.runs_dir) if options.runs_dir else ()
        options.runs_dir = runs_dir(options.runs_dir)
        module, function = options.command.rsplit(":", 1)
        command: Command = getattr(import_module(f"agentomics_tui.commands.{module}"), function)
        with always_with(*named):
            return command(options)
    except UserError as error:
        complain(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        give_up_output()  # the reader of a pipe (head, less) has seen enough
        return 0
    except OutputFailed as error:
        give_up_output()
        complain(str(error))
        return BAD_INPUT
    except OSError as error:
        # Where a person can do more than look at the file, the command itself says so.
        reason = error.strerror or str(error)
        complain(f"{error.filename}: {reason}" if error.filename else reason)
        return BAD_INPUT


def _check_text(arguments: Sequence[str]) -> None:
    """Refuse what cannot be written to a run's files, which are UTF-8."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise UserError(f"the argument {os.fsencode(argument)!r} is not UTF-8 text") from None


def _step(text: str) -> StepName:
    """A step by its name, with underscores, dashes or blanks."""
    try:
        return StepName(text.strip().lower().replace("-", "_").replace(" ", "_"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"no step {text!r}; there are {', '.join(StepName)}") from None


class _Commands:
    """The subcommands, as they are added one by one."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers: dict[str, argparse.ArgumentParser] = {}
        self._commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=CommandParser)

    def add(self, name: str, function: str, text: str, *, run: bool = False) -> argparse.ArgumentParser:
        # SUPPRESS: a flag that is not given after the command must not undo the one before it.
        after = CommandParser(add_help=False, argument_default=argparse.SUPPRESS)
        after.add_argument("--runs-dir", metavar="DIR", help="folder of the runs")
        command = self._commands.add_parser(name, help=text, description=text, parents=[after], allow_abbrev=False)
        command.set_defaults(command=function)
        self._parsers[name] = command
        if run:
            command.add_argument("run", metavar="RUN", help="id, unique beginning, path, or 'last'")
        return command

    def parser(self, name: str) -> argparse.ArgumentParser:
        """One that was added."""
        return self._parsers[name]


def _parser() -> argparse.ArgumentParser:
    everywhere = Parser(add_help=False)
    everywhere.add_argument("--runs-dir", metavar="DIR", help="folder of the runs")
    parser = Parser(
        prog="agentomics-tui",
        description="An autonomous agent builds machine-learning models for omics data, live in your terminal.",
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[everywhere],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"agentomics-tui {software_version()}")
    parser.set_defaults(command="look:library")
    commands = _Commands(parser)
    _add_starting(commands)
    _add_looking(commands)
    _add_steering(commands)
    _add_using(commands)
    _add_preparing(commands)
    return parser


def _add_starting(commands: _Commands) -> None:
    demo = commands.add("demo", "run:demo", "a real run on the embedded peptide dataset: no key, no network, minutes")
    _add_run_options(demo, DEMO_ITERATIONS)
    start = commands.add("run", "run:run", "start a run on a dataset and watch it")
    start.add_argument("dataset", metavar="DATASET", help="folder of the dataset")
    start.add_argument("--label-column", metavar="COLUMN", help="column to predict, where metadata.json does not say")
    start.add_argument("--metric", help="metric to judge by (see: agentomics-tui metrics)")
    _add_run_options(start, _default("iterations"))
    text = "make a new run that shares what RUN has finished, and go on from there with other settings"
    fork = commands.add("fork", "fork:fork", text, run=True)
    fork.description = f"{text[0].upper()}{text[1:]}. {_FORK}"
    fork.add_argument("--iteration", type=int, metavar="K", help="from its beginning, or from --step of it")
    text = "from the beginning of this step; without --iteration, of the newest that came to it"
    fork.add_argument("--step", type=_step, metavar="STEP", help=f"{text}: {', '.join(StepName)}")
    _add_run_options(fork, None)


def _low_bandwidth(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    text = "draw at most twice a second and tell the bytes per second; a slow terminal switches it on by itself"
    parser.add_argument("--low-bandwidth", action="store_true", help=text)
    return parser


def _add_looking(commands: _Commands) -> None:
    watch = _low_bandwidth(commands.add("watch", "look:watch", "open the dashboard of a run, live or over", run=True))
    text = "play it back in its own time: space plays and pauses, + and - change the speed, [ and ] the iteration"
    how = watch.add_mutually_exclusive_group()
    how.add_argument("--plain", action="store_true", help="a line for each event, for logs and screen readers")
    how.add_argument("--replay", action="store_true", help=text)
    _json(commands.add("runs", "look:runs", "list all runs"))
    _json(commands.add("status", "look:status", "say how a run stands", run=True))
    logs = _json(commands.add("logs", "look:logs", "print a run's events, a line each", run=True))
    logs.add_argument("--follow", action="store_true", help="go on until the run is over")


def _add_steering(commands: _Commands) -> None:
    add = commands.add
    pause = add("pause", "steer:pause", "stand still before the next model or tool call", run=True)
    pause.add_argument("--now", action="store_true", help="end the call that runs; its step begins again afterwards")
    text = "go on after a pause, or restart a run whose engine died; with --usd, --tokens or --seconds past a limit"
    resume = _json(add("resume", "steer:resume", text, run=True))
    _add_raise(resume)
    text = "where an engine is started: a line for each event until the run is over, and its exit status"
    resume.add_argument("--headless", action="store_true", help=text)
    skip = add("skip", "steer:skip", "end the current step or iteration", run=True)
    what = skip.add_mutually_exclusive_group(required=True)
    what.add_argument("--step", action="store_true", help="end the current step and its tool")
    what.add_argument("--iteration", action="store_true", help="go to the next iteration")
    redo = add("redo", "steer:redo", "begin the current step again, or an earlier one of this iteration", run=True)
    text = "back to this one (default: the current step)"
    redo.add_argument("--step", nargs="?", const=True, metavar="STEP", type=_step, help=text)
    redo.add_argument("--note", metavar="TEXT", help="what the agent should do otherwise")
    add("ask-again", "steer:ask_again", "cancel the model call that is being made, and ask again", run=True)
    _add_raise(add("raise", "steer:raise_limit", "allow a run more money, tokens or time", run=True))
    stop = add("stop", "steer:stop", "finish this iteration, evaluate, report, end", run=True)
    stop.add_argument("--now", action="store_true", help="end running tools and evaluate the best so far")
    _add_talking(commands)
    for name in STEERING:
        text = "also where somebody else holds control, who then holds it no longer"
        commands.parser(name).add_argument("--take-control", action="store_true", help=text)


def _add_talking(commands: _Commands) -> None:
    add = commands.add
    say = add("say", "talk:say", "send a note to the agent, or change one that waits", run=True)
    say.add_argument("text", metavar="TEXT", nargs="?", help="the note")
    text = "with the next model call (now), the next step's first, or the next plan (default now)"
    say.add_argument("--when", choices=[str(when) for when in NoteTime], help=text)
    which = say.add_mutually_exclusive_group()
    text = "give this note, which waits, another text"
    which.add_argument("--edit", nargs=2, metavar=("ID", "TEXT"), help=text)
    which.add_argument("--withdraw", metavar="ID", help="take this note back, which waits")
    _json(add("notes", "talk:notes", "list the notes and what became of them", run=True))
    gates = add("gates", "talk:gates", "choose where a run waits for your approval", run=True)
    gates.add_argument(
        "gates", metavar="GATES", nargs="?", help=f"some of {','.join(Gate)}, or none; without: list them"
    )
    add("review", "talk:review", "print what waits for your approval, and what changed in it", run=True)
    approve = add("approve", "talk:approve", "let what waits be done", run=True)
    approve.add_argument("--edited", metavar="FILE", help="as you edited it (the plan or the script); - reads it")
    reject = add("reject", "talk:reject", "have what waits done otherwise", run=True)
    reject.add_argument("reason", metavar="REASON", help="what the agent should do otherwise")


def _add_raise(command: argparse.ArgumentParser) -> None:
    command.add_argument("--usd", type=float, metavar="X", help="US dollars more")
    command.add_argument("--tokens", type=int, metavar="N", help="tokens more")
    command.add_argument("--seconds", type=float, metavar="S", help="seconds more")


def _add_using(commands: _Commands) -> None:
    predict = commands.add("predict", "use:predict", "predict new data with a run's best snapshot", run=True)
    text = "the inputs, no labels; - reads CSV or FASTA from standard input, and pipes are read too"
    predict.add_argument("--input", required=True, metavar="DIR|CSV|FASTA", help=text)
    predict.add_argument("--output", required=True, metavar="CSV", help="file to write; - prints")
    commands.add("report", "use:report", "print a run's report (Markdown)", run=True)


def _add_preparing(commands: _Commands) -> None:
    add = commands.add
    check = _json(add("check", "prepare:check", "say what is understood of a dataset, and what is wrong with it"))
    check.add_argument("dataset", metavar="DATASET", help="folder of the dataset")
    check.add_argument("--label-column", metavar="COLUMN", help="column to predict")
    check.add_argument("--metric", help="metric to judge by")
    _json(add("metrics", "prepare:metrics", "list the metrics with their directions"))
    models = _json(add("models", "models:models", "list the models that can be used with the keys and servers here"))
    text = "an OpenAI-compatible server to ask for its models, such as http://localhost:11434/v1; may be repeated"
    models.add_argument("--server", metavar="URL", action="append", help=text)
    models.add_argument("--all", action="store_true", help="also models without a key here or without tools")
    prompts = _json(add("prompts", "prompts:prompts", "print what a model is told in a step"))
    prompts.add_argument("step", metavar="STEP", nargs="?", help="a step's name; without it the steps are listed")
    prompts.add_argument("--run", metavar="RUN", help="as it was in this run, instead of an example")
    prompts.add_argument("--iteration", type=int, metavar="K", help="with --run: the iteration, from 0 (default 0)")


def _json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _default(setting: str) -> Any:
    """What a setting is where nobody says anything; flags default to None, so that they do not hide the files."""
    return RunSettings.model_fields[setting].default


def _add_run_options(parser: argparse.ArgumentParser, iterations: int | None) -> None:
    """What ``run`` takes beside its dataset; without ``iterations`` for a fork, whose defaults are its parent's."""
    _low_bandwidth(parser)
    add = parser.add_argument
    add("--model", metavar="M", help=f"provider/model for litellm, or replay:RUN (default {_default('model')})")
    add("--iteration-plan-model", metavar="M", help="another model for planning")
    text = "asked where the model gives no reply; may be repeated, asked in this order"
    add("--fallback-model", metavar="M", dest="fallback_models", action="append", help=text)
    add("--api-base", metavar="URL", help="OpenAI-compatible server for all models, such as http://localhost:8000/v1")
    add("--iterations", type=int, metavar="N", help=f"iterations, the baseline included (default {iterations})")
    text = f"that must try something new (default {_default('exploration_iterations')})"
    add("--exploration-iterations", type=int, metavar="N", help=text)
    text = f"that may change the split (default {_default('split_allowed_iterations')})"
    add("--split-allowed-iterations", type=int, metavar="N", help=text)
    add("--seed", type=int, metavar="S", help=f"seed of everything random (default {_default('seed')})")
    add("--cpus", type=int, metavar="N", help="threads for generated code (default: all of this process)")
    add("--note", metavar="TEXT", help="what the agent should know from the start")
    add("--approve", metavar="GATES", help=f"wait for your approval of: some of {','.join(Gate)}")
    add("--run-id", metavar="ID", help="name of the run's folder")
    text = "run by the engine on a new best, a hold and the end; it reads one JSON object (see docs/settings.md)"
    add("--notify-command", metavar="CMD", help=text)
    text = "confine all that the agent wrote by the strongest sandbox that holds here (default none)"
    add("--sandbox", choices=("none", "strongest"), help=text)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--headless", action="store_true", help="no screen: a line for each event")
    shown.add_argument("--detach", action="store_true", help="start the run and return at once")
    _json(parser)
    _add_limits(parser, "default: none" if iterations is not None else "counted from the fork; default: as in RUN")
    _add_asking(parser)
    if iterations is None:
        for action in parser._actions:
            action.help = _DEFAULT.sub("", action.help or "")


def _add_limits(parser: argparse.ArgumentParser, default: str) -> None:
    run = parser.add_argument_group(f"limits of the run ({default})", _NONE).add_argument
    run("--timeout", type=or_none(float), metavar="SECONDS", help="time in all, final evaluation and report included")
    run(
        "--budget-usd", type=or_none(float), metavar="X", help="US dollars in all; only for models whose price is known"
    )
    run("--budget-tokens", type=or_none(int), metavar="N", help="input and output tokens in all")
    text = "hold the run and ask, or evaluate the best and end (default: ask where a screen is opened)"
    run("--at-limit", choices=("ask", "finish"), help=text)
    step = parser.add_argument_group("limits of one step").add_argument
    step("--max-steps", type=int, metavar="N", help=f"model calls in one step (default {_default('max_steps')})")
    text = f"rejected outputs before a step fails (default {_default('max_validation_retries')})"
    step("--max-validation-retries", type=int, metavar="N", help=text)
    text = f"of one bash call (default {_default('bash_tool_timeout'):g})"
    step("--bash-timeout", type=float, metavar="SECONDS", dest="bash_tool_timeout", help=text)
    text = f"of one script (default {_default('run_python_tool_timeout'):g})"
    step("--run-python-timeout", type=float, metavar="SECONDS", dest="run_python_tool_timeout", help=text)


def _add_asking(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how the models are asked").add_argument
    add("--temperature", type=float, metavar="T", help=f"0 to 2 (default {_default('temperature'):g})")
    add("--iteration-plan-temperature", type=or_none(float), metavar="T", help="another one for planning")
    add("--reasoning-effort", choices=get_args(Effort), help="how hard a reasoning model thinks (default: provider's)")
    add("--iteration-plan-reasoning-effort", choices=get_args(Effort), help="another one for planning")
    add("--context-window", type=or_none(int), metavar="N", help="tokens the models take (default: litellm's table)")
    text = f"for one whole reply (default {_default('llm_response_timeout'):g})"
    add("--llm-response-timeout", type=float, metavar="SECONDS", help=text)
    text = f"between two pieces of a reply (default {_default('llm_silence_timeout'):g})"
    add("--llm-silence-timeout", type=float, metavar="SECONDS", help=text)
    text = f"of a model call whose failure may pass (default {_default('llm_retries')})"
    add("--llm-retries", type=int, metavar="N", help=text)
