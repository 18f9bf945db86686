"""Looking at runs: the library, the dashboard, lists, states, events."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agentomics_tui.commands.out import complain, say, say_json, single_line
from agentomics_tui.commands.paths import find_run
from agents.certainty import Certainty
from agents.checkpoint import load_state, state_of
from agents.clock import utc_now
from agents.control import FLAG_OF
from agents.errors import UserError
from agents.events import Event
from agents.fold import apply, fold
from agents.forecast import forecast
from agents.holder import holder_of
from agents.journal import JournalReader
from agents.launch import follow
from agents.lock import is_alive, read_lock
from agents.outcome import BAD_INPUT, WITHOUT_SNAPSHOT, exit_status, nothing_left_to_do, undefined_on_tests
from agents.program import to_type
from agents.pulse import read_pulse, verdict
from agents.run_folder import RunFolder, list_runs
from agents.run_summary import RunSummary, summarise
from agents.state import RunState
from agents.vocabulary import Limit, RunStatus
from agents.wording import counted, first_line, fork_words, score
from screens.forecast_words import forecast_words
from screens.spending import asks_a_model, cost_words
from screens.stuck import current, standing_words


def library(options: argparse.Namespace) -> int:
    """Open the run library; without a terminal, list the runs."""
    if not sys.stdout.isatty():
        options.json = False
        return runs(options)
    return open_app(None, options.runs_dir)


def watch(options: argparse.Namespace) -> int:
    """Open the dashboard of a run; plainly, or without a terminal, follow its events. The exit status is the run's."""
    run = find_run(options.run, options.runs_dir)
    if options.replay:
        if not sys.stdout.isatty():
            raise UserError(f"--replay: needs a terminal; without one, print it: {to_type('logs', run.run_id)}")
        return open_app(run, options.runs_dir, replay=True)
    if options.plain or not sys.stdout.isatty():
        state = follow(run, _say_event)
        if not state.status.is_over:
            complain(f"the engine of run {run.run_id} is gone; go on with: {to_type('resume', run.run_id)}")
        return exit_status(state) if state.status.is_over else WITHOUT_SNAPSHOT
    return open_app(run, options.runs_dir, steers=False, low_bandwidth=options.low_bandwidth)


def open_app(
    run: RunFolder | None,
    runs_dir: Path,
    *,
    steers: bool = True,
    replay: bool = False,
    low_bandwidth: bool = False,
) -> int:
    """Run the Textual app; what it wants said is said when the terminal is back. See ``AgentomicsApp``."""
    from agentomics_tui.app import AgentomicsApp
    from agentomics_tui.terminal import end_with_terminal
    from agentomics_tui.user_settings import nudge_setting

    nudge = nudge_setting()
    end_with_terminal()
    app = AgentomicsApp(
        run, runs_dir, steers=steers, replay=replay, low_bandwidth=low_bandwidth, nudge="off" if replay else nudge
    )
    message = app.run()
    if message and app.return_code == BAD_INPUT:
        complain(message.removeprefix("agentomics-tui: "))
    elif message:
        say(message)
    return app.return_code or 0


def runs(options: argparse.Namespace) -> int:
    """A line for each run, newest first."""
    now = utc_now()
    found = [summarise(folder, now) for folder in list_runs(options.runs_dir)]
    if options.json:
        for summary in found:
            say_json(_as_json(summary))
        return 0
    if not found:
        say(f"no runs in {options.runs_dir}; start one with: {to_type('demo')}")
        return 0
    from agentomics_tui.run_table import run_table

    for line in run_table(found, now, _width()):
        say(line)
    return 0


