"""Starting an engine: it is a session of its own, refuses a second one, and its end is seen."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import UserError
from agents.events import EnvironmentReady, NoteReceived, RunFinished, RunStarted
from agents.journal import JournalWriter
from agents.launch import follow, start_engine
from agents.lock import EngineLock, read_lock
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.vocabulary import RunStatus


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    yield create_run(tmp_path / "runs", RunSettings(dataset=tmp_path / "absent"), "1.0")


def test_a_refused_dataset_is_seen_through_the_journal(run: RunFolder) -> None:
    seen: list[str] = []
    engine = start_engine(run)
    session = os.getsid(engine.pid)
    state = follow(run, lambda event, _: seen.append(event.type))
    engine.wait()
    assert session == engine.pid, "it has a session of its own"
    assert state.status is RunStatus.REFUSED
    assert "absent" in state.reason
    assert seen == ["run_started", "run_finished"]
    assert not run.lock.exists()


def test_a_second_engine_is_refused_while_the_first_lives(run: RunFolder) -> None:
    lock = EngineLock.acquire(run.lock)
    with pytest.raises(UserError, match="running already"):
        start_engine(run)
    lock.release()


def test_a_folder_called_agents_where_the_person_stands_is_not_taken_for_ours(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    engine = start_engine(run)
    assert follow(run, lambda *_: None).status is RunStatus.REFUSED
    assert engine.wait() == 0


def test_following_ends_when_the_engine_is_gone_and_at_the_start_when_asked(run: RunFolder) -> None:
    lock = EngineLock.acquire(run.lock)
    writer = JournalWriter(run.journal, run.run_id)
    writer.write(RunStarted(dataset="d", model="m", iterations=1))
    writer.write(EnvironmentReady(python="3", packages={"numpy": "2"}, isolation="", seconds=0))
    assert follow(run, lambda *_: None, until_started=True).packages
    lock.release()
    assert follow(run, lambda *_: None).status is RunStatus.RUNNING
    writer.write(NoteReceived(note_id="a", text="b"))
    writer.write(RunFinished(status=RunStatus.FINISHED))
    writer.close()
    assert follow(run, lambda *_: None).status is RunStatus.FINISHED


def test_the_heartbeat_goes_on_while_the_engine_lives(run: RunFolder) -> None:
    lock = EngineLock.acquire(run.lock)
    first = read_lock(run.lock)
    time.sleep(0.01)
    lock.beat()
    second = read_lock(run.lock)
    assert first and second and second.heartbeat > first.heartbeat
    lock.release()
