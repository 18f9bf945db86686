"""A small machine in a folder: a run, another one, a dataset with hidden labels, a home, and somebody with a key."""

import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.processes import ProcessResult, run_process
from agents.sandbox.fence import Cell, Fence, Limits, Sandbox
from tests.agents.sandbox.hostile import FORBIDDEN

FILES = {
    "labels": "dataset/labels.csv",
    "other_run": "runs/other/best/metrics.json",
    "snapshot": "runs/mine/snapshots/000/metrics.json",
    "metrics": "runs/mine/iterations/000/validation_evaluation/output.json",
    "journal": "runs/mine/events.jsonl",
    "home": "home/.netrc",
    "program": "program/agents/evaluate.py",
    "package": "runs/mine/environment/lib/numpy.py",
    "data": "runs/mine/data/train/labels.csv",
    "archived": "runs/mine/iterations/001/data_split/split.py",
}
READABLE = ("data", "archived", "package")


@dataclass(frozen=True)
class World:
    """Where all of it is."""

    root: Path
    places: Mapping[str, object]

    @property
    def step(self) -> Path:
        """Where hostile code runs and may write."""
        return self.root / "runs/mine/iterations/001/model_training"

    def fence(self, limits: Limits | None = None) -> Fence:
        """What a step of a run is given."""
        run = self.root / "runs/mine"
        interpreter = (Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix))
        read = (run / "data", run / "environment", run / "iterations/001", *interpreter)
        return Fence(read, (self.step, run / "work"), limits=limits or Limits(file=1 << 20))

    def state(self) -> dict[str, str]:
        """Digest and mode of every file that is not the step's own."""
        return {
            str(path): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mode:o}"
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not path.is_relative_to(self.step)
        }

    async def run(
        self, sandbox: Sandbox, code: str, limits: Limits | None = None, seconds: float = 60
    ) -> ProcessResult:
        """Run Python code as a script of the step."""
        script = self.step / "script.py"
        known = f"import os, shutil, socket, subprocess, sys, time\nP = {dict(self.places)!r}\n"
        script.write_text(known + code)
        return await run_process(
            [sys.executable, "-S", str(script)],
            cwd=self.step,
            environment={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.root / "runs/mine/work")},
            log=self.root / "log",
            timeout=60,
            cell=Cell(sandbox, self.fence(limits)),
        )


@contextmanager
def world(root: Path) -> Iterator[World]:
    """Build it; its servers and its process are gone afterwards."""
    places: dict[str, object] = {"outside": str(root / "outside.txt"), "file_limit": 1 << 20}
    for name, place in FILES.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{FORBIDDEN}\n")
        places[name] = str(path)
    for folder in ("runs/mine/work", "runs/mine/iterations/001/model_training"):
        (root / folder).mkdir(parents=True)
    abstract = f"agentomics-{os.getpid()}-{root.name}"
    with ExitStack() as stack:
        places["port"] = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        for name, address in (("socket", str(root / "s")), ("abstract", f"\0{abstract}")):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(address)
            server.listen()
            places[name] = address.lstrip("\0")
        keeper = stack.enter_context(
            subprocess.Popen(["/bin/sleep", "1000"], env={"OPENAI_API_KEY": "sk-canary-of-the-engine"})
        )
        stack.callback(keeper.kill)
        places["pid"] = keeper.pid
        yield World(root, places)
