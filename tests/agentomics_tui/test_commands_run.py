"""What a run that was started leaves behind, and what it takes for one to be removed."""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentomics_tui.cli import run_command
from agentomics_tui.commands import run as command
from agents.errors import UserError
from agents.fold import fold
from agents.lock import EngineLock
from agents.run_folder import RunFolder
from tests.support.journals import failed_run, finished_run, refused_run, running_run
from tests.support.shell import CANARY, Shell, write_dataset


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.end_all()


def options_of(dataset: str, **given: object) -> argparse.Namespace:
    return argparse.Namespace(**{"dataset": dataset, "headless": True, "detach": False, "json": False} | given)


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a settings file and a file of keys in it, which is the current folder."""
    (tmp_path / "agentomics.toml").write_text(
        'iterations = 7\nmetric = "MCC"\nlabel_column = "status"\nat_limit = "ask"\n'
    )
    (tmp_path / ".env").write_text(f"MISTRAL_API_KEY={CANARY}\nPYTHONPATH=/evil\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("MISTRAL_API_KEY", raising=False)
    return tmp_path


def test_a_run_takes_what_is_settled_and_a_flag_wins(settled: Path) -> None:
    settings = command.settings_of(options_of(str(settled), metric="AUROC"))
    assert (settings.iterations, settings.metric, settings.at_limit) == (7, "AUROC", "ask")


def test_a_limit_of_a_settings_file_is_switched_off_for_one_run(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOMICS_BUDGET_USD", "3")
    dataset = write_dataset(settled / "data", rows=40)
    begun = []
    monkeypatch.setattr(command, "_start", lambda options, settings: begun.append(settings) or 0)
    for flags in ([], ["--budget-usd", "none"]):
        assert run_command(["run", str(dataset), "--headless", *flags]) == 0
    assert [settings.budget_usd for settings in begun] == [3, None]


def test_where_there_is_nobody_to_ask_a_limit_ends_the_run_unless_somebody_said_otherwise(tmp_path: Path) -> None:
    assert command.settings_of(options_of(str(tmp_path))).at_limit == "finish"
    assert command.settings_of(options_of(str(tmp_path), at_limit="ask")).at_limit == "ask"


def test_a_demo_stays_short_and_has_its_own_label(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    monkeypatch.setattr(command, "_start", lambda options, settings: begun.append(settings) or 0)
    for given in ({"iterations": None}, {"iterations": 1}):
        command.demo(options_of("", **given))
    assert [settings.iterations for settings in begun] == [3, 1]
    assert {(settings.metric, settings.label_column) for settings in begun} == {(None, None)}


def test_keys_of_a_file_go_to_the_engine_and_nowhere_else(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = []

    def start(folder: RunFolder, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        handed.append(environment)
        return subprocess.Popen(["true"])

    monkeypatch.setattr(command, "start_engine", start)
    monkeypatch.setattr(command, "headless", lambda folder, as_json: 0)
    dataset = write_dataset(settled / "data", rows=40)
    options = options_of(str(dataset), runs_dir=settled / "runs", run_id="one", label_column="outcome", metric="AUROC")
    assert command.run(options) == 0
    assert handed == [{"MISTRAL_API_KEY": CANARY}]
    assert CANARY not in os.environ.values()
    left = [path for path in (settled / "runs").rglob("*") if path.is_file()]
    assert left
    assert all(CANARY.encode() not in path.read_bytes() for path in left)


def test_a_refused_run_is_forgotten(tmp_path: Path) -> None:
    folder = refused_run(tmp_path).folder
    command.forget_refused(folder)
    assert not folder.root.exists()


def test_a_run_that_was_refused_while_a_person_looked_at_others_is_bad_input_and_forgotten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = refused_run(tmp_path, reason="train.csv: row 7: no label").folder
    assert command._after_the_app(folder, 0) == 2
    assert capsys.readouterr().err == "agentomics-tui: train.csv: row 7: no label\n"
    assert not folder.root.exists()


def test_what_the_app_said_of_a_refusal_is_not_said_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = refused_run(tmp_path).folder
    assert command._after_the_app(folder, 2) == 2
    assert capsys.readouterr().err == ""
    assert not folder.root.exists()


@pytest.mark.parametrize("status", [0, 1, 3])
def test_the_status_of_the_app_is_that_of_any_other_run(tmp_path: Path, status: int) -> None:
    folder = running_run(tmp_path).folder
    assert command._after_the_app(folder, status) == status
    assert folder.journal.is_file()


def test_no_other_run_is_forgotten(tmp_path: Path) -> None:
    for number, staged in enumerate((running_run, failed_run)):
        folder = staged(tmp_path, f"run-{number}").folder
        command.forget_refused(folder)
        assert folder.journal.is_file()


def test_a_run_whose_engine_lives_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_ENDING_SECONDS", 0.0)
    folder = refused_run(tmp_path).folder
    EngineLock.acquire(folder.lock)
    command.forget_refused(folder)
    assert folder.journal.is_file()


def test_the_end_of_a_run_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = Shell(tmp_path)
    staged = failed_run(shell.runs_dir, "over")
    state = shell.state("over")
    state.best, state.reason = None, "the training failed\nTraceback\n  a line of it"
    command._say_result(staged.folder, state)
    assert capsys.readouterr().err == "agentomics-tui: the training failed\n"


def test_the_end_of_a_run_names_a_snapshot_that_can_be_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path)
    staged = finished_run(shell.runs_dir, "over")
    command._say_result(staged.folder, shell.state("over"))
    assert f"snapshot: {staged.folder.root / 'snapshots' / '004'}\n" in capsys.readouterr().out


def test_a_test_score_that_is_undefined_is_not_left_out_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    staged = finished_run(tmp_path)
    state = fold(staged.written)
    state.test_scores, state.test_undefined = {"test": {"AUROC": None}}, {"test": "only one class (safe)"}
    command._say_result(staged.folder, state)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "best: iteration 4, AUROC validation 0.9510"
    assert said[1] == "AUROC undefined on test: only one class (safe)"


def test_a_flag_that_no_setting_takes_is_named(tmp_path: Path) -> None:
    options = options_of(str(tmp_path), run_python_tool_timeout=-1.0)
    with pytest.raises(UserError, match=r"--run-python-timeout -1.0: .*greater than 0"):
        command.settings_of(options)


@pytest.mark.slow
def test_bad_input_leaves_nothing_behind(shell: Shell, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", rows=20)
    (dataset / "train.csv").write_text("length,charge,noise,status,outcome\n1,2,3,SAFE,safe\n1,2\n")
    said = shell("run", dataset, "--headless", expect=2)
    assert said.startswith("agentomics-tui: ")
    assert said.count("\n") == 1
    assert list(shell.runs_dir.iterdir()) == []


@pytest.mark.slow
def test_a_detached_run_is_named_in_json_and_its_stop_is_its_exit_status(shell: Shell, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", rows=60)
    said = shell("run", dataset, "--iterations", 1, "--run-id", "apart", "--detach", "--json")
    assert json.loads(said) == {"run_id": "apart", "folder": str(shell.runs_dir / "apart")}
    shell("stop", "apart", "--now")
    assert "run stopped" in shell("watch", "apart", expect=3)


@pytest.mark.slow
def test_ctrl_c_on_a_run_without_a_screen_stops_it_and_is_an_interruption(shell: Shell, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", rows=60)
    command = ["run", str(dataset), "--iterations", "1", "--run-id", "here", "--headless", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "agentomics_tui", *command],
        env=shell.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        while "environment_ready" not in program.stdout.readline():
            assert program.poll() is None
        program.send_signal(signal.SIGINT)
        rest, complaint = program.communicate(timeout=120)
    assert program.returncode == 130
    assert complaint.startswith("agentomics-tui: stopping: ")
    assert json.loads(rest.splitlines()[-1])["status"] == "stopped"
