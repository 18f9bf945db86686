"""Running a command so that its output can be watched while it runs and nothing of it outlives the call.

Every command runs under a guard process (``agents/guard.py``), which ends the command's process group and all
of its descendants on normal end, on time-out, on cancellation, and when the engine itself dies. On Linux descendants
that daemonise or call ``setsid`` are found too; on other systems only the process group is.
"""

import asyncio
import errno
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from agents import guard, guard_server
from agents.errors import is_of_the_disk
from agents.excerpt import Excerpt
from agents.sandbox.fence import OPEN, Cell
from agents.sandbox.watch import watched
from agents.tasks import to_the_end
from agents.time_limit import TimeLimit

LOG_LIMIT: Final = 1 << 30
"""Bytes of output after which a command is ended: more is a runaway loop, not a log."""
LINE_LIMIT: Final = 64 * 1024
"""Bytes of a line that ``on_line`` gets; the rest of a longer line is dropped."""

GUARDS: Final[set[int]] = set()
"""Process groups of the guards whose commands run now: all that a command started descends from its guard."""

_CHUNK: Final = 64 * 1024
_END_SECONDS: Final = guard.LINGER_SECONDS + guard.GRACE_SECONDS + guard.KILL_SECONDS + 5.0
"""The guard has done its work long before this, unless it was stopped or killed itself."""

_log = getLogger(__name__)


class ProcessNotStarted(Exception):
    """The command could not be started; the message says why."""


@dataclass(frozen=True)
class ProcessResult:
    """How a command ended."""

    exit_status: int
    """As in ``subprocess``: negative is the number of the signal that ended it."""
    timed_out: bool
    seconds: float
    bytes: int
    """Size of the whole output."""
    excerpt: str
    """What a model gets to see of it."""
    left_running: int = 0
    """Processes that the command had left running and that were ended after it."""
    stuck: int = 0
    """Processes that not even SIGKILL could end."""
    stopped_because: str | None = None
    """Why the call ended it, where that was not its time."""
    limit: TimeLimit | None = None
    """Whose time it was that ended it, where the caller says so."""
    disk_error: OSError | None = None
    """Why its output could not be kept, where the disk is the cause."""

    def demand_sound_disk(self) -> None:
        """Raise what the disk said: neither a model nor a script can mend it."""
        if self.disk_error is not None:
            raise self.disk_error


