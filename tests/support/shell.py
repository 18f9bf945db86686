"""The command line as a person uses it, with a runs folder and a small dataset of its own."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agents.fold import fold
from agents.journal import JournalReader
from agents.lock import is_alive, read_lock
from agents.run_folder import RunFolder
from agents.state import RunState

CANARY = "sk-canary-7f3a91"
"""A key in the person's environment; it must turn up nowhere."""


def write_dataset(folder: Path, rows: int = 160) -> Path:
    """Two numbers decide the class, one is noise, and one column is the label under another name."""
    rng = random.Random(1)
    folder.mkdir(parents=True)
    for split, count in (("train", rows), ("test", rows // 2)):
        with (folder / f"{split}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["length", "charge", "noise", "status", "outcome"])
            for _ in range(count):
                length, charge, noise = (rng.gauss(0, 1) for _ in range(3))
                label = "toxic" if length + charge + rng.gauss(0, 0.3) > 0 else "safe"
                writer.writerow([f"{length:.4f}", f"{charge:.4f}", f"{noise:.4f}", label.upper(), label])
    metadata = {"label_column": "outcome", "positive_class": "toxic", "negative_class": "safe", "metric": "AUROC"}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    return folder


class Shell:
    """The command line with a runs folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.runs_dir = folder / "runs"
        self.environment = {
            **os.environ,
            "AGENTOMICS_RUNS_DIR": str(self.runs_dir),
            "OPENAI_API_KEY": CANARY,
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def __call__(self, *arguments: object, expect: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "agentomics_tui", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run_folder(self, run_id: str) -> RunFolder:
        return RunFolder(self.runs_dir / run_id)

    def state(self, run_id: str) -> RunState:
        return fold(JournalReader(self.run_folder(run_id).journal).read_all())

    def wait(self, run_id: str, reached: Callable[[RunState], object], seconds: float = 240) -> RunState:
        deadline = time.monotonic() + seconds
        while not reached(state := self.state(run_id)):
            assert time.monotonic() < deadline, f"not reached: {state.status} {state.reason}"
            time.sleep(0.05)
        return state

    def end_all(self) -> None:
        """End the engines that a failed test left behind."""
        for run in self.runs_dir.iterdir() if self.runs_dir.is_dir() else ():
            record = read_lock(RunFolder(run).lock)
            if record is not None and is_alive(record):
                os.kill(record.pid, signal.SIGKILL)
