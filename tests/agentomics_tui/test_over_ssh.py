"""A person on another machine: a link that breaks takes their screen along and nothing else, and they come back."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from agents.events import CommandReceived
from agents.fold import fold
from agents.journal import JournalReader
from agents.vocabulary import IterationStatus, RunStatus
from tests.support.processes import processes_of
from tests.support.shell import Shell, write_dataset
from tests.support.ssh import NoLogin, Server, Terminal, has_ended, missing, until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing())]

PROGRAM = (sys.executable, "-m", "agentomics_tui")
NOTE = "try extra trees"


class Far:
    """A machine that is reached over SSH only, with a home, runs and a dataset of its own, and the terminals here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shell = Shell(folder)
        self.dataset = write_dataset(folder / "toxicity")
        (folder / "home").mkdir()
        names = ("AGENTOMICS_RUNS_DIR", "PATH", "PYTHONPATH")
        environment = {name: self.shell.environment[name] for name in names}
        environment |= {"HOME": str(folder / "home"), "XDG_STATE_HOME": str(folder / "state"), "LANG": "C.UTF-8"}
        self.server = Server(folder / "sshd", environment)
        self._terminals: list[Terminal] = []

    def opens(self, *command: object, size: tuple[int, int] = (120, 40)) -> Terminal:
        """A terminal here whose command runs there."""
        terminal = Terminal(self.folder / f"t{len(self._terminals)}", *self.server.client(*command), size=size)
        self._terminals.append(terminal)
        return terminal

    def status(self, run_id: str) -> dict[str, Any]:
        return dict(json.loads(self.server.run(*PROGRAM, "status", run_id, "--json")))

    def until(self, run_id: str, **wanted: object) -> None:
        """Wait until ``status`` says what is ``wanted``."""
        until(lambda: wanted.items() <= self.status(run_id).items(), lambda: f"{wanted} in {self.status(run_id)}")

    def outlives_the_link(self, run_id: str) -> None:
        """No connection is left, and the engine works on: its journal grows."""
        until(lambda: not self.server.sessions(), "the far side gives up a broken link")
        before = self.shell.state(run_id)
        assert not before.status.is_over, "the link was cut too late to show anything"
        self.shell.wait(run_id, lambda state: state.last_seq > before.last_seq)
        assert self.status(run_id)["engine_alive"]

    def closes_terminals(self) -> None:
        for terminal in self._terminals:
            terminal.close()

    def is_quiet(self) -> None:
        """Wait until nothing runs any more but the server itself, which has no session."""
        self.closes_terminals()
        until(lambda: len(processes_of(self.folder)) == 1, lambda: processes_of(self.folder))
        assert self.server.sessions() == []

    def ends(self) -> None:
        self.closes_terminals()
        self.server.close()
        for left in processes_of(self.folder):  # by a test that failed
            with suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    try:
        far = Far(tmp_path)
    except NoLogin as why:
        pytest.skip(f"nobody can work over SSH here: {why}")
    yield far
    far.ends()


def test_a_run_whose_link_broke_is_steered_over_another_one_to_its_end(far: Far) -> None:
    first = far.opens(*PROGRAM, "run", far.dataset, "--run-id", "over", "--iterations", 2)
    first.sees("Iteration 0", "running")
    [screen] = far.server.screens()
    first.kill()
    until(lambda: has_ended(screen), "a screen that nobody sees ends")
    far.outlives_the_link("over")

    second = far.opens(*PROGRAM, "watch", "over")
    second.sees("You only watch; nobody steers", "Iteration 0")
    second.press("t")
    second.gone("You only watch")
    second.press("p")
    second.sees("The run stands still: paused by a person")
    far.until("over", status="held", engine_alive=True, iteration=0)
    second.press("h")
    second.sees("Say to the agent")
    second.type(NOTE)
    second.press("Enter")
    second.sees("Note accepted: goes to the agent with")
    assert list(far.status("over")["notes"].values()) == [NOTE]
    second.press("n")
    second.sees("End iteration 0?")
    second.press("n")
    second.sees("Iteration 1 (2 of 2)", "The run stands still", "skipped")
    far.until("over", status="held", iteration=1)
    second.press("p")
    far.until("over", status="running", notes={})

    second.sees("finished after 2 iterations", "AUROC", "report/report.md")
    far.until("over", status="finished", engine_alive=False)
    second.press("q")
    status, said = second.ended()
    assert status == 0
    assert "The run is over. Look at it again with: " in said
    far.is_quiet()
    _every_command_was_answered_once(far)


def _every_command_was_answered_once(far: Far) -> None:
    run = far.shell.run_folder("over")
    events = list(JournalReader(run.journal).read_all())
    state = fold(events)
    assert state.status is RunStatus.FINISHED
    assert [iteration.status for iteration in state.iterations] == [IterationStatus.SKIPPED, IterationStatus.DONE]
    assert [event.seq for event in events] == list(range(len(events)))
    receipts = [event for event in events if isinstance(event, CommandReceived)]
    assert [(event.command, event.outcome) for event in receipts] == [
        (command, "accepted") for command in ("pause", "say", "skip_iteration", "resume")
    ]
    assert len({event.command_id for event in receipts}) == len(receipts)
    assert [path for path in run.control.iterdir() if path.is_file()] == []
    assert [(note.text, note.delivered, note.iteration) for note in state.notes.values()] == [(NOTE, True, 1)]
    assert state.iterations[1].combination.endswith("extra trees"), "the agent did as it was told"
    assert state.test_scores["test"]["AUROC"]


def test_a_screen_in_a_tmux_over_there_is_found_again_as_it_was(far: Far) -> None:
    """Also from a smaller terminal; what it shows there is what a new screen of that size shows."""
    tmux = ("tmux", "-S", far.folder / "far", "-f", "/dev/null")
    command = (*PROGRAM, "run", far.dataset, "--run-id", "kept", "--iterations", 1)
    quiet = (";", "set", "-g", "status", "off")
    first = far.opens(*tmux, "new-session", "-s", "work", *command, *quiet)
    first.sees("Iteration 0", "running")
    screen = psutil.Process(int(far.server.run(*tmux, "display-message", "-p", "-t", "work", "#{pane_pid}")))
    first.kill()
    far.outlives_the_link("kept")
    assert not has_ended(screen)

    second = far.opens(*tmux, "attach", "-t", "work", size=(100, 30))
    second.sees("Iteration 0")
    second.press("p")  # it steers still
    second.sees("The run stands still: paused by a person")
    fresh = far.opens(*PROGRAM, "watch", "kept", size=(100, 30))
    fresh.sees("The run stands still: paused by a person")
    until(lambda: _picture(second) == _picture(fresh), lambda: f"{second.text()}\n{fresh.text()}")
    fresh.press("q")
    assert fresh.ended()[0] == 0

    assert "accepted" in far.server.run(*PROGRAM, "stop", "kept", "--now")
    second.sees("The run was stopped")
    second.press("q")
    assert second.ended()[0] == 0
    until(lambda: has_ended(screen), "the screen has been left")
    far.until("kept", status="stopped", engine_alive=False)
    far.is_quiet()


def _picture(terminal: Terminal) -> list[str]:
    """All that stands there but the last line, whose keys differ for who only watches."""
    return terminal.text().splitlines()[:-1]
