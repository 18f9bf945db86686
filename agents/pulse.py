"""``pulse.json``: what the engine measures of the call that runs, and what that says of whether it is stuck.

The engine writes it beside its lock every :data:`BEAT_SECONDS`, so that a watcher on another host sees the same as one
on the engine's. It imports nothing heavy: the app's process reads it. Who measures is ``agents/vitals.py``.
"""

from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.lock import HEARTBEAT_SECONDS, read_lock
from agents.run_folder import RunFolder

BEAT_SECONDS: Final = HEARTBEAT_SECONDS
STALE_SECONDS: Final = 20.0
"""A pulse that stayed behind the heartbeat so far says nothing of what runs now."""

QUIET_SECONDS: Final = 60.0
"""A tool that printed nothing for so long is quiet: many print a line an epoch."""
IDLE_SECONDS: Final = 30.0
"""Processes that used no CPU and no GPU for so long are not busy."""
HUNG_SECONDS: Final = 120.0
"""A tool without output, CPU and GPU for so long probably hangs: on a lock, on a dead disk."""
LOST_SECONDS: Final = 1800.0
"""With a connection to elsewhere it may still be answered; after so long the other side is likely to be gone."""
QUIET_SHARE: Final = 0.15
HUNG_SHARE: Final = 0.5
"""Of the silence after which the engine itself gives a model call up: from the first on it is quiet, then hung."""
BUSY_PERCENT: Final = 2.0
"""Of one processor or of a GPU: a process that waits and looks around now and then stays below it."""


class Pulse(BaseModel):
    """One measurement. Times are in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    time: float
    """When it was taken, since the epoch by the engine's clock: compare it with the lock's heartbeat alone."""
    kind: Literal["tool", "model"]
    call: int
    """Its number, as events count it."""
    seconds: float
    """Since the call began."""
    silent: float
    """Since its last byte of output; since its beginning where there was none. Measured once a beat."""
    idle: float | None = None
    """Since its processes last used CPU or GPU; None for a model call, whose processes run elsewhere."""
    cpu_percent: float | None = None
    """Of one processor, since the beat before; 200 is two processors."""
    processes: int = 0
    memory: int = 0
    """Resident, of all its processes."""
    gpu_percent: float | None = None
    """Of the busiest card on which one of its processes computes; None where there is none."""
    connected: bool = False
    """One of its processes is connected over TCP, or tries to be. Looked at only where the tool is silent and idle."""
    silence_limit: float | None = None
    """Silence after which the engine makes a model call again."""


class Verdict(StrEnum):
    """Whether a call gets on."""

    WORKING = "working"
    QUIET = "quiet"
    HUNG = "hung"


def verdict(pulse: Pulse) -> Verdict:
    """What a measurement says, by the thresholds above.

    A tool is working while it prints, quiet when it only computes or has not waited for long, and probably hung when it
    does neither for minutes, or for half an hour where it is connected to elsewhere. A model may think without a word:
    it is judged by its share of the silence limit.
    """
    if pulse.kind == "model":
        share = pulse.silent / pulse.silence_limit if pulse.silence_limit else 0.0
        return Verdict.HUNG if share >= HUNG_SHARE else Verdict.QUIET if share >= QUIET_SHARE else Verdict.WORKING
    if pulse.silent < QUIET_SECONDS:
        return Verdict.WORKING
    idle = pulse.silent if pulse.idle is None else min(pulse.idle, pulse.silent)
    return Verdict.HUNG if idle >= (LOST_SECONDS if pulse.connected else HUNG_SECONDS) else Verdict.QUIET


def is_busy(pulse: Pulse) -> bool:
    """Whether its processes compute."""
    return pulse.idle is not None and pulse.idle < IDLE_SECONDS


def verdict_words(pulse: Pulse) -> str:
    """The verdict for a person: at most 14 letters."""
    match verdict(pulse):
        case Verdict.WORKING:
            return "working"
        case Verdict.HUNG:
            return "probably hung"
        case Verdict.QUIET:
            return "quiet but busy" if is_busy(pulse) else "awaits network" if pulse.connected else "quiet"


def read_pulse(run: RunFolder) -> Pulse | None:
    """What the run's engine measured last; None where nothing runs, or where it has not measured for long."""
    try:
        pulse = Pulse.model_validate_json(run.pulse.read_bytes())
    except (OSError, ValidationError):
        return None
    lock = read_lock(run.lock)
    return None if lock is None or lock.heartbeat - pulse.time > STALE_SECONDS else pulse
