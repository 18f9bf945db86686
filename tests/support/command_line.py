"""The command line as processes, with a home folder of its own."""

import os
import subprocess
import sys
from pathlib import Path


class Runs:
    """A runs folder, and the command line on it as a process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "my runs"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "AGENTOMICS_RUNS_DIR": str(self.folder),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def __call__(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "agentomics_tui", *map(str, arguments)],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def error(self, *arguments: object) -> str:
        """The only line that a refused command prints."""
        done = self(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("agentomics-tui: ")
        return done.stderr.removeprefix("agentomics-tui: ").rstrip("\n")

    def settle(self, text: str, *, user: bool = False) -> Path:
        """Write a settings file: the project's, or the user's."""
        path = self.home / ".config" / "agentomics-tui" / "settings.toml" if user else self.home / "agentomics.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path
