"""What a person's command is told of a run, and that nothing it does disturbs the run."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agents.loop
from agents import events as ev
from agents.engine import main
from agents.fold import fold
from agents.journal import JournalReader
from agents.nudges import News, Nudges, news_of, note_of, sentence_of
from agents.recorder import Recorder
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.state import RunState
from agents.vocabulary import RunStatus

BEST = ev.BestChanged(iteration=1, metric="AUROC", value=0.931, previous=0.893, split_version=1)
HELD = ev.Held(reason="the next call may cost $0.12\nof $0.10")


def finished(status: RunStatus, reason: str = "") -> ev.RunFinished:
    return ev.RunFinished(status=status, reason=reason)


class Told:
    """A command that writes what it reads into a file, and what the engine says of it."""

    def __init__(self, folder: Path, body: str = "") -> None:
        self.run = RunFolder(folder / "run-1")
        self.run.root.mkdir()
        self.file = folder / "told.jsonl"
        self.script = folder / "my hook"
        self.script.write_text(f"#!/bin/sh\ncat >> '{self.file}'\n{body}\n")
        self.script.chmod(0o755)
        self.said: list[str] = []

    @property
    def command(self) -> str:
        return f"'{self.script}'"

    @property
    def notes(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def tell(self, *events: ev.EventBase, command: str = "", limit: float = 30) -> None:
        nudges = Nudges(command or self.command, self.run, self.said.append, limit)
        state = RunState(run_id="run-1", metric="AUROC")
        for seq, event in enumerate(events):
            fold([event.model_copy(update={"seq": seq})], state)
            nudges.heard(event, state)
        nudges.close(60)


# --- what is news ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "news", "words"),
    [
        (BEST, "best", "new best AUROC 0.931, before 0.893"),
        (HELD, "held", "waits for you: the next call may cost $0.12"),
        (finished(RunStatus.FAILED, "no model"), "failed", "failed: no model"),
        (finished(RunStatus.STOPPED, "$5 are used"), "stopped", "stopped: $5 are used"),
        (finished(RunStatus.FINISHED), "finished", "finished"),
        (finished(RunStatus.REFUSED, "no labels"), None, ""),
        (ev.StepStarted(), None, ""),
    ],
)
def test_news_are_a_new_best_a_hold_and_an_end(event: ev.EventBase, news: News | None, words: str) -> None:
    state = fold([event.model_copy(update={"seq": 0})], RunState(metric="AUROC"))
    assert (news_of(event), sentence_of(event, state)) == (news, words)
    assert (note_of(RunFolder(Path("/runs/r")), state, event) is None) == (news is None)


# --- the command -----------------------------------------------------------------------------------------------------


def test_a_command_reads_one_json_object_for_each_news(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.tell(ev.StepStarted(), BEST, HELD, finished(RunStatus.FINISHED))
    assert told.said == []
    assert [note["event"] for note in told.notes] == ["best", "held", "finished"]
    best, held, end = told.notes
    assert (best["metric"], best["best"], best["previous"], best["iteration"]) == ("AUROC", 0.931, 0.893, 1)
    assert best["attach"].endswith(f"watch run-1 --runs-dir {tmp_path}")
    assert (best["run_id"], best["folder"]) == ("run-1", str(tmp_path / "run-1"))
    assert held["reason"] == HELD.reason
    assert end["text"] == "run-1: finished, best AUROC 0.931"


def test_a_command_gets_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-hooks")
    monkeypatch.setenv("WEBHOOK_TOKEN", "not-for-hooks-either")
    monkeypatch.setenv("CHANNEL", "lab")
    told = Told(tmp_path, f"env > '{tmp_path}/environment'")
    told.tell(BEST)
    environment = (tmp_path / "environment").read_text()
    assert "CHANNEL=lab" in environment
    assert "not-for-hooks" not in environment


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "notify_command: exit status 3 (best)"),
        ("echo no route; exit 1", "notify_command: exit status 1 (best): no route"),
        ("kill -9 $$", "notify_command: exit status -9 (best)"),
    ],
)
def test_a_command_that_fails_is_told_in_a_line(tmp_path: Path, command: str, said: str) -> None:
    told = Told(tmp_path)
    told.tell(BEST, command=command)
    assert told.said == [said]


def test_a_command_that_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.tell(BEST, command="/no/such/program")
    assert len(told.said) == 1
    assert "exit status 127 (best)" in told.said[0]


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.tell(BEST, HELD, command="sleep 300 & sleep 300", limit=0.2)
    assert told.said == ["notify_command: ended after 0.2 s (best)", "notify_command: ended after 0.2 s (held)"]


def test_what_a_command_leaves_in_the_background_holds_nothing_up(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.tell(BEST, HELD, command=f"(while [ ! -e {tmp_path}/go ]; do sleep 0.1; done) & true")
    (tmp_path / "go").touch()
    assert told.said == []


def test_nobody_waits_for_a_command_and_a_flood_is_cut(tmp_path: Path) -> None:
    told = Told(tmp_path)
    gate = tmp_path / "go"
    nudges = Nudges(f"while [ ! -e '{gate}' ]; do sleep 0.05; done", told.run, told.said.append, 120)
    state = RunState(run_id="run-1")
    for _ in range(40):
        nudges.heard(HELD, state)
    assert told.said
    assert all("too slow" in line for line in told.said)
    gate.touch()
    nudges.close(120)


# --- in the engine ---------------------------------------------------------------------------------------------------


def _engine(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, lead: Callable[..., Any]) -> RunFolder:
    """An engine of a run with ``command``, whose loop is ``lead``, to its end."""
    settings = RunSettings(dataset=folder, notify_command=command)
    run = create_run(folder / "runs", settings, "1.0")
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # the engine puts its own in their place
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    monkeypatch.setattr(agents.loop, "run_loop", lead)
    assert main([str(run.root)]) == 0
    return run


async def _find_a_best_and_finish(_run: Any, _settings: Any, recorder: Recorder, *_: Any) -> None:
    recorder.emit(BEST)
    recorder.emit(finished(RunStatus.FINISHED))


def test_an_engine_tells_after_the_journal_and_lives_until_the_last_news_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(tmp_path, "sleep 0.5; grep -c run_finished events.jsonl >> ../../seen")
    run = _engine(tmp_path, monkeypatch, told.command, _find_a_best_and_finish)
    assert [note["event"] for note in told.notes] == ["best", "finished"]
    assert told.notes[0]["run_id"] == run.run_id
    assert (tmp_path / "seen").read_text().splitlines()[-1] == "1"
    assert not run.lock.exists()


def test_the_command_of_a_run_stays_out_of_its_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = _engine(tmp_path, monkeypatch, "true # of ana", _find_a_best_and_finish)
    assert "of ana" not in run.journal.read_text()
    assert run.record().settings.notify_command == "true # of ana", "whoever takes the run up tells too"


def test_a_command_that_fails_leaves_a_line_and_the_run_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _engine(tmp_path, monkeypatch, "exit 3", _find_a_best_and_finish)
    assert fold(JournalReader(run.journal).read_all()).status is RunStatus.FINISHED
    assert "notify_command: exit status 3 (finished)" in capsys.readouterr().err
