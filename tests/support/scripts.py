"""Python scripts run as processes of their own, quickly where the system can fork."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

SERVER = Path(__file__).with_name("script_server.py")


def minimal_environment() -> dict[str, str]:
    """What a script needs, and no more: nothing of the developer's shell, one thread."""
    return {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}


def run_script(script: Path | str, *arguments: object, cwd: Path | str = "/") -> subprocess.CompletedProcess[str]:
    """Run ``script`` in a fork of a process that has scikit-learn loaded; where nothing forks, in a new interpreter."""
    if not hasattr(os, "fork"):
        return run_interpreter(script, *arguments, cwd=cwd)
    command = [str(part) for part in (script, *arguments)]
    with tempfile.TemporaryDirectory(prefix="script-") as folder:
        out, err = Path(folder) / "stdout", Path(folder) / "stderr"
        request = {"command": command, "cwd": str(cwd), "environment": minimal_environment()}
        status = _server().ask(json.dumps({**request, "stdout": str(out), "stderr": str(err)}))
        return subprocess.CompletedProcess(command, status, out.read_text(), err.read_text())


def run_interpreter(*command: object, cwd: Path | str = "/") -> subprocess.CompletedProcess[str]:
    """Run a new interpreter with ``command``."""
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=minimal_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


class ScriptServer:
    """The process that forks; it ends with this one."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=minimal_environment(),
        )

    def ask(self, request: str) -> int:
        """The exit status of the script that ``request`` describes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{request}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the script server died"
        return int(answer)

    def close(self) -> None:
        self.process.communicate()  # closes its standard input, which ends it


@cache
def _server() -> ScriptServer:
    server = ScriptServer()
    atexit.register(server.close)
    return server
