"""The dashboard on a terminal: bytes, processor, memory, and how long a person waits for a picture or a key."""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import cycle, islice
from pathlib import Path

from agents.lock import EngineLock
from agents.run_folder import RunFolder
from bench.long_run import make_run
from bench.terminal import Watched

SIZES = (1_000, 100_000, 1_000_000)
_SETTLE = 3.0
_CALM = 8.0
"""Until nothing has happened for so long that it counts as idle."""
_IDLE = 20.0
_BUSY = 10.0
_KEYS = 200


def watch(run: RunFolder, *more: str) -> Watched:
    return Watched(
        [sys.executable, "-m", "agentomics_tui", "--runs-dir", str(run.root.parent), "watch", run.run_id, *more]
    )


def attached(run: RunFolder, *more: str) -> tuple[Watched, float, float]:
    """The dashboard with the run's data in it; seconds to its first picture and to the data."""
    screen = watch(run, *more)
    first = screen.until(b"Tool calls") - screen.started
    data = screen.until(b"Iteration ") - screen.started
    return screen, first, data


@contextmanager
def written(run: RunFolder, lines: Iterator[str], per_second: int) -> Iterator[None]:
    """Let the journal grow at that rate, ten times a second or as often as it has a line."""
    over = threading.Event()
    steps = min(per_second, 100)

    def work() -> None:
        due = time.perf_counter()
        while not over.is_set():
            with run.journal.open("a", encoding="utf-8") as file:
                file.writelines(islice(lines, per_second // steps))
            due += 1 / steps
            over.wait(max(0.0, due - time.perf_counter()))

    writer = threading.Thread(target=work)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def key_latencies(screen: Watched) -> list[float]:
    """Milliseconds from a key to the line that it selects, which is drawn anew whole."""
    screen.press(b"\x1b[H")
    screen.read(2.0)
    taken = []
    down_and_up = [(b"\x1b[B", line) for line in range(2, 9)] + [(b"\x1b[A", line) for line in range(7, 0, -1)]
    for key, line in islice(cycle(down_and_up), _KEYS):
        since = len(screen.drawn)
        start = time.perf_counter()
        screen.press(key)
        taken.append(1_000 * (screen.until(f"fold {line} of input".encode(), since) - start))
        screen.read(0.03 + len(taken) % 7 * 0.01)
    return taken


def row(name: str, value: str, goal: str = "") -> None:
    print(f"  {name:<48} {value:>28}   {goal}", flush=True)


def measure(run: RunFolder, lines: Iterator[str], *more: str) -> None:
    """What one dashboard costs while nothing happens, and while something does."""
    screen, _, _ = attached(run, *more)
    with closing(screen):
        screen.read(_CALM)
        worked = screen.cpu_seconds()
        idle = screen.read(_IDLE) / _IDLE
        row("idle, clocks ticking", f"{idle:,.0f} B/s", "at most 100")
        row("idle, processor", f"{100 * (screen.cpu_seconds() - worked) / _IDLE:.2f} %", "below 0.5 of a core")
        with written(run, lines, 10):
            screen.read(1.0)
            row("10 events/s", f"{screen.read(_BUSY) / _BUSY:,.0f} B/s", "at most 1,500")
        with written(run, lines, 1_000):
            screen.read(1.0)
            worked = screen.cpu_seconds()
            drawn = screen.read(_BUSY) / _BUSY
            row("1,000 events/s", f"{drawn:,.0f} B/s, {100 * (screen.cpu_seconds() - worked) / _BUSY:.0f} %")
            taken = sorted(key_latencies(screen))
        row(
            f"a key to its picture at 1,000 events/s, {len(taken)} keys",
            f"{statistics.median(taken):.0f}, p99 {taken[round(0.99 * len(taken)) - 1]:.0f}, max {taken[-1]:.0f} ms",
            "p99 below 50",
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            run, lines = make_run(Path(folder) / str(size), size)
            lock = EngineLock.acquire(run.lock)
            times = []
            for _ in range(5):
                screen, first, data = attached(run)
                with closing(screen):
                    times.append((first, data))
                    screen.read(_SETTLE)
                    memory = screen.memory(), screen.memory("VmRSS")
            for name, taken, goal in zip(
                ("first picture", "attached"), zip(*times, strict=True), (0.4, 1), strict=True
            ):
                told = f"{statistics.median(taken):.2f} s, min {min(taken):.2f}"
                row(f"{size:,} events, {name}", told, f"below {goal}")
            row(f"{size:,} events, memory", f"{memory[1]:.0f} MB, at most {memory[0]:.0f}", "below 150")
            if size == SIZES[0]:
                measure(run, lines)
            lock.release()


if __name__ == "__main__":
    main()
