"""Looking at runs: the library, the dashboard, lists, states, events."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from agentomics_tui.commands.out import say, say_json
from agentomics_tui.lines import line_of
from agents.clock import utc_now
from agents.errors import UserError
from agents.events import Event
from agents.fold import apply, fold
from agents.journal import JournalReader
from agents.launch import follow
from agents.lock import is_alive, read_lock
from agents.run_folder import RunFolder, list_runs, resolve_run
from agents.run_summary import RunSummary, summarise
from agents.state import RunState


def library(options: argparse.Namespace) -> int:
    """Open the run library; without a terminal, list the runs."""
    if not sys.stdout.isatty():
        options.json = False
        return runs(options)
    return open_app(None, options.runs_dir)


def watch(options: argparse.Namespace) -> int:
    """Open the dashboard of a run; without a terminal, follow its events."""
    run = resolve_run(options.run, options.runs_dir)
    if not sys.stdout.isatty():
        options.json, options.follow = False, True
        return logs(options)
    return open_app(run, options.runs_dir)


def open_app(run: RunFolder | None, runs_dir: Path) -> int:
    """Run the Textual app; what it wants said is said when the terminal is back."""
    from agentomics_tui.app import AgentomicsApp

    app = AgentomicsApp(run, runs_dir)
    message = app.run()
    if message:
        print(message, file=sys.stderr if app.return_code == 2 else sys.stdout)
    return app.return_code or 0


def runs(options: argparse.Namespace) -> int:
    """A line for each run, newest first."""
    now = utc_now()
    found = [summarise(folder, now) for folder in list_runs(options.runs_dir)]
    if options.json:
        for summary in found:
            say_json(asdict(summary))
        return 0
    if not found:
        say(f"no runs in {options.runs_dir}; start one with: agentomics-tui demo")
        return 0
    width = max(len(summary.run_id) for summary in found)
    for summary in found:
        say(_summary_line(summary, width))
    return 0


def _summary_line(summary: RunSummary, width: int) -> str:
    score = f"{summary.metric} {summary.best:.4f}" if summary.best is not None else ""
    return f"{summary.run_id:<{width}}  {summary.status!s:<9} {summary.dataset:<24.24}  {score}".rstrip()


def status(options: argparse.Namespace) -> int:
    """How a run stands, on a few lines."""
    run = resolve_run(options.run, options.runs_dir)
    now = utc_now()
    summary = summarise(run, now)
    if options.json:
        say_json(asdict(summary))
        return 0
    state = fold(JournalReader(run.journal).read_all())
    alive = is_alive(read_lock(run.lock))
    say(f"run        {run.run_id}")
    say(
        f"state      {state.status}{'' if alive or state.status.is_over else ' (its engine is not running: resume it)'}"
    )
    say(f"dataset    {state.dataset}")
    say(f"model      {state.model}")
    if iteration := state.iteration:
        step = f", {state.step.name}" if state.step else ""
        say(f"iteration  {iteration.index} of {state.planned_iterations}{step}")
    if state.best:
        say(f"best       {state.metric} {state.best.value:.4f} on validation (iteration {state.best.iteration})")
    for name, values in state.test_scores.items():
        value = values.get(state.metric)
        say(f"{name:<10.10} {state.metric} {'undefined' if value is None else f'{value:.4f}'}")
    say(f"usage      {state.usage.calls} model calls, {state.usage.input_tokens + state.usage.output_tokens:,} tokens")
    if state.reason:
        say(f"reason     {state.reason}")
    say(f"folder     {run.root}")
    return 0


def logs(options: argparse.Namespace) -> int:
    """The run's events, a line each; with ``--follow`` until the run is over."""
    run = resolve_run(options.run, options.runs_dir)

    def show(event: Event, state: RunState) -> None:
        if options.json:
            say(event.model_dump_json())
        elif line := line_of(event, state):
            say(line)

    if options.follow:
        follow(run, show)
        return 0
    if not run.journal.exists():
        raise UserError(f"run {run.run_id} has no events yet")
    state = RunState()
    for event in JournalReader(run.journal).read_all():
        apply(state, event)
        show(event, state)
    return 0
