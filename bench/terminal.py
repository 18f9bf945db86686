"""A program in a pseudo-terminal whose output is counted: what a person's terminal and link get to see of it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROWS, COLUMNS = 40, 120
_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_^][^\x1b]*\x1b\\|.)")
_TICKS = os.sysconf("SC_CLK_TCK")
_SYNC_QUERY, _SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"


class Watched:
    """A program that draws on a terminal of 120 by 40 cells, from its start."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
            cwd=cwd,
            start_new_session=True,
        )
        os.close(slave)
        self.drawn = b""
        """Everything so far, escapes included."""

    def read(self, seconds: float) -> int:
        """Read whatever comes within ``seconds``, answering what a terminal is asked; how many bytes that were."""
        end, before = time.perf_counter() + seconds, len(self.drawn)
        while (left := end - time.perf_counter()) > 0:
            self._read_some(left)
        return len(self.drawn) - before

    def until(self, words: bytes, since: int = 0, limit: float = 120.0) -> float:
        """Read until ``words`` stand in what was drawn from byte ``since`` on; the moment at which they came."""
        end = time.perf_counter() + limit
        while words not in _ESCAPE.sub(b"", self.drawn[since:]):
            if time.perf_counter() > end:
                raise TimeoutError(f"{words!r} never came: {_ESCAPE.sub(b'', self.drawn[since:])[-300:]!r}")
            self._read_some(1.0)
        return time.perf_counter()

    def _read_some(self, limit: float) -> None:
        if not select.select([self._master], [], [], limit)[0]:
            return
        try:
            data = os.read(self._master, 65536)
        except OSError:  # how Linux tells that nobody has the terminal open any more
            raise EOFError(f"it ended: {_ESCAPE.sub(b'', self.drawn)[-500:]!r}") from None
        self.drawn += data
        if _SYNC_QUERY in data:
            os.write(self._master, _SYNC_ANSWER)

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def cpu_seconds(self) -> float:
        """Time on the processor so far, of the program and of what it has started."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self._process.pid:  # all are of its session
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / _TICKS

    def memory(self, name: str = "VmHWM") -> float:
        """Resident megabytes: the most so far, or ``VmRSS``, the present ones."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) / 1_000 if found else 0.0

    def close(self) -> None:
        """End the program and what it has started in its own group."""
        for how, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, how)
            with suppress(EOFError):
                self.read(patience)
                continue
            break
        self._process.wait()
        os.close(self._master)
