"""How long a person waits: whole processes from start to first paint, to ``--help``, and to a run's first event."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 7

_FIRST_PAINT = """
import sys
from pathlib import Path
from agentomics_tui.app import AgentomicsApp
from agents.run_folder import resolve_run
runs = Path(sys.argv[1])
app = AgentomicsApp(resolve_run("last", runs), runs)
app.call_after_refresh(app.exit)
app.run(headless=True, size=(120, 40))
"""


def seconds(arguments: list[str]) -> list[float]:
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return taken


def row(name: str, taken: list[float]) -> None:
    print(f"  {name:<44} {statistics.median(taken):7.2f} s   (min {min(taken):.2f}, max {max(taken):.2f})")


def main() -> None:
    from tests.support.journals import finished_run

    row("python -c pass", seconds(["-c", "pass"]))
    row("agentomics-tui --help", seconds(["-m", "agentomics_tui", "--help"]))
    with tempfile.TemporaryDirectory() as folder:
        finished_run(Path(folder))
        row("dashboard of a finished run, painted", seconds(["-c", _FIRST_PAINT, folder]))


if __name__ == "__main__":
    main()
