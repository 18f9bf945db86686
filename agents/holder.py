"""``control.lock``: which watcher may steer a run. One at a time; a watcher that died holds nothing.

It is a file of the watchers, so it works while no engine runs. The engine asks it for each command.
"""

import os
import socket
import time
from dataclasses import dataclass

from pydantic import ValidationError

from agents.control import Command, user_name
from agents.files import write_atomically
from agents.lock import LockRecord, birth_of, is_alive, one_at_a_time
from agents.run_folder import RunFolder

BEAT_SECONDS = 5.0


class HolderRecord(LockRecord):
    """Contents of ``control.lock``."""

    user: str
    session: str
    """Of the watcher, unlike that of any other."""

    @property
    def name(self) -> str:
        return f"{self.user}@{self.host}"


class ControlHeld(Exception):
    """Somebody else holds control."""

    def __init__(self, holder: HolderRecord) -> None:
        super().__init__(f"{holder.name} holds control")
        self.holder = holder


def holder_of(run: RunFolder) -> HolderRecord | None:
    """Who holds control; None where nobody does, or where whoever did has died."""
    try:
        record = HolderRecord.model_validate_json(run.control_lock.read_bytes())
    except (OSError, ValidationError):
        return None
    return record if is_alive(record) else None


@dataclass
class Control:
    """The control of one watcher over one run."""

    run: RunFolder
    session: str
    """Any text that no other watcher has."""

    def take(self, *, from_others: bool = False) -> None:
        """Hold control; raises :class:`ControlHeld` where somebody else does, unless it is taken ``from_others``."""
        with one_at_a_time(self.run.root):
            holder = holder_of(self.run)
            if holder is not None and holder.session != self.session and not from_others:
                raise ControlHeld(holder)
            self._write(time.time())

    def beat(self) -> bool:
        """Say that this watcher lives; False where it does not hold control (any more)."""
        with one_at_a_time(self.run.root):
            holder = holder_of(self.run)
            if holder is None or holder.session != self.session:
                return False
            self._write(holder.started)
        return True

    def release(self) -> None:
        with one_at_a_time(self.run.root):
            holder = holder_of(self.run)
            if holder is not None and holder.session == self.session:
                self.run.control_lock.unlink(missing_ok=True)

    def _write(self, since: float) -> None:
        record = HolderRecord(
            host=socket.gethostname(),
            pid=os.getpid(),
            started=since,
            heartbeat=time.time(),
            birth=birth_of(os.getpid()),
            user=user_name(),
            session=self.session,
        )
        write_atomically(self.run.control_lock, record.model_dump_json(), durable=False)


def refusal(run: RunFolder, command: Command) -> str:
    """Why ``command`` must not be carried out; empty where it may.

    A watcher has to hold control. The command line belongs to a person, who may steer past their own watchers.
    """
    holder = holder_of(run)
    if command.take_control or holder is None:
        return ""
    if command.session:
        return "" if command.session == holder.session else f"{holder.name} holds control"
    user, _, _ = command.by.rpartition("@")
    return "" if user == holder.user else f"{holder.name} holds control; take it over with --take-control"


def dispossess(run: RunFolder, command: Command) -> None:
    """Let the holder go from whom ``command`` takes control over."""
    with one_at_a_time(run.root):
        holder = holder_of(run)
        if command.take_control and holder is not None and holder.session != command.session:
            run.control_lock.unlink(missing_ok=True)
