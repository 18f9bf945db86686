"""How long a person waits: whole processes from start to ``--help``, and to the dashboard with a run's data in it."""

import fcntl
import os
import pty
import re
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

REPEATS = 9
_ROWS, _COLUMNS = 40, 120
_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_^][^\x1b]*\x1b\\|.)")
_PROGRAM = [sys.executable, "-m", "agentomics_tui"]


def exits(arguments: list[str]) -> None:
    """Run a process to its end."""
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def paints(runs: Path, run_id: str, words: bytes) -> float:
    """Seconds from the start of ``watch`` in a pseudo-terminal until ``words`` stand in what it has drawn."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    command = [*_PROGRAM, "--runs-dir", str(runs), "watch", run_id]
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    drawn = b""
    while words not in _ESCAPE.sub(b"", drawn):
        drawn += os.read(master, 65536)
    taken = time.perf_counter() - start
    os.write(master, b"q")
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        pass  # how Linux tells that nobody has the terminal open any more
    process.wait()
    os.close(master)
    return taken


def row(name: str, work: Callable[[], float | None]) -> None:
    """One line: time on the clock until what is waited for, and time on the processor of the whole process."""
    waited, worked = [], []
    for _ in range(REPEATS):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        told = work()
        waited.append(time.perf_counter() - start if told is None else told)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        worked.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    spread = f"min {min(waited):.2f}, max {max(waited):.2f}, processor min {min(worked):.2f}"
    print(f"  {name:<56} {statistics.median(waited):7.2f} s   ({spread})")


def main() -> None:
    from tests.support.journals import finished_run

    row("python -c pass", lambda: exits(["-c", "pass"]))
    row("python -c 'import textual.app'", lambda: exits(["-c", "import textual.app"]))
    row("agentomics-tui --help", lambda: exits(["-m", "agentomics_tui", "--help"]))
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        run = finished_run(runs)
        data = b"0.9440"  # the test score, which the last events of the journal bring
        name = "process start to a finished run's data in a terminal"
        row(name, lambda: paints(runs, run.folder.run_id, data))


if __name__ == "__main__":
    main()