async def run_process(
    argv: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log: Path,
    timeout: float,  # noqa: ASYNC109
    on_line: Callable[[str], None] | None = None,
    log_limit: int = LOG_LIMIT,
    cell: Cell = OPEN,
) -> ProcessResult:
    """Run ``argv`` in ``cwd``, confined to ``cell``, with exactly ``environment`` and no standard input.

    Both outputs stream into ``log``. ``timeout`` is in seconds. ``on_line`` is called in the event loop's thread with
    each line of output, without its newline, of at most ``LINE_LIMIT`` bytes; what it raises is logged and does not
    disturb the run. Memory does not grow with the output. When the call returns or raises, ``asyncio.CancelledError``
    included, every process that the command started has ended. Raises :class:`ProcessNotStarted`; raises ``OSError``
    where ``log`` cannot be opened.
    """
    request = _request(cell, argv, cwd, environment)
    started = time.monotonic()
    with _Output(log, log_limit, on_line) as output:
        leash = _Leash(request, output)
        try:
            ends: set[asyncio.Future[Any]] = {leash.exited, output.overflow}
            async with watched(cell.fence.limits, cwd, lambda: leash.guard, output.stop):
                await asyncio.wait(ends, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timed_out = not leash.exited.done() and not output.overflow.done()
            seconds = time.monotonic() - started
            await to_the_end(leash.let_go())
    if leash.guard is None or leash.failure is not None:
        raise ProcessNotStarted(leash.failure or f"its guard process failed: {output.excerpt.text()[-500:]}")
    stopped_because = output.overflow.result() if output.overflow.done() else None
    if leash.exit_status is None and not leash.stuck:
        stopped_because = "its guard process was killed"
    return ProcessResult(
        exit_status=-signal.SIGKILL if leash.exit_status is None else leash.exit_status,
        timed_out=timed_out,
        seconds=seconds,
        bytes=output.excerpt.bytes,
        excerpt=output.excerpt.text(),
        left_running=leash.left_running,
        stuck=leash.stuck,
        stopped_because=stopped_because,
        disk_error=output.disk_error,
    )


def _request(cell: Cell, argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> bytes:
    if not argv or not argv[0]:
        raise ProcessNotStarted("the command is empty")
    if not cwd.is_dir():
        raise ProcessNotStarted(f"{cwd}: {os.strerror(errno.ENOENT)}")
    start = cell.confined(argv, environment, cwd)
    limits = " ".join(f"{name}={value}" for name, value in cell.fence.limits.to_set().items())
    pairs = (f"{name}={value}" for name, value in start.environment.items())
    fields = [str(start.cwd), limits, str(len(start.argv)), *start.argv, *pairs]
    try:
        encoded = [os.fsencode(text) for text in fields]
    except UnicodeEncodeError as error:
        raise ProcessNotStarted(f"the command holds a character that cannot be encoded: {error.reason}") from None
    if any(b"\0" in text for text in encoded):
        raise ProcessNotStarted("the command holds a NUL character, which no process can take as an argument")
    return b"\0".join(encoded)


def _unnamed_file() -> IO[bytes]:
    """In memory where that can be had: making one on a disk takes as long as all the rest of asking for a guard."""
    if sys.platform == "linux":
        return open(os.memfd_create("request"), "w+b")  # noqa: PTH123 - it has no path
    return tempfile.TemporaryFile()


class _Leash:
    """The guard of one command, as the engine holds it."""

    def __init__(self, request: bytes, output: "_Output") -> None:
        self.leader: int | None = None
        self.exit_status: int | None = None
        self.failure: str | None = None
        self.left_running = 0
        self.stuck = 0
        self._guard: int | None = None
        self._let_go = False
        self._request = request
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._ask()
        self.exited: asyncio.Task[None] = asyncio.create_task(self._read_until_exit())
        """Done when the command has ended or could not be started."""

    def _ask(self) -> None:
        """Have a guard forked."""
        status, leash = os.pipe(), os.pipe()
        try:
            with _unnamed_file() as file:
                file.write(self._request)
                file.flush()
                guard_server.SERVER.hand_over((leash[0], status[1], self._output.writable, file.fileno()))
        except OSError as error:
            os.close(status[0])
            os.close(leash[1])
            raise ProcessNotStarted(f"its guard process failed: {error}") from None
        finally:
            os.close(leash[0])
            os.close(status[1])
        self._leash, self._status_file = leash[1], status[0]
        os.set_blocking(self._status_file, False)
        self._status = asyncio.StreamReader()
        self._loop.add_reader(self._status_file, self._read_status)

    @property
    def guard(self) -> int | None:
        """Its process, once it is known."""
        return self._guard

    async def let_go(self) -> None:
        """Have the guard end whatever runs, and wait for it and for the rest of the output."""
        self._let_go = True
        os.close(self._leash)
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self.exited
                await self._read_until_ended()
        except TimeoutError:
            self.exited.cancel()
            await self._kill_guard()
        self._loop.remove_reader(self._status_file)
        os.close(self._status_file)
        self._output.close_writable()
        if self.exit_status is None and self.leader is not None:
            # Somebody killed the guard. On Linux all have ended by now, unless both of its processes were killed.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.leader, signal.SIGKILL)
        GUARDS.discard(self._guard or 0)
        await self._output.drain()

    async def _kill_guard(self) -> None:
        """End the guard and the process above it, where somebody stopped them."""
        if self._guard is None:
            guard_server.SERVER.kill()
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._guard, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._read_until_ended()

    def _read_status(self) -> None:
        data = os.read(self._status_file, _CHUNK)
        if data:
            self._status.feed_data(data)
        else:
            # Only the guard and the process above it can write here: both are gone.
            self._loop.remove_reader(self._status_file)
            self._status.feed_eof()

    async def _read_until_exit(self) -> None:
        if (first := await self._line()) is None and not self._let_go:
            status, leash = self._status_file, self._leash
            try:
                self._ask()  # again: the server was killed before it read what it was asked
            except ProcessNotStarted as error:
                self.failure = str(error)
                return
            os.close(status)
            os.close(leash)
            first = await self._line()
        if first is not None:
            self._guard = int(first.removeprefix("guard "))
            GUARDS.add(self._guard)
        self._output.close_writable()
        while (line := await self._line()) is not None:
            word, _, rest = line.partition(" ")
            if word == "started":
                self.leader = int(rest)
            elif word == "exited":
                self.exit_status = int(rest)
                return
            elif word == "failed":
                self.failure = rest
                return

    async def _read_until_ended(self) -> None:
        while (line := await self._line()) is not None:
            word, _, rest = line.partition(" ")
            if word == "ended":
                self.left_running, self.stuck = map(int, rest.split())
                return  # the guard itself ends now; nothing waits for that

    async def _line(self) -> str | None:
        line = await self._status.readline()
        return line.decode(errors="replace").rstrip("\n") if line else None


class _Output:
    """The reading end of a command's output: log file, excerpt and lines."""

    def __init__(self, log: Path, limit: int, on_line: Callable[[str], None] | None) -> None:
        self.excerpt = Excerpt()
        self._lines = _Lines() if on_line else None
        self._on_line = on_line
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self.overflow: asyncio.Future[str] = self._loop.create_future()
        """Why nothing more can be written, once that is so."""
        self.disk_error: OSError | None = None
        self._ended = asyncio.Event()
        log.parent.mkdir(parents=True, exist_ok=True)
        self._file = log.open("wb", buffering=0)
        self._readable, self.writable = os.pipe()
        os.set_blocking(self._readable, False)
        self._loop.add_reader(self._readable, self._read)

    def __enter__(self) -> "_Output":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._loop.remove_reader(self._readable)
        os.close(self._readable)
        self.close_writable()
        self._file.close()

    def close_writable(self) -> None:
        """Give up this process's own writing end, so that the output can come to an end."""
        if self.writable >= 0:
            os.close(self.writable)
            self.writable = -1

    def stop(self, reason: str) -> None:
        """Have the call ended, for ``reason``."""
        if not self.overflow.done():
            self.overflow.set_result(reason)

    async def drain(self) -> None:
        """Wait for the rest of the output, but not for somebody who holds it open without end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._ended.wait()
        if self._lines is not None:
            self._tell(self._lines.finish())

    def _read(self) -> None:
        try:
            data = os.read(self._readable, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._readable)
            self._ended.set()
            return
        self._store(data)
        self.excerpt.feed(data)
        if self._lines is not None:
            self._tell(self._lines.feed(data))

    def _store(self, data: bytes) -> None:
        if self.overflow.done():
            return
        try:
            room = self._limit - self.excerpt.bytes
            rest = memoryview(data)[: max(room, 0)]
            while rest:
                rest = rest[self._file.write(rest) :]
            if len(data) > room:
                self.overflow.set_result(f"it wrote more than {self._limit:,} bytes")
        except OSError as error:
            self.overflow.set_result(f"its output could not be written to the log: {error.strerror}")
            if is_of_the_disk(error):
                error.filename = self._file.name
                self.disk_error = error

    def _tell(self, lines: Iterable[str]) -> None:
        assert self._on_line is not None
        for line in lines:
            try:
                self._on_line(line)
            # A watcher's mistake must not end a training of hours.
            except Exception:  # noqa: BLE001
                _log.exception("a line of output could not be handled")


class _Lines:
    """Cuts bytes into decoded lines, each bounded."""

    def __init__(self) -> None:
        self._part = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that ``data`` completes."""
        first, *rest = data.split(b"\n")
        self._part += first[: LINE_LIMIT - len(self._part)]
        if not rest:
            return []
        *middle, last = rest
        lines = [self._part, *middle]
        self._part = last[:LINE_LIMIT]
        return [line[:LINE_LIMIT].decode(errors="replace") for line in lines]

    def finish(self) -> list[str]:
        """The last line, where it has no newline."""
        part, self._part = self._part, b""
        return [part.decode(errors="replace")] if part else []
