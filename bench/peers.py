"""Our dashboard beside the terminal displays of Inspect AI and of Weights & Biases, on this machine.

Not part of ``make bench``: it needs an environment in which the two are installed, and takes the path of its Python:
``python -m bench.peers /tmp/peers/bin/python``. Each shows a run that goes on while nothing happens.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from agents.lock import EngineLock
from bench.long_run import make_run
from bench.screen import watch
from bench.terminal import Watched

_REPEATS = 5
_SETTLE = 5.0
_IDLE = 20.0

_TASK = """
import asyncio
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.solver import solver

@solver
def waits():
    async def solve(state, generate):
        await asyncio.sleep(600)
        return state
    return solve

@task
def patience():
    return Task(dataset=[Sample(input="wait")], solver=waits())
"""
_LOGGED = """
import math, wandb
run = wandb.init(project="bench", mode="offline")
for step in range(200):
    run.log({"loss": math.exp(-step / 50), "auroc": 1 - math.exp(-step / 80)})
run.finish()
"""


def _inspect(python: Path, folder: Path) -> Watched:
    """An evaluation of one sample that waits, in Inspect AI's full display."""
    (folder / "task.py").write_text(_TASK)
    options = ["--model", "mockllm/model", "--display", "full", "--log-dir", str(folder / "logs")]
    quiet = {"INSPECT_TELEMETRY": "", "NO_PROXY": "*"}
    return Watched([str(python.parent / "inspect"), "eval", "task.py", *options], quiet, folder)


def _leet(python: Path, folder: Path) -> Watched:
    """A recorded offline run in W&B LEET."""
    if not (folder / "wandb").is_dir():
        (folder / "log.py").write_text(_LOGGED)
        subprocess.run([python, "log.py"], cwd=folder, check=True, capture_output=True)
    run = next((folder / "wandb").glob("offline-run-*"))
    return Watched([str(python.parent / "wandb"), "leet", str(run)], {"WANDB_MODE": "offline"}, folder)


def compare(name: str, start: Callable[[], Watched], words: bytes) -> None:
    firsts = []
    for repeat in range(_REPEATS):
        screen = start()
        with closing(screen):
            try:
                firsts.append(screen.until(words, limit=60) - screen.started)
            except (TimeoutError, EOFError) as problem:
                print(f"  {name:<24} cannot be run here: {str(problem)[:200]}")
                return
            if repeat < _REPEATS - 1:
                continue
            screen.read(_SETTLE)
            worked = screen.cpu_seconds()
            idle = screen.read(_IDLE) / _IDLE
            cpu = 100 * (screen.cpu_seconds() - worked) / _IDLE
    print(
        f"  {name:<24} first picture {statistics.median(firsts):5.2f} s (min {min(firsts):.2f})   "
        f"idle {idle:7,.0f} B/s   {cpu:5.2f} % of a core",
        flush=True,
    )


def main(python: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        run, _ = make_run(Path(place) / "runs", 1_000)
        EngineLock.acquire(run.lock)
        compare("agentomics-tui", lambda: watch(run), b"Tool calls")
        compare("  with --low-bandwidth", lambda: watch(run, "--low-bandwidth"), b"Tool calls")
        compare("inspect-ai", lambda: _inspect(python, Path(place)), b"patience")
        compare("wandb leet", lambda: _leet(python, Path(place)), b"loss")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m bench.peers PYTHON: the Python of an environment with inspect-ai and wandb in it")
    main(Path(sys.argv[1]).absolute())
