"""``run`` and ``demo``: start a run, then watch it on the screen, follow it line by line, or leave it alone."""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

from agentomics_tui.commands.out import complain, say, say_json
from agentomics_tui.commands.paths import absolute, find_run
from agentomics_tui.keys import keys_of_files
from agentomics_tui.lines import line_of
from agentomics_tui.user_settings import DEMO_ITERATIONS, FIELDS, settle
from agents.checkpoint import state_of
from agents.control import Stop, submit
from agents.data.embedded import DEMO_DATASET
from agents.data.layout import preflight
from agents.events import Event
from agents.launch import POLL_SECONDS, follow, start_engine
from agents.lock import is_alive, read_lock
from agents.outcome import BAD_INPUT, WITHOUT_SNAPSHOT, exit_status, undefined_on_tests
from agents.program import to_type
from agents.run_folder import RunFolder, create_run
from agents.secrets import Redactor
from agents.settings import RunSettings
from agents.state import RunState
from agents.version import software_version
from agents.vocabulary import REPLAY, RunStatus
from agents.wording import first_line, score

_OWN: Final = (
    "model",
    "iteration_plan_model",
    "fallback_models",
    "api_base",
    "budget_usd",
    "budget_tokens",
    "timeout",
    "notify_command",
)
"""Settings that a run which repeats a recorded one does not take over: whom to ask, at what cost, whom to tell."""

_ENDING_SECONDS: Final = 10.0
"""An engine that has refused a dataset ends long before."""

_OF_A_DATASET: Final = ("label_column", "metric")


def demo(options: argparse.Namespace) -> int:
    """A run on the embedded dataset, short unless a flag says otherwise."""
    options.dataset = str(DEMO_DATASET)
    if options.iterations is None:
        options.iterations = DEMO_ITERATIONS
    return _start(options, settings_of(options, without=_OF_A_DATASET))


def run(options: argparse.Namespace) -> int:
    """Start a run. Bad input is refused before anything is left on the disk."""
    return _start(options, settings_of(options))


def _start(options: argparse.Namespace, settings: RunSettings) -> int:
    keys = keys_of_files()
    if settings.note:  # what a person types may hold a key; a run's folder may not
        settings = settings.model_copy(update={"note": Redactor.of({**os.environ, **keys.values})(settings.note)})
    preflight(settings.dataset, settings.label_column, settings.metric)
    return lead(options, create_run(options.runs_dir, settings, software_version(), options.run_id), keys.values)


def lead(options: argparse.Namespace, folder: RunFolder, keys: Mapping[str, str]) -> int:
    """Start the engine of a new run, then watch it, follow it or leave it alone, as the flags say."""
    engine = start_engine(folder, keys)
    try:
        if options.detach:
            return _detached(folder, as_json=options.json)
        if not opens_screen(options):
            return headless(folder, as_json=options.json)
        from agentomics_tui.commands.look import open_app

        status = open_app(folder, options.runs_dir, low_bandwidth=options.low_bandwidth)
        return _after_the_app(folder, status)
    finally:
        engine.poll()  # reaps it where it has ended; where it has not, it goes on without us
        engine.returncode = engine.returncode if engine.returncode is not None else 0


def settings_of(options: argparse.Namespace, *, without: Collection[str] = ()) -> RunSettings:
    """Settings from the flags, the environment and the settings files; raises ``UserError`` that names the place.

    ``without`` are settings that belong to other datasets. Where a screen opens there is a person to ask at a limit.
    """
    settled = settle({name: value for name, value in vars(options).items() if name in FIELDS})
    values: dict[str, Any] = {"cpus": _usable_cpus(), "at_limit": "ask" if opens_screen(options) else "finish"}
    values |= {name: value for name, value in settled.values.items() if name in FIELDS and name not in without}
    for role in ("model", "iteration_plan_model"):
        if str(values.get(role) or "").startswith(REPLAY):
            values |= _replaying(role, values, options.runs_dir)
    return RunSettings(dataset=absolute(options.dataset), **values)


def _replaying(role: str, values: Mapping[str, Any], runs_dir: Path) -> dict[str, Any]:
    """Settings of a run that repeats a recorded one: its path, and what decides which calls there are to repeat.

    What the person has set otherwise stays. Raises :class:`UserError` where there is no such run.
    """
    path = replaying_path(values[role], runs_dir)
    recorded = RunFolder(Path(path.removeprefix(REPLAY))).record().settings
    same = {name: getattr(recorded, name) for name in FIELDS if name not in values and name not in _OWN}
    return {**same, role: path}


def replaying_path(model: str, runs_dir: Path) -> str:
    """``model`` with the path of the run that it repeats, where it repeats one; raises :class:`UserError`."""
    if not model.startswith(REPLAY):
        return model
    return f"{REPLAY}{find_run(model.removeprefix(REPLAY), runs_dir).root.resolve()}"


