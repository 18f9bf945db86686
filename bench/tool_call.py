"""What a tool call costs beyond the work of its own process."""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from agents.budget import Budget
from agents.calls import Calls, Workplace
from agents.recorder import Recorder
from agents.run_folder import create_run
from agents.settings import RunSettings
from agents.steering import Steering

REPEATS = 50


async def tool_calls(folder: Path) -> list[float]:
    settings = RunSettings(dataset=folder)
    run = create_run(folder / "runs", settings, "bench")
    recorder = Recorder(run.journal, run.run_id)
    steering = Steering(run, recorder)
    calls = Calls(run, recorder, settings, steering, Budget(settings, recorder, steering))
    place = Workplace(folder, folder, Path(sys.executable), {"PATH": "/usr/bin:/bin"})
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        await calls.tool("bash", '{"command": "true"}', place)
        taken.append(time.perf_counter() - start)
    return taken


def bare() -> list[float]:
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(["/bin/bash", "-c", "true"], check=True)
        taken.append(time.perf_counter() - start)
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, taken in (
            ("bash true, bare", bare()),
            ("bash true, as a tool", asyncio.run(tool_calls(Path(folder)))),
        ):
            print(f"  {name:<22} median {1000 * statistics.median(taken):6.1f} ms   max {1000 * max(taken):6.1f} ms")


if __name__ == "__main__":
    main()
