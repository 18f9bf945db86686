"""Starting an engine and waiting for what it says. Imports nothing heavy: the app's process uses this."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from agents.errors import UserError
from agents.events import Event
from agents.fold import apply
from agents.journal import JournalReader
from agents.lock import is_alive, read_lock
from agents.program import to_type
from agents.run_folder import RunFolder
from agents.state import RunState
from agents.vocabulary import RunStatus

POLL_SECONDS: Final = 0.1
_START_SECONDS: Final = 30.0


def start_engine(run: RunFolder, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start the engine of ``run`` in a session of its own; it outlives this process and its terminal.

    ``environment`` holds variables for it alone, such as keys; one that is set here already wins. What it prints goes
    to ``engine.log``. Raises :class:`UserError` while another engine lives.
    """
    if is_alive(read_lock(run.lock)):
        raise UserError(f"run {run.run_id} is running already; watch it with: {to_type('watch', run.run_id)}")
    with run.engine_log.open("ab") as log:
        return subprocess.Popen(
            # -P: a folder `agents` where the person happens to stand must not take our place.
            [sys.executable, "-P", "-m", "agents.engine", str(run.root)],
            cwd=run.root,
            env={
                **os.environ,
                **{name: value for name, value in (environment or {}).items() if not os.environ.get(name)},
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def follow(run: RunFolder, on_event: Callable[[Event, RunState], None], *, until_started: bool = False) -> RunState:
    """Hand each event of ``run`` to ``on_event`` as it comes, until the run is over or its engine is gone.

    With ``until_started`` it returns as soon as the dataset and the model were accepted.
    """
    reader, state = JournalReader(run.journal), RunState()
    deadline = time.monotonic() + _START_SECONDS
    while True:
        alive = is_alive(read_lock(run.lock))  # asked before reading, so that a last event is not missed
        events = reader.read()
        for event in events:
            apply(state, event)
            on_event(event, state)
        if state.status.is_over and not alive:
            return state
        if until_started and state.packages:
            return state
        waiting_for_start = state.status is RunStatus.STARTING and time.monotonic() < deadline
        if not alive and not events and not waiting_for_start:
            return state
        if not events:
            time.sleep(POLL_SECONDS)