def _width() -> int | None:
    """Cells of a line: those of the terminal or of ``COLUMNS``; None in a pipe, where nothing is cut."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() or "COLUMNS" in os.environ else None


def _as_json(summary: RunSummary) -> dict[str, Any]:
    return {"run_id": summary.run_id, **asdict(summary), "folder": str(summary.folder.root)}


def status(options: argparse.Namespace) -> int:
    """How a run stands, on a few lines."""
    run = find_run(options.run, options.runs_dir)
    if options.json:
        say_json(_as_json(summarise(run, utc_now())) | _measured(run))
        return 0
    alive = is_alive(read_lock(run.lock))  # asked before reading, as an engine that ends writes its last event first
    state, reader = load_state(run.journal)
    fold(reader.read_all(), state)
    _tell_damage(reader)
    for title, text in _standing(run, state, alive=alive):
        say(f"{single_line(title):<10.10} {text}".rstrip())
    return 0


def _measured(run: RunFolder) -> dict[str, Any]:
    """Where it stands, who steers, what waits, what runs and what is to come; null what nobody knows."""
    pulse, now, state, holder = read_pulse(run), utc_now(), state_of(run.journal), holder_of(run)
    coming = forecast(state, now)
    return {
        "step": state.step and state.step.name,
        "control": holder and holder.name,
        "gates": state.gates,
        "approval": state.approval and asdict(state.approval),
        "limit": state.limit and asdict(state.limit),
        "notes": {note.note_id: note.text for note in state.notes.values() if note.waits},
        "now": pulse and {**pulse.model_dump(mode="json"), "verdict": verdict(pulse)},
        "forecast": coming and {**asdict(coming), "end": coming.end(now)},
    }


def _standing(run: RunFolder, state: RunState, *, alive: bool) -> Iterator[tuple[str, str]]:
    """What ``status`` says: titles and texts."""
    yield "run", run.run_id
    if state.parent:
        yield "fork of", fork_words(state.parent)
    yield "state", _state_words(run, state, alive=alive)
    if state.reason:
        yield "reason", first_line(state.reason)
    yield "dataset", state.dataset
    yield "model", state.model
    if waits := state.approval:
        yield "waits", f"for your approval of the {waits.gate}; see: {to_type('review', run.run_id)}"
    if holder := holder_of(run):
        yield "control", f"{holder.name} steers"
    if queued := sum(note.waits for note in state.notes.values()):
        yield "notes", f"{counted(queued, 'note')} not delivered yet; see: {to_type('notes', run.run_id)}"
    if iteration := state.iteration:
        planned = max(state.planned_iterations, iteration.index + 1)
        step = f", {state.step.name.label}" if state.step else f", {iteration.status}"
        yield "iteration", f"{iteration.index} ({iteration.index + 1} of {planned}){step}"
    if alive and (pulse := current(read_pulse(run), state)):
        yield "now", standing_words(pulse, run.run_id)
    if words := forecast_words(state, utc_now(), stands=not alive or state.status is RunStatus.HELD):
        yield "forecast", words[0]
    if state.best:
        sure = state.best.certainty or Certainty()
        bounds = f" [{sure.bounds}]" if sure.bounds else ""
        place = f"iteration {state.best.iteration}{f', {sure.gain}' if sure.gain else ''}"
        yield "best", f"{state.metric} {score(state.best.value)}{bounds} on validation ({place})"
    undefined = undefined_on_tests(state)
    for name, values in state.test_scores.items():
        shown = f"undefined: {undefined[name]}" if name in undefined else score(values[state.metric])
        yield name, f"{state.metric} {shown}"
    cost = cost_words(state.usage, state.allowed(Limit.USD)) if asks_a_model(state) else "free"
    yield "usage", f"{counted(state.usage.calls, 'model call')}, {state.usage.tokens:,} tokens, {cost}"
    if state.inherited.calls:
        used = f"{counted(state.inherited.calls, 'model call')}, {state.inherited.tokens:,} tokens"
        priced = state.inherited.cost_usd or state.inherited.unpriced
        spent = f", {cost_words(state.inherited, None)}" if priced else ""
        yield "inherited", f"{used}{spent}, not counted in this run's limits"
    yield "folder", str(run.root)


def _state_words(run: RunFolder, state: RunState, *, alive: bool) -> str:
    """The run's state, and what can be done about it where it does not go on by itself."""
    if alive and state.approval is not None:
        return f"{state.status}; approve or reject: {to_type('review', run.run_id)}"
    more = () if state.limit is None else (f"--{FLAG_OF[state.limit.limit]}", "MORE")
    go_on = f"go on with: {to_type('resume', run.run_id, *more)}"
    if not alive and nothing_left_to_do(state) is None:
        return f"{state.status}; {go_on}" if state.status.is_over else f"{state.status}, its engine is gone; {go_on}"
    return f"{state.status}; {go_on}" if alive and state.status is RunStatus.HELD else str(state.status)


def logs(options: argparse.Namespace) -> int:
    """The run's events, a line each; with ``--follow`` until the run is over."""
    run = find_run(options.run, options.runs_dir)
    show = _say_event_as_json if options.json else _say_event
    if options.follow:
        follow(run, show)
        return 0
    if not run.journal.exists():
        raise UserError(f"run {run.run_id} has no events yet")
    state, reader = RunState(), JournalReader(run.journal)
    for event in reader.read_all():
        apply(state, event)
        show(event, state)
    _tell_damage(reader)
    return 0


def _tell_damage(reader: JournalReader) -> None:
    if reader.damage:
        complain(f"{reader.damage}; it is passed over")


def _say_event(event: Event, state: RunState) -> None:
    from agentomics_tui.lines import line_of

    if line := line_of(event, state):
        say(line)


def _say_event_as_json(event: Event, _: RunState) -> None:
    say_json(event)
