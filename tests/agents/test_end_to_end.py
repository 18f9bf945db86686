"""A whole run as a person starts it: real processes, real training, real scores, no key and no network."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.lock import read_lock
from agents.state import RunState
from agents.vocabulary import STEPS, IterationStatus, RunStatus, StepName, StepStatus
from tests.support.shell import CANARY, Shell, write_dataset

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end to end")]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = Shell(tmp_path_factory.mktemp("end to end"))
    yield shell
    shell.end_all()


@pytest.fixture(scope="module")
def dataset(shell: Shell) -> Path:
    return write_dataset(shell.runs_dir.parent / "data" / "toxicity")


@pytest.fixture(scope="module")
def finished(shell: Shell, dataset: Path) -> RunState:
    """A run of two iterations, seen to its end through ``--headless --json``."""
    printed = shell("run", dataset, "--iterations", 2, "--run-id", "whole", "--headless", "--json", "--seed", 3)
    state = shell.state("whole")
    assert [json.loads(line)["seq"] for line in printed.splitlines()] == list(range(state.last_seq + 1))
    return state


def test_a_run_ends_with_a_snapshot_and_a_test_score_far_from_guessing(finished: RunState) -> None:
    assert finished.status is RunStatus.FINISHED
    assert finished.best is not None
    assert finished.best.value > 0.85
    assert (finished.test_scores["test"]["AUROC"] or 0) > 0.8


def test_every_step_of_every_iteration_was_done_and_reported(shell: Shell, finished: RunState) -> None:
    run = shell.run_folder("whole")
    assert [iteration.status for iteration in finished.iterations] == [IterationStatus.DONE] * 2
    for iteration in finished.iterations:
        assert {step.status for step in iteration.steps.values()} == {StepStatus.DONE}
        report = (run.iteration(iteration.index) / "report.md").read_text()
        assert all(step.label in report for step in STEPS)
    assert len({iteration.combination for iteration in finished.iterations}) == 2
    assert "AUROC" in shell("report", "whole")


def test_a_column_that_is_the_label_under_another_name_never_reaches_the_agent(
    shell: Shell, finished: RunState
) -> None:
    assert "status" in finished.withheld
    header = (shell.run_folder("whole").data / "train" / "input" / "data.csv").read_text().splitlines()[0]
    assert header.split(",") == ["id", "length", "charge", "noise"]


def test_no_test_row_lies_anywhere_in_the_run_and_no_key_either(
    shell: Shell, finished: RunState, dataset: Path
) -> None:
    test_rows = [
        line.split(",")[0] + "," + line.split(",")[1] for line in (dataset / "test.csv").read_text().split()[1:]
    ]
    for path in shell.run_folder("whole").root.rglob("*"):
        if path.is_file() and not path.is_symlink() and "environment" not in path.parts:
            content = path.read_bytes()
            assert CANARY.encode() not in content, path
            assert not any(row.encode() in content for row in test_rows), path


def test_nothing_is_left_running_and_no_scratch_is_left_behind(shell: Shell, finished: RunState) -> None:
    run = shell.run_folder("whole")
    assert not run.lock.exists()
    assert not (run.root / "work").exists()
    assert run.engine_log.read_text() == ""
    assert not list(run.root.rglob("*.part"))


def test_the_snapshot_predicts_through_the_program_and_by_plain_python(
    shell: Shell, finished: RunState, dataset: Path, tmp_path: Path
) -> None:
    shell("predict", "whole", "--input", dataset / "test.csv", "--output", tmp_path / "ours.csv")
    ours = list(csv.DictReader((tmp_path / "ours.csv").open()))
    assert len(ours) == 80
    assert {row["predicted_class"] for row in ours} == {"safe", "toxic"}

    inputs = tmp_path / "input"
    inputs.mkdir()
    with (dataset / "test.csv").open() as source, (inputs / "data.csv").open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["id", "length", "charge", "noise"])
        for number, row in enumerate(csv.DictReader(source)):
            writer.writerow([f"row-{number}", row["length"], row["charge"], row["noise"]])
    command = [sys.executable, "inference.py", "--input", inputs, "--output", tmp_path / "plain.csv"]
    best = shell.run_folder("whole").best
    subprocess.run(command, cwd=best / "model_inference", check=True, capture_output=True)
    plain = {row["id"]: row["probability_1"] for row in csv.DictReader((tmp_path / "plain.csv").open())}
    assert {row["id"]: row["probability_1"] for row in ours} == plain


def test_checksums_of_the_snapshot_hold(shell: Shell, finished: RunState) -> None:
    best = shell.run_folder("whole").best
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=best, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_run_can_be_paused_told_something_released_and_stopped(shell: Shell, dataset: Path) -> None:
    shell("run", dataset, "--iterations", 3, "--run-id", "steered", "--detach")
    assert "accepted" in shell("pause", "steered")
    shell.wait("steered", lambda state: state.status is RunStatus.HELD)
    assert "stands still already" in shell("pause", "steered", expect=2)
    shell("say", "steered", "try extra trees")
    assert "held" in shell("status", "steered")
    shell("resume", "steered")
    shell.wait("steered", lambda state: all(note.delivered for note in state.notes.values()))
    shell("stop", "steered")
    state = shell.wait("steered", lambda state: state.status.is_over)
    assert state.status is RunStatus.STOPPED
    assert len(state.iterations) == 1
    assert state.best is not None
    assert state.test_scores


@pytest.fixture(scope="module")
def resumed(shell: Shell, dataset: Path) -> tuple[RunState, RunState]:
    """A run with the settings of ``finished`` whose engine was killed while it trained: as it was then, and its end."""
    shell("run", dataset, "--iterations", 2, "--run-id", "killed", "--seed", 3, "--detach")
    shell.wait("killed", lambda state: state.step and state.step.name is StepName.MODEL_TRAINING)
    record = read_lock(shell.run_folder("killed").lock)
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    assert "not running" in shell("pause", "killed", expect=2)
    before = shell.state("killed")
    printed = shell("resume", "killed", "--headless", "--json")
    events = [json.loads(line) for line in printed.splitlines()]
    assert events[0]["type"] == "run_resumed", "only what is new is told"
    assert events[0]["seq"] == before.last_seq + 1
    assert events[-1]["type"] == "run_finished"
    return before, shell.state("killed")


def test_an_engine_that_was_killed_is_resumed_at_the_step_it_had_reached(resumed: tuple[RunState, RunState]) -> None:
    before, state = resumed
    assert state.status is RunStatus.FINISHED
    split = StepName.DATA_SPLIT
    assert state.iterations[0].steps[split].started == before.iterations[0].steps[split].started, (
        "it was not done twice"
    )


def test_two_runs_with_the_same_seed_agree_though_one_was_killed_and_resumed(
    finished: RunState, resumed: tuple[RunState, RunState]
) -> None:
    _, again = resumed
    assert [iteration.scores for iteration in again.iterations] == [i.scores for i in finished.iterations]
    assert again.test_scores == finished.test_scores


def test_a_fork_shares_what_is_finished_and_goes_on_with_other_settings(
    shell: Shell, finished: RunState, tmp_path: Path
) -> None:
    parent = shell.run_folder("whole")
    before = {path: path.read_bytes() for path in parent.root.rglob("*") if path.is_file()}
    place = ("--iteration", 1, "--step", "model-training")
    printed = shell("fork", "whole", *place, "--run-id", "kid", "--seed", 4, "--headless", "--json")
    state = shell.state("kid")
    events = [json.loads(line) for line in printed.splitlines()]
    assert [event["type"] for event in events][:2] == ["run_forked", "run_resumed"], "only what is its own is told"
    assert [event["seq"] for event in events] == list(range(events[0]["seq"], state.last_seq + 1))
    assert (state.status, state.settings["seed"]) == (RunStatus.FINISHED, 4)
    assert state.iterations[0].scores == finished.iterations[0].scores
    assert (
        state.iterations[1].steps[StepName.MODEL_ARCHITECTURE]
        == finished.iterations[1].steps[StepName.MODEL_ARCHITECTURE]
    )
    assert {path: path.read_bytes() for path in parent.root.rglob("*") if path.is_file()} == before
    told = "whole at iteration 1, Model training"
    assert told in shell("status", "kid")
    assert "whole at it" in shell("runs")
    assert f"| Fork of | {told} |" in shell("report", "kid")
    (tmp_path / "new.csv").write_text("length,charge,noise\n1,2,3\n")
    shell("predict", "kid", "--input", tmp_path / "new.csv", "--output", tmp_path / "out.csv")


def test_a_fork_without_a_change_comes_to_what_its_parent_came_to(shell: Shell, finished: RunState) -> None:
    shell("fork", "whole", "--iteration", 1, "--run-id", "twin", "--detach")
    state = shell.wait("twin", lambda state: state.status.is_over)
    assert [iteration.scores for iteration in state.iterations] == [i.scores for i in finished.iterations]
    assert state.test_scores == finished.test_scores
    assert state.test_evaluations == {"test": 2}


def test_bad_input_is_one_line_and_leaves_nothing_behind(
    shell: Shell, finished: RunState, dataset: Path, tmp_path: Path
) -> None:
    broken = write_dataset(tmp_path / "broken")
    with (broken / "train.csv").open("a") as file:
        file.write("1,2,3,SAFE,\n")
    cases = [
        ("run", tmp_path / "nowhere"),
        ("run", dataset, "--metric", "SPEED"),
        ("run", dataset, "--label-column", "absent"),
        ("run", dataset, "--iterations", "0"),
        ("run", dataset, "--run-id", "../up"),
        ("run", dataset, "--model", "nobody/nothing", "--headless"),
        ("run", broken, "--headless"),
        ("run", broken, "--detach"),
        ("fork", "whole", "--iteration", 9),
        ("fork", "whole", "--iteration", 1, "--step", "lunch"),
        ("fork", "whole", "--iteration", 1, "--temperature", 9),
        ("fork", "whole", "--iteration", 1, "--model", "nobody/nothing", "--headless"),
        ("fork", "whole", "--iteration", 1, "--model", "nobody/nothing", "--detach"),
        ("watch", "no-such-run"),
        ("say", "whole", " "),
    ]
    shell.runs_dir.mkdir(parents=True, exist_ok=True)
    runs_before = sorted(path.name for path in shell.runs_dir.iterdir())
    for case in cases:
        line = shell(*case, expect=2)
        assert len(line.strip().splitlines()) == 1, line
        assert line.startswith("agentomics-tui: "), line
    assert sorted(path.name for path in shell.runs_dir.iterdir()) == runs_before
