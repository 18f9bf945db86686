"""Leaving a command for a run's engine and waiting for its receipt."""

import argparse
import time
from typing import Final

from agentomics_tui.commands.out import say as print_line
from agentomics_tui.commands.paths import find_run
from agents import control
from agents.checkpoint import load_state, state_of
from agents.errors import UserError
from agents.events import CommandReceived
from agents.journal import JournalReader
from agents.launch import POLL_SECONDS
from agents.lock import is_alive, read_lock
from agents.outcome import nothing_left_to_do
from agents.program import to_type

_RECEIPT_SECONDS: Final = 10.0


def send(options: argparse.Namespace, command: control.Command) -> int:
    """Leave ``command`` for the engine of ``options.run``; raises :class:`UserError` where it is refused."""
    command = command.model_copy(update={"take_control": options.take_control})
    run = find_run(options.run, options.runs_dir)
    if not is_alive(read_lock(run.lock)):
        if reason := nothing_left_to_do(state_of(run.journal)):
            raise UserError(f"{command.command}: run {run.run_id} is over: {reason}")
        raise UserError(
            f"the engine of run {run.run_id} is not running; start it with: {to_type('resume', run.run_id)}"
        )
    _, reader = load_state(run.journal)
    for _ in reader.read_all():
        pass  # only what comes after the command can be its receipt
    control.submit(run, command)
    name = command.command.replace("_", " ")
    receipt = _receipt(reader, command.command_id)
    if receipt is None:
        print_line(f"{name}: left for run {run.run_id}; no receipt yet")
        return 0
    if receipt.outcome == "refused":
        raise UserError(f"{name}: {receipt.detail}")
    print_line(f"{name}: {receipt.outcome}{', ' + receipt.detail if receipt.detail else ''}")
    return 0


def _receipt(reader: JournalReader, command_id: str) -> CommandReceived | None:
    deadline = time.monotonic() + _RECEIPT_SECONDS
    while time.monotonic() < deadline:
        for event in reader.read():
            if isinstance(event, CommandReceived) and event.command_id == command_id:
                return event
        time.sleep(POLL_SECONDS)
    return None
