"""A thousand commands of two watchers and a command line to one real engine, which is killed and stopped meanwhile."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual.message import Message

from agentomics_tui import worker
from agentomics_tui.cli import run_command
from agentomics_tui.commands import sending
from agentomics_tui.worker import RunWatcher
from agents import control
from agents.fold import apply
from agents.journal import JournalReader
from agents.launch import start_engine
from agents.lock import is_alive, read_lock
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.state import RunState
from agents.vocabulary import STEPS, Gate, NoteTime, RunStatus, StepName
from screens.messages import CommandFailed, EventsRead, StateRestored
from tests.faults.runs import wait_until_nothing_runs_in
from tests.support.ledger import Ledger, assert_valid
from tests.support.shell import write_dataset

pytestmark = pytest.mark.slow
OF_A_WATCHER, OF_THE_LINE = 650, 250
PAUSE = 0.03
"""Seconds between two commands of one sender: five of them or so come between two looks of the engine."""
PATIENCE = 120.0


class Watching:
    """A watcher in a thread of its own, as the app has it, and the person before it."""

    def __init__(self, run: RunFolder, *, steers: bool) -> None:
        self.state = RunState()
        self.failed = 0
        """Commands that were not left, as somebody else held control."""
        self.watcher = RunWatcher(run, self._take_in, poll=0.02, steers=steers)
        self._thread = threading.Thread(target=self.watcher.run)
        self._thread.start()

    def _take_in(self, message: Message) -> None:
        match message:
            case CommandFailed():
                self.failed += 1
            case StateRestored():
                self.state = message.state
            case EventsRead():
                for event in message.events:
                    apply(self.state, event)

    def steer(self, seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(OF_A_WATCHER):
            if rng.random() < 0.05:
                self.watcher.control(take=rng.random() < 0.7)
            command = any_command(rng, self.state)
            self.watcher.submit(command)
            time.sleep(rng.random() * 2 * PAUSE)

    def leave(self) -> None:
        self.watcher.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def any_command(rng: random.Random, state: RunState) -> control.Command:
    """A pause is resumed sooner or later, and seldom is a run stopped."""
    waiting = [note.note_id for note in list(state.notes.values()) if note.waits]
    note = rng.choice([*waiting[-3:], "none"])
    verdict = rng.choice(["approve", "approve", "reject", "edit"])
    kinds = {
        control.Resume(): 14,
        control.Pause(now=rng.random() < 0.3): 7,
        control.SkipStep.seen(state): 4,
        control.SkipIteration.seen(state): 2,
        control.Redo.seen(state).model_copy(update={"back_to": rng.choice([None, *STEPS]), "note": "otherwise"}): 3,
        control.Say(text=f"note {rng.random()}", when=rng.choice(list(NoteTime))): 8,
        control.EditNote(note_id=note, text=f"other {rng.random()}"): 5,
        control.WithdrawNote(note_id=note): 3,
        control.Answer(approval=state.approvals, verdict=verdict, reason="not yet", text="x: ["): 12,  # type: ignore[arg-type]
        control.AskAgain(): 3,
        control.RaiseLimit(tokens=1_000): 2,
        control.Stop(now=rng.random() < 0.5): 0.3,
    }
    gates = control.SetGates(gates=rng.sample(list(Gate), rng.randrange(3)))
    [command] = rng.choices([*kinds, gates], [*kinds.values(), 3])
    return command


def any_words(rng: random.Random) -> list[str]:
    """The same from the command line."""
    words = [
        (["resume"], 14),
        (["pause"], 4),
        (["pause", "--now"], 2),
        (["skip", "--step"], 3),
        (["skip", "--iteration"], 1),
        (["redo"], 2),
        (["redo", "--step", StepName.DATA_EXPLORATION.value, "--note", "look again"], 2),
        (["say", "a word", "--when", rng.choice(list(NoteTime)).value], 6),
        (["gates", rng.choice(["plan", "training", "plan,training", "none"])], 4),
        (["approve"], 10),
        (["reject", "not like this"], 3),
        (["ask-again"], 2),
    ]
    [chosen] = rng.choices([word for word, _ in words], [weight for _, weight in words])
    return [chosen[0], "hands", *chosen[1:]]


@contextmanager
def steered(run: RunFolder) -> Iterator[None]:
    """Whatever a failed test leaves of the engine is ended."""
    try:
        yield
    finally:
        record = read_lock(run.lock)
        if record is not None and is_alive(record):
            os.kill(record.pid, signal.SIGKILL)
        wait_until_nothing_runs_in(run.root)


def lives(run: RunFolder) -> bool:
    return is_alive(read_lock(run.lock))


def wait_for(run: RunFolder, *, alive: bool) -> None:
    deadline = time.monotonic() + PATIENCE
    while lives(run) != alive:
        assert time.monotonic() < deadline, f"the engine is {'' if alive else 'still '}there"
        time.sleep(0.05)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """What was given: each command is met on its way to the folder. A wish to resume may start an engine instead."""
    ledger, submit = Ledger(None, None), control.submit

    def met(run: RunFolder, command: control.Command) -> None:
        ledger.sent(command)
        submit(run, command)

    monkeypatch.setattr(control, "submit", met)
    monkeypatch.setattr(worker, "submit", met)
    monkeypatch.setattr(sending, "_RECEIPT_SECONDS", 0.0)
    return ledger


def test_two_watchers_and_a_command_line_steer_one_real_engine(
    tmp_path: Path, given: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTOMICS_RUNS_DIR", str(tmp_path / "runs"))
    values = RunSettings(dataset=write_dataset(tmp_path / "toxicity"), iterations=1000, seed=5)
    run = create_run(tmp_path / "runs", values, "1.0", "hands")
    with steered(run):
        engines = [start_engine(run)]
        wait_for(run, alive=True)
        watching = [Watching(run, steers=steers) for steers in (True, False)]
        threads = [threading.Thread(target=one.steer, args=(seed,)) for seed, one in enumerate(watching, start=1)]
        threads.append(threading.Thread(target=_at_the_line))
        for thread in threads:
            thread.start()
        _let_engines_come_and_go(run, threads)
        for one in watching:
            one.leave()
        _to_the_end(run)
        assert engines[0].wait(PATIENCE) is not None
    assert len(given.commands) + sum(one.failed for one in watching) > 0.8 * (OF_THE_LINE + 2 * OF_A_WATCHER)
    _judge(run, given)


def _at_the_line() -> None:
    rng = random.Random(3)
    for _ in range(OF_THE_LINE):
        run_command(any_words(rng))
        time.sleep(rng.random() * 2 * PAUSE)


def _let_engines_come_and_go(run: RunFolder, threads: list[threading.Thread]) -> None:
    """Kill one engine in the middle; start another where one is gone for whatever reason."""
    kills = [time.monotonic() + 12.0]
    while any(thread.is_alive() for thread in threads):
        record = read_lock(run.lock)
        if not is_alive(record):
            run_command(["resume", "hands"])
        elif kills and time.monotonic() > kills[0]:
            kills.pop()
            assert record is not None
            os.kill(record.pid, signal.SIGKILL)
        time.sleep(0.1)


def _to_the_end(run: RunFolder) -> None:
    """What came between the last look of an engine and its end has its receipt from the next one."""
    run.control_lock.unlink(missing_ok=True)
    while True:
        if not lives(run):
            assert run_command(["resume", "hands"]) == 0
        wait_for(run, alive=True)
        assert run_command(["stop", "hands", "--now"]) in {0, 2}
        wait_for(run, alive=False)
        if not control.pending(run):
            return


def _judge(run: RunFolder, given: Ledger) -> None:
    state = RunState()
    for event in JournalReader(run.journal).read_all():
        apply(state, event)
        given.take_in(event)
        if event.seq % 25 == 0 or event.type == "command_received":
            assert_valid(state)
    assert state.status is RunStatus.STOPPED
    given.assert_settled(set())
