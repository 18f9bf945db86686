"""Measuring the call that runs: its processes, its output, its GPU. In the engine's process, from a thread of its own.

A measurement that fails is left out; nothing here ever disturbs the run.
"""

import contextlib
import logging
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Set
from datetime import datetime
from pathlib import Path
from typing import Final

import psutil

from agents.clock import utc_now
from agents.files import write_atomically
from agents.network import is_connected
from agents.processes import GUARDS
from agents.pulse import BEAT_SECONDS, BUSY_PERCENT, IDLE_SECONDS, QUIET_SECONDS, Pulse
from agents.run_folder import RunFolder
from agents.settings import RunSettings
from agents.state import ModelCallState, RunState, ToolCallState
from agents.vocabulary import RunStatus

GPU_SECONDS: Final = 10.0
"""Between two questions to ``nvidia-smi``, which takes up to a second itself."""
_GPU_LIMIT: Final = 5.0
_log = logging.getLogger(__name__)


class Family:
    """The processes of the running commands: all that descends from their guards."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: dict[int, float] = {}
        self._looked: float | None = None
        self.pids: frozenset[int] = frozenset()
        self.memory = 0

    def begin(self, seconds: float) -> None:
        """Commands that began ``seconds`` ago are looked at from now on."""
        self._used, self._looked = {}, self._clock() - seconds

    def look(self, guards: Set[int]) -> float | None:
        """CPU since the last look in percent of one processor; None at the very first."""
        now, pids, used = self._clock(), set[int](), dict[int, float]()
        self.memory = 0
        for guard in guards:
            used[guard] = 0.0
            for process in _tree(guard):
                with contextlib.suppress(psutil.Error, OSError):
                    times = process.cpu_times()
                    # What a child used becomes its parent's when it ends, so short commands are counted too.
                    waited_for = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                    used[guard] += times.user + times.system + waited_for
                    if os.getpgid(process.pid) != guard:
                        self.memory += process.memory_info().rss
                        pids.add(process.pid)
        spent = sum(max(0.0, seconds - self._used.get(guard, 0.0)) for guard, seconds in used.items())
        passed = None if self._looked is None else now - self._looked
        self._used, self._looked, self.pids = used, now, frozenset(pids)
        return 100.0 * spent / passed if passed else None


def _tree(guard: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(guard)
        return [process, *process.children(recursive=True)]
    return []


class Gpus:
    """How busy the cards are on which given processes compute. ``nvidia-smi`` is asked in a thread, never waited for.

    In a container that hides process numbers no card is found to be theirs.
    """

    def __init__(self, every: float = GPU_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._due = 0.0
        self._asking: threading.Thread | None = None
        self._percent: float | None = None

    def percent(self, pids: Set[int]) -> float | None:
        """Of the busiest one, by the last answer; None where no process computes on any."""
        now = self._clock()
        if now >= self._due and (self._asking is None or not self._asking.is_alive()):
            self._due = now + self._every
            program = shutil.which("nvidia-smi")
            if program is None:
                self._percent = None
            else:
                self._asking = threading.Thread(target=self._ask, args=(program, pids), name="gpus", daemon=True)
                self._asking.start()
        return self._percent

    def _ask(self, program: str, pids: Set[int]) -> None:
        self._percent = None if not pids else gpu_percent(program, pids)


def gpu_percent(program: str, pids: Set[int], limit: float = _GPU_LIMIT) -> float | None:
    """Utilisation of the busiest card on which one of ``pids`` computes; None where there is none to be known."""
    ours = {card for pid, card in _table(program, "--query-compute-apps=pid,gpu_uuid", limit) if _number(pid) in pids}
    if not ours:
        return None
    rows = _table(program, "--query-gpu=uuid,utilization.gpu", limit)
    known = [value for card, percent in rows if card in ours and (value := _number(percent)) is not None]
    return max(known, default=None)


def _table(program: str, query: str, limit: float) -> list[tuple[str, str]]:
    """Two columns that ``nvidia-smi`` prints; empty where it fails."""
    try:
        done = subprocess.run(
            [program, query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=limit,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
    parts = [line.split(",") for line in done.stdout.splitlines()]
    return [(first.strip(), second.strip()) for first, second, *_ in (part for part in parts if len(part) > 1)]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class Vitals:
    """Measures one run's running call, beat for beat."""

    def __init__(
        self,
        run: RunFolder,
        state: RunState,
        settings: RunSettings,
        gpus: Gpus | None = None,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._state = state
        self._settings = settings
        self._gpus = gpus or Gpus()
        self._now = now
        self._clock = clock
        self._family = Family(clock)
        self._call: tuple[str, int] | None = None
        self._size = 0
        self._printed = self._busy = 0.0

    def look(self) -> Pulse | None:
        """What the running call does; None where none runs, or the run is held."""
        tool, asked = self._state.running_tool_call, self._state.running_model_call
        if self._state.status is RunStatus.HELD or (tool is None and asked is None):
            self._call = None
            return None
        return self._of_tool(tool) if tool is not None else self._of_model(asked) if asked is not None else None

    def _of_tool(self, call: ToolCallState) -> Pulse:
        seconds = self._begin("tool", call.call, call.started)
        cpu = self._family.look(frozenset(GUARDS))
        gpu = self._gpus.percent(self._family.pids)
        clock = self._clock()
        if max(cpu or 0.0, gpu or 0.0) >= BUSY_PERCENT:
            self._busy = clock
        silent, idle = self._silent(self._run.root / call.log), max(0.0, clock - self._busy)
        waits = silent >= QUIET_SECONDS and idle >= IDLE_SECONDS
        return Pulse(
            time=time.time(),
            kind="tool",
            call=call.call,
            seconds=seconds,
            silent=silent,
            idle=idle,
            connected=waits and is_connected(self._family.pids),
            cpu_percent=cpu,
            processes=len(self._family.pids),
            memory=self._family.memory,
            gpu_percent=gpu,
        )

    def _of_model(self, call: ModelCallState) -> Pulse:
        seconds = self._begin("model", call.call, call.started)
        if call.retry is not None and call.retry.until > self._now():
            self._printed = self._clock()  # nobody is asked while a retry waits
        return Pulse(
            time=time.time(),
            kind="model",
            call=call.call,
            seconds=seconds,
            silent=self._silent(self._run.root / call.stream) if call.stream else seconds,
            silence_limit=self._settings.llm_silence_timeout,
        )

    def _begin(self, kind: str, call: int, started: datetime) -> float:
        """Seconds since the call began; what was seen of another call is forgotten."""
        seconds = max(0.0, (self._now() - started).total_seconds())
        if self._call != (kind, call):
            self._call = kind, call
            self._size = 0
            self._family.begin(seconds)
            self._printed = self._busy = self._clock() - seconds
        return seconds

    def _silent(self, output: Path) -> float:
        with contextlib.suppress(OSError):
            size = output.stat().st_size
            if size != self._size:
                self._size, self._printed = size, self._clock()
        return max(0.0, self._clock() - self._printed)


@contextlib.contextmanager
def published(run: RunFolder, vitals: Vitals) -> Iterator[None]:
    """Keep ``pulse.json`` up to date while the block runs, and remove it after."""
    over = threading.Event()

    def beat() -> None:
        shown = True  # an engine that died may have left one
        while True:
            try:
                pulse = vitals.look()
                if pulse is not None:
                    write_atomically(run.pulse, pulse.model_dump_json(), durable=False)
                elif shown:
                    run.pulse.unlink(missing_ok=True)
                shown = pulse is not None
            except OSError:  # a full disk; the next beat tries again
                pass
            except Exception:  # noqa: BLE001
                _log.exception("the running call could not be measured; the run goes on")
                return
            if over.wait(BEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, name="pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(BEAT_SECONDS)  # a dead disk must not keep the engine from its end
        with contextlib.suppress(OSError):
            run.pulse.unlink(missing_ok=True)