def opens_screen(options: argparse.Namespace) -> bool:
    return not (options.detach or options.headless or options.json) and sys.stdout.isatty()


def _usable_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _detached(folder: RunFolder, *, as_json: bool) -> int:
    state = follow(folder, lambda event, state: None, until_started=True)
    if state.status is RunStatus.REFUSED:
        return _refused(folder, state)
    if state.status.is_over:
        complain(first_line(state.reason) or f"run {folder.run_id} is over: {state.status}")
        return exit_status(state)
    if not is_alive(read_lock(folder.lock)):
        return _engine_ended(folder)
    if as_json:
        say_json({"run_id": folder.run_id, "folder": str(folder.root)})
        return 0
    say(f"run {folder.run_id} goes on in the background; watch it with: {to_type('watch', folder.run_id)}")
    return 0


def headless(folder: RunFolder, *, as_json: bool, after: int = -1) -> int:
    """Print what happens until the run is over, from the event behind number ``after`` on; the run's exit status."""
    interrupted = False
    if not as_json:
        _say_begin(folder)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            raise KeyboardInterrupt
        interrupted = True
        submit(folder, Stop(now=True))
        complain("stopping: the best so far is evaluated; press Ctrl-C again to leave at once (the run ends by itself)")

    show = _printing(as_json=as_json, first=max(folder.record().shared_events, after + 1))
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        state = follow(folder, show)
    finally:
        signal.signal(signal.SIGINT, before)
    if state.status is RunStatus.REFUSED:
        return _refused(folder, state)
    if not state.status.is_over:
        return _engine_ended(folder)
    if not as_json:
        _say_result(folder, state)
    return 130 if interrupted else exit_status(state)


def _printing(*, as_json: bool, first: int) -> Callable[[Event, RunState], None]:
    """What prints each event from number ``first`` on: of a fork, and of a run taken up again, only what is new."""
    waiting: list[str] = []

    def show(event: Event, state: RunState) -> None:
        if event.seq < first:
            return
        if as_json:
            say_json(event)
        elif line := line_of(event, state):
            waiting.append(line)
        if state.packages:  # accepted; what is refused is told in one line, without a prelude
            for line in waiting:
                say(line)
            waiting.clear()

    return show


def _say_begin(folder: RunFolder) -> None:
    """Reading takes seconds, in which a person wants to see that something is done."""
    if sys.stdout.isatty():
        say(f"run {folder.run_id}: reading {folder.record().dataset}")


def _engine_ended(folder: RunFolder) -> int:
    go_on = f"go on with: {to_type('resume', folder.run_id)}"
    complain(f"the engine ended unexpectedly; see {folder.engine_log}; {go_on}")
    return WITHOUT_SNAPSHOT


def _say_result(folder: RunFolder, state: RunState) -> None:
    if state.best is None:
        complain(first_line(state.reason) or "no iteration gave a valid model")
        return
    tests = "".join(
        f", {name} {score(values[state.metric])}"
        for name, values in state.test_scores.items()
        if values.get(state.metric) is not None
    )
    say(f"best: iteration {state.best.iteration}, {state.metric} validation {score(state.best.value)}{tests}")
    for name, cause in undefined_on_tests(state).items():
        say(f"{state.metric} undefined on {name}: {cause}")
    say(f"snapshot: {folder.snapshot(state.best.iteration)}")
    say(f"report: {folder.report / 'report.md'}")
    say(f"use it: {to_type('predict', folder.run_id, '--input', 'INPUT', '--output', 'predictions.csv')}")


def _after_the_app(folder: RunFolder, status: int) -> int:
    """The exit status after the app has closed with ``status``; what a run came to stays in the terminal."""
    if status == BAD_INPUT:  # the app has said why
        forget_refused(folder)
        return status
    state = state_of(folder.journal)
    if state.status is RunStatus.REFUSED:  # a person may have been looking at other runs when it was
        return _refused(folder, state)
    if state.status.is_over and state.best is not None:
        _say_result(folder, state)
    return status


def _refused(folder: RunFolder, state: RunState) -> int:
    """Bad input leaves nothing behind, as if the command had never been given."""
    complain(first_line(state.reason))
    forget_refused(folder)
    return BAD_INPUT


def forget_refused(folder: RunFolder) -> None:
    """Remove a run that its journal says was refused. One that anything else became of, or that lives, stays."""
    if state_of(folder.journal).status is not RunStatus.REFUSED:
        return
    deadline = time.monotonic() + _ENDING_SECONDS
    while alive := is_alive(read_lock(folder.lock)):
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    if not alive:
        shutil.rmtree(folder.root, ignore_errors=True)
