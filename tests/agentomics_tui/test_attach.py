"""Neither a killed screen nor a closed terminal touches the run; who attaches sees it as if nothing had been."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.lock import is_alive, read_lock
from agents.vocabulary import RunStatus
from tests.support.journals import finished_run
from tests.support.shell import Shell, write_dataset

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")]


class Terminal:
    """A pseudo-terminal with the program in it."""

    def __init__(self, shell: Shell, *arguments: object, hang_up: signal.Handlers = signal.SIG_DFL) -> None:
        self._hang_up = hang_up
        self.master, slave = pty.openpty()
        environment = {**shell.environment, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agentomics_tui", *map(str, arguments)],
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=self._take_terminal,
        )
        os.close(slave)
        self.shown = ""

    def _take_terminal(self) -> None:
        import fcntl
        import termios

        signal.signal(signal.SIGHUP, self._hang_up)  # whoever started the tests may ignore it
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that closing it sends SIGHUP, as a lost SSH link does

    def read_until(self, text: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown[-2000:]
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    assert text in self.shown, self.shown[-2000:]

    def ended(self, seconds: float = 60) -> int:
        """Exit status, once it has ended. What it still draws is read, or it could not end."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.shown[-2000:]
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    return self.process.wait(timeout=seconds)
        return self.process.returncode

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def close(self) -> None:
        os.close(self.master)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = Shell(tmp_path_factory.mktemp("attach"))
    yield shell
    shell.end_all()


@pytest.fixture(scope="module")
def dataset(shell: Shell) -> Path:
    return write_dataset(shell.runs_dir.parent / "data" / "toxicity")


def _left_by_q(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.read_until("agentomics-tui watch outlives")


def test_a_run_outlives_each_of_its_screens_and_is_watched_again_to_its_end(shell: Shell, dataset: Path) -> None:
    """One run, for each end of a screen is seen against the same engine, and the last screen sees the run's own end."""
    screen = Terminal(shell, "run", dataset, "--iterations", 1, "--run-id", "outlives")
    screen.read_until("Iteration 0")
    engine = read_lock(shell.run_folder("outlives").lock)
    ends = (lambda terminal: os.kill(terminal.process.pid, signal.SIGKILL), Terminal.close, _left_by_q)
    for end_screen in ends:
        end_screen(screen)
        screen.process.wait(timeout=30)
        assert is_alive(engine), "the engine goes on"
        screen = Terminal(shell, "watch", "outlives")
        screen.read_until("toxicity")
    assert is_alive(engine), "no screen was opened on a run that was over"
    state = shell.wait("outlives", lambda state: state.status.is_over)
    assert state.status is RunStatus.FINISHED
    screen.read_until("finished")
    screen.press("q")
    assert screen.ended() == 0


def test_a_dataset_that_cannot_be_used_closes_the_screen_with_one_line_and_status_2(
    shell: Shell, dataset: Path, tmp_path: Path
) -> None:
    broken = write_dataset(tmp_path / "broken")
    with (broken / "train.csv").open("a") as file:
        file.write("1,2,3,SAFE,\n")
    terminal = Terminal(shell, "run", broken, "--run-id", "broken")
    terminal.read_until("line 162")
    assert terminal.ended() == 2
    assert not shell.run_folder("broken").root.exists()


def test_what_the_program_loads_before_a_screen_is_light() -> None:
    code = """
import sys
import agentomics_tui.cli, agentomics_tui.commands.run, agentomics_tui.commands.look, agentomics_tui.app
print(*sorted({"litellm", "pandas", "sklearn", "numpy", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_screen_that_ignores_hang_ups_ends_with_its_terminal_all_the_same(shell: Shell) -> None:
    finished_run(shell.runs_dir, "seen")
    terminal = Terminal(shell, "watch", "seen", hang_up=signal.SIG_IGN)
    terminal.read_until("finished")
    terminal.close()
    assert terminal.process.wait(timeout=60) == -signal.SIGHUP
