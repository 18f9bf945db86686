"""Steering a run from anywhere: each command leaves a file for the engine and waits for its receipt."""

import argparse
import time
from typing import Final

from agentomics_tui.commands.out import say as print_line
from agents import control
from agents.errors import UserError
from agents.events import CommandReceived
from agents.fold import fold
from agents.journal import JournalReader
from agents.launch import POLL_SECONDS, start_engine
from agents.lock import is_alive, read_lock
from agents.run_folder import resolve_run

_RECEIPT_SECONDS: Final = 10.0


def pause(options: argparse.Namespace) -> int:
    return _send(options, control.Pause())


def skip(options: argparse.Namespace) -> int:
    return _send(options, control.SkipStep() if options.step else control.SkipIteration())


def stop(options: argparse.Namespace) -> int:
    return _send(options, control.Stop(now=options.now))


def say(options: argparse.Namespace) -> int:
    if not options.text.strip():
        raise UserError("say: the note is empty")
    return _send(options, control.Say(text=options.text))


def resume(options: argparse.Namespace) -> int:
    """Go on after a pause; where the engine is gone, start another one at the step that the run had reached."""
    run = resolve_run(options.run, options.runs_dir)
    if is_alive(read_lock(run.lock)):
        return _send(options, control.Resume())
    state = fold(JournalReader(run.journal).read_all())
    if state.status.is_over and len(state.iterations) >= state.planned_iterations:
        raise UserError(f"run {run.run_id} is over ({state.status}); nothing is left to do")
    start_engine(run)
    print_line(f"run {run.run_id} goes on; watch it with: agentomics-tui watch {run.run_id}")
    return 0


def _send(options: argparse.Namespace, command: control.Command) -> int:
    run = resolve_run(options.run, options.runs_dir)
    if not is_alive(read_lock(run.lock)):
        raise UserError(
            f"the engine of run {run.run_id} is not running; start it with: agentomics-tui resume {run.run_id}"
        )
    reader = JournalReader(run.journal)
    for _ in reader.read_all():
        pass  # only what comes after the command can be its receipt
    control.submit(run, command)
    receipt = _receipt(reader, command.command_id)
    if receipt is None:
        print_line(f"{command.command}: left for run {run.run_id}; no receipt yet")
        return 0
    if receipt.outcome == "refused":
        raise UserError(f"{command.command}: {receipt.detail}")
    print_line(f"{command.command}: {receipt.outcome}{', ' + receipt.detail if receipt.detail else ''}")
    return 0


def _receipt(reader: JournalReader, command_id: str) -> CommandReceived | None:
    deadline = time.monotonic() + _RECEIPT_SECONDS
    while time.monotonic() < deadline:
        for event in reader.read():
            if isinstance(event, CommandReceived) and event.command_id == command_id:
                return event
        time.sleep(POLL_SECONDS)
    return None
