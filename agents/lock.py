"""``engine.lock``: who writes the run, and a heartbeat that tells other hosts whether it still does."""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.files import write_atomically

HEARTBEAT_SECONDS = 2.0
STALE_SECONDS = 30.0
"""A heartbeat older than this belongs to an engine that died; shared file systems delay what one sees by seconds."""


class LockRecord(BaseModel):
    """Contents of ``engine.lock``. Times are seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    host: str
    pid: int
    started: float
    heartbeat: float
    birth: int | None = None
    """When the process was born, in the kernel's ticks since boot: tells it from a later one with its pid."""


class LockHeld(Exception):
    """Another engine runs this run."""


@dataclass
class EngineLock:
    """The lock of this process on one run."""

    path: Path
    started: float

    @classmethod
    def acquire(cls, path: Path) -> "EngineLock":
        """Take the lock; raises :class:`LockHeld` while another engine lives."""
        with one_at_a_time(path.parent):
            if is_alive(read_lock(path)):
                raise LockHeld(f"another engine runs this run (see {path})")
            path.unlink(missing_ok=True)
            lock = cls(path, time.time())
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                raise LockHeld(f"another engine has just taken {path}") from None
            try:
                with os.fdopen(descriptor, "w") as file:
                    file.write(json.dumps(lock._record()))
            except OSError:
                with contextlib.suppress(OSError):
                    path.unlink()
                raise
        return lock

    def beat(self) -> bool:
        """Renew the heartbeat; False when the lock belongs to somebody else by now."""
        record = read_lock(self.path)
        if record is not None and (record.pid, record.host) != (os.getpid(), socket.gethostname()):
            return False
        write_atomically(self.path, json.dumps(self._record()))
        return True

    def release(self) -> None:
        record = read_lock(self.path)
        if record is not None and (record.pid, record.host) == (os.getpid(), socket.gethostname()):
            self.path.unlink(missing_ok=True)

    def _record(self) -> dict[str, object]:
        return LockRecord(
            host=socket.gethostname(),
            pid=os.getpid(),
            started=self.started,
            heartbeat=time.time(),
            birth=birth_of(os.getpid()),
        ).model_dump()


def read_lock(path: Path) -> LockRecord | None:
    """The lock's record; None where there is no readable one."""
    try:
        return LockRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def is_alive(record: LockRecord | None, now: float | None = None) -> bool:
    """Whether the engine of ``record`` lives.

    On this host its process tells, also while it is suspended; on another one, and where a process cannot be told from
    a later one with its number, the heartbeat does.
    """
    if record is None:
        return False
    if record.host == socket.gethostname():
        if not _process_lives(record.pid):
            return False
        if record.birth is not None:
            return record.birth == birth_of(record.pid)
    return (time.time() if now is None else now) - record.heartbeat < STALE_SECONDS


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process after the other decide whether a lock is stale: two that decide at once would both take it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without such locks: creating the file still excludes most
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _process_lives(pid: int) -> bool:
    """Whether a process of this host runs. One that ended and waits for its parent to notice does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    fields = _stat_fields(pid)
    return fields is None or fields[0] != "Z"


def birth_of(pid: int) -> int | None:
    """When a process of this host was born, in the kernel's ticks since boot; None where nobody can tell."""
    fields = _stat_fields(pid)
    return None if fields is None else int(fields[19])


def _stat_fields(pid: int) -> list[str] | None:
    """``/proc/<pid>/stat`` behind the name, from the state on (proc(5), field 3); None without a /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
