"""The command line as processes: exit statuses, one line for each error, JSON, pipes, and where runs are looked for."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agents import events as ev
from agents.lock import EngineLock
from agents.recorder import Recorder
from agents.vocabulary import RunStatus
from tests.support.command_line import Runs
from tests.support.journals import big_run, failed_run, finished_run, held_run, refused_run, running_run, stage
from tests.support.shell import write_dataset

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m"


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "~nosuchuser"],
        ["run", "~nosuchuser", "--headless"],
        ["watch", "~nosuchuser"],
        ["predict", "last", "--input", "~nosuchuser/x", "--output", "x.csv"],
        ["predict", "last", "--input", "x", "--output", "~nosuchuser/x.csv"],
        ["runs", "--runs-dir", "~nosuchuser"],
    ],
    ids=" ".join,
)
def test_a_home_that_does_not_exist_is_told_in_one_line(runs: Runs, arguments: list[str]) -> None:
    finished_run(runs.folder)
    assert runs.error(*arguments).startswith("~nosuchuser") or "--runs-dir" in arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "invalid choice: 'bogus'"),
        (["run", "--bogus"], "unknown argument --bogus (see: agentomics-tui run --help)"),
        (["runs", "more"], "unknown argument more (see: agentomics-tui runs --help)"),
        (["runs", "--jsno"], "unknown argument --jsno; did you mean --json? (see: agentomics-tui runs --help)"),
        (["run", "x", "--budgetusd=3"], "unknown argument --budgetusd; did you mean --budget-usd? (see: "),
        (["say", "last", "--txt", "x"], "unknown argument --txt (see: agentomics-tui say --help)"),
        (["--bogus", "runs"], "unrecognized arguments: --bogus (see: agentomics-tui --help)"),
        (["skip", "last"], "one of the arguments --step --iteration is required (see: agentomics-tui skip --help)"),
        (["demo", "--iterations", "x"], "invalid int value: 'x'"),
        (["demo", "--temperature", "7"], "--temperature 7"),
        (["demo", "--llm-retries", "-1"], "--llm-retries -1: Input should be greater than or equal to 0"),
        (["demo", "--budget-usd", "0"], "--budget-usd 0.0: Input should be greater than 0"),
        (["demo", "--reasoning-effort", "much"], "invalid choice: 'much'"),
        (["demo", "--at-limit", "stop"], "invalid choice: 'stop'"),
        (["raise", "last"], "raise: say by how much with --usd, --tokens or --seconds"),
        (["raise", "last", "--usd", "-1"], "--usd -1.0: Input should be greater than 0"),
        (["raise", "last", "--seconds", "inf"], "--seconds inf: Input should be a finite number"),
        (["raise", "last", "--tokens", "1"], "the engine of run peptides-demo is not running"),
        (["ask-again", "last"], "the engine of run peptides-demo is not running"),
        (["say", "last", " "], "say: the note is empty"),
        (["say", "last", "x" * 20_001], "at most 20,000 are taken"),
        (["pause", "last"], "the engine of run peptides-demo is not running"),
        (["report", "last"], "has no report yet"),
        (["status", "no such run"], "no run 'no such run'"),
        (["check", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_a_slip_is_told_in_one_line(runs: Runs, arguments: list[str], said: str) -> None:
    running_run(runs.folder)
    assert said in runs.error(*arguments)


def test_a_text_that_looks_like_a_flag_is_taken_where_argparse_takes_it(runs: Runs) -> None:
    running_run(runs.folder)
    for words in (["--", "--text"], ["--text of a note"]):
        assert "the engine of run peptides-demo is not running" in runs.error("say", "last", *words)


def test_a_file_that_cannot_be_read_is_told_with_its_name_and_the_reason(runs: Runs) -> None:
    folder = running_run(runs.folder).folder
    folder.journal.unlink()
    folder.journal.mkdir()
    assert runs.error("status", "last") == f"{folder.journal}: Is a directory"


def test_a_command_that_cannot_be_left_for_the_engine_is_told_with_its_file_and_the_reason(runs: Runs) -> None:
    folder = running_run(runs.folder).folder
    EngineLock.acquire(folder.lock)
    shutil.rmtree(folder.control)
    folder.control.write_text("")
    said = runs.error("pause", "last")
    assert said.startswith(f"{folder.control}/")
    assert said.endswith(": Not a directory")


def test_an_engine_that_ends_at_once_is_told(runs: Runs) -> None:
    folder = held_run(runs.folder).folder
    folder.lock.mkdir()
    done = runs("resume", "last")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"agentomics-tui: the engine of run {folder.run_id} ended at once; see {folder.engine_log}\n"


def test_ctrl_c_while_following_ends_with_130_and_says_nothing(runs: Runs) -> None:
    EngineLock.acquire(running_run(runs.folder).folder.lock)
    with subprocess.Popen(
        [sys.executable, "-m", "agentomics_tui", "logs", "last", "--follow"],
        env=runs.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        program.stdout.readline()
        program.send_signal(signal.SIGINT)
        assert program.communicate(timeout=60)[1] == b""
        assert program.returncode == 130


@pytest.mark.parametrize("command", ["runs", "status last", "watch last", "check data", "pause last"])
def test_a_runs_folder_that_is_a_file_is_no_folder_without_runs(runs: Runs, command: str) -> None:
    (runs.home / "file").write_text("not a folder")
    said = runs.error(*command.split(), "--runs-dir", "file")
    assert said == f"--runs-dir {runs.home}/file: is no folder; name one that holds runs, or that can be made"


def test_a_runs_folder_that_cannot_be_made_is_told_and_one_that_can_has_no_runs(runs: Runs) -> None:
    (runs.home / "file").write_text("not a folder")
    said = runs.error("runs", "--runs-dir", "file/below")
    assert said.startswith(f"--runs-dir {runs.home}/file/below: {runs.home}/file is no folder")
    assert runs("runs", "--runs-dir", "not/yet").stdout.startswith(f"no runs in {runs.home}/not/yet")
    runs.environment["AGENTOMICS_RUNS_DIR"] = "file"
    assert runs.error("runs").startswith(f"AGENTOMICS_RUNS_DIR {runs.home}/file: is no folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_runs_folder_without_permission_is_told_with_its_name(runs: Runs) -> None:
    runs.folder.mkdir(mode=0)
    assert runs.error("runs") == f"{runs.folder}: Permission denied"


def test_a_run_that_was_refused_or_is_finished_is_not_resumed(runs: Runs) -> None:
    refused_run(runs.folder, "refused")
    finished_run(runs.folder, "finished")
    assert runs.error("resume", "refused").startswith("run refused cannot be resumed: it was refused")
    assert runs.error("stop", "finished") == "stop: run finished is over: it is finished"
    assert runs.error("resume", "finished") == "run finished cannot be resumed: it is finished"


def test_watching_without_a_terminal_ends_with_the_exit_status_of_the_run(runs: Runs) -> None:
    finished_run(runs.folder, "finished")
    failed_run(runs.folder, "failed")
    refused_run(runs.folder, "refused")
    stopped = stage(runs.folder, "stopped")
    stopped.begin()
    stopped.finish(RunStatus.STOPPED, "stopped by ana@lab")
    running_run(runs.folder, "interrupted")
    names = ("finished", "failed", "refused", "stopped", "interrupted")
    assert [runs("watch", name).returncode for name in names] == [0, 1, 2, 3, 1]


def test_no_text_from_outside_commands_the_terminal_or_forges_a_line(runs: Runs) -> None:
    folder = stage(runs.folder)
    folder.emit(ev.RunStarted(dataset=f"a{ESCAPES}\nstate b", model=f"m{ESCAPES}", iterations=1))
    folder.emit(ev.Held(reason=f"paused{ESCAPES}\nforged\r\u2028forged"))
    folder.finish(RunStatus.FAILED, f"it{ESCAPES} failed\nforged")
    report = folder.folder.report / "report.md"
    report.parent.mkdir()
    report.write_text(f"# One{ESCAPES}\n\ntwo\r\n")
    printed = {name: runs(name, *["last"] * (name != "runs")).stdout for name in ("runs", "status", "logs", "report")}
    assert printed["report"] == "# One\n\ntwo\n"
    for text in printed.values():
        assert all(char == "\n" or char.isprintable() for char in text)
        assert "owned" not in text
        assert not any(line.startswith(("forged", "state b")) for line in text.splitlines())
    bad = runs.home / f"b{ESCAPES}ad\ndata"
    bad.mkdir()
    assert runs.error("check", bad.name).isprintable()


def test_check_takes_a_label_column_and_a_metric(runs: Runs) -> None:
    write_dataset(runs.home / "data", rows=40)
    told = runs("check", "data", "--label-column", "status", "--metric", "MCC").stdout.splitlines()
    assert told[-1] == "run it: agentomics-tui run data --label-column=status --metric=MCC"
    assert "nope" in runs.error("check", "data", "--label-column", "nope")
    assert "AURC" in runs.error("check", "data", "--metric", "AURC")


def test_what_a_dataset_calls_its_columns_does_not_command_the_terminal(runs: Runs) -> None:
    write_dataset(runs.home / "data", rows=40)
    for path in (runs.home / "data").glob("*.csv"):
        path.write_text(path.read_text().replace("noise", "no\x1b[31mise"))
    told = runs("check", "data")
    assert (told.returncode, told.stderr) == (0, "")
    assert "\x1b" not in told.stdout
    assert "noise" in told.stdout
    assert told.stdout.splitlines()[-1] == "run it: agentomics-tui run data"


def test_every_json_line_parses_and_nothing_else_is_printed(runs: Runs) -> None:
    held_run(runs.folder, "one")
    finished_run(runs.folder, "two")
    write_dataset(runs.home / "data", rows=40)
    commands = {
        "runs": ["runs"],
        "status": ["status", "one"],
        "logs": ["logs", "two"],
        "follow": ["logs", "two", "--follow"],
        "check": ["check", "data"],
        "metrics": ["metrics"],
    }
    lines = {}
    for name, arguments in commands.items():
        done = runs(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        lines[name] = [json.loads(line) for line in done.stdout.splitlines()]
    assert {run["run_id"] for run in lines["runs"]} == {"one", "two"}
    assert lines["status"][0]["status"] == "held"
    assert lines["logs"] == lines["follow"]
    assert [event["seq"] for event in lines["logs"]] == list(range(len(lines["logs"])))
    assert lines["check"][0]["task_type"] == "binary"
    assert {"name", "title", "for", "better"} == set(lines["metrics"][0])


def test_the_journal_is_printed_as_it_is(runs: Runs) -> None:
    folder = stage(runs.folder)
    folder.emit(ev.RunStarted(dataset=f"α\u2028{ESCAPES}", model="m", iterations=1))
    assert runs("logs", "last", "--json").stdout == folder.folder.journal.read_text(encoding="utf-8")


def test_a_reader_that_has_seen_enough_is_no_error(runs: Runs) -> None:
    finished_run(runs.folder)
    with subprocess.Popen(
        [sys.executable, "-m", "agentomics_tui", "logs", "last", "--json"],
        env=runs.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait() == 0


def test_the_runs_folder_is_named_before_or_after_the_command_with_blanks_or_a_tilde(runs: Runs) -> None:
    del runs.environment["AGENTOMICS_RUNS_DIR"]
    finished_run(runs.folder, "here")
    ways = (
        ("--runs-dir", "my runs", "runs"),
        ("runs", "--runs-dir", "my runs"),
        ("--runs-dir", "elsewhere", "runs", "--runs-dir", runs.folder),
        ("runs", "--runs-dir=~/my runs"),
        ("--runs-dir", "my runs"),  # the library, which is a list without a terminal
    )
    for way in ways:
        assert runs(*way).stdout.splitlines()[1].startswith("here  ✓ finished"), way


def test_a_command_that_is_told_finds_the_run_in_the_folder_that_was_named(runs: Runs) -> None:
    del runs.environment["AGENTOMICS_RUNS_DIR"]
    held_run(runs.folder, "here")
    told = runs("status", "last", "--runs-dir", "my runs").stdout
    way = re.search(r"go on with: (agentomics-tui resume here.*)", told)
    assert way is not None and way[1].endswith("--runs-dir 'my runs'")
    found = runs(*shlex.split(way[1].replace("resume", "status"))[1:])
    assert (found.returncode, found.stderr) == (0, "")
    assert "--runs-dir" not in runs("status", runs.folder / "here").stdout


def test_characters_that_the_terminal_lacks_do_not_end_the_program(runs: Runs) -> None:
    stage(runs.folder).emit(ev.RunStarted(dataset="αβγ", model="m", iterations=1))
    runs.environment |= {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = runs("status", "last")
    assert (done.returncode, done.stderr) == (0, "")
    assert "dataset    ???" in done.stdout


def test_status_says_where_a_run_stands_and_how_it_goes_on(runs: Runs) -> None:
    held_run(runs.folder)
    lines = runs("status", "last").stdout.splitlines()
    assert "state      held, its engine is gone; go on with: agentomics-tui resume peptides-demo" in lines
    assert "reason     paused by ana@lab" in lines
    assert "iteration  3 (4 of 5), Model training" in lines
    assert "best       AUROC 0.9310 on validation (iteration 1)" in lines


def test_status_says_why_a_test_score_is_undefined(runs: Runs) -> None:
    folder = finished_run(runs.folder).folder
    cause, values = "only one class (AMP)", {"AUROC": None}
    recorder = Recorder(folder.journal, folder.run_id)
    recorder.emit(
        ev.MetricsComputed(split="test", is_test=True, metric="AUROC", values=values, undefined=cause, rows=9)
    )
    recorder.close()
    assert "test       AUROC undefined: only one class (AMP)" in runs("status", "last").stdout.splitlines()


def test_a_demo_is_short_and_a_run_is_not(runs: Runs) -> None:
    defaults = {name: " ".join(runs(name, "--help").stdout.split()) for name in ("demo", "run")}
    assert "iterations, the baseline included (default 3)" in defaults["demo"]
    assert "iterations, the baseline included (default 5)" in defaults["run"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["runs", "runs --json", "logs last", "logs last --json", "status last"])
def test_an_output_that_is_full_is_told_in_one_line(runs: Runs, command: str) -> None:
    finished_run(runs.folder)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "agentomics_tui", *command.split()],
            env=runs.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, b"agentomics-tui: standard output: No space left on device\n")


@pytest.mark.parametrize("command", [["say", "last"], ["demo", "--note"], ["check"], ["run"]], ids=" ".join)
def test_what_is_not_utf_8_is_refused_in_one_line(runs: Runs, command: list[str]) -> None:
    finished_run(runs.folder)
    assert "is not UTF-8 text" in runs.error(*command, os.fsdecode(b"caf\xe9"))


@pytest.mark.parametrize("value", ["inf", "nan"])
def test_a_time_without_an_end_is_no_number_of_seconds(runs: Runs, value: str) -> None:
    assert f"--timeout {value}" in runs.error("demo", "--timeout", value)


def test_a_metric_that_does_not_fit_is_blamed_and_not_the_labels(runs: Runs) -> None:
    write_dataset(runs.home / "data", rows=40)
    assert "metric MSE is for regression; this dataset is classification" in runs.error(
        "check", "data", "--metric", "MSE"
    )
    folder = runs.home / "values"
    folder.mkdir()
    (folder / "train.csv").write_text("x,y\n" + "".join(f"{row},{row * 1.5}\n" for row in range(40)))
    (folder / "metadata.json").write_text('{"label_column": "y"}')
    said = runs.error("check", "values", "--metric", "AUROC")
    assert said.startswith("metric AUROC is for classification; this dataset is regression")
    assert "use one of MSE, RMSE" in said


@pytest.mark.parametrize("columns", [80, 120])
def test_the_list_of_runs_is_aligned_and_fits_the_terminal(runs: Runs, columns: int) -> None:
    finished_run(runs.folder, "first")
    running_run(runs.folder, "a-run-with-a-name-that-is-longer-than-its-column-may-be")
    runs.environment["COLUMNS"] = str(columns)
    header, *rows = runs("runs").stdout.splitlines()
    assert header.split() == ["Run", "State", "Dataset", "Iter", "Metric", "Best", "Test", "Age"]
    assert all(len(line) <= columns for line in (header, *rows))
    assert {len(line) for line in rows} == {len(header)}
    assert any("0.9510  0.9440" in row for row in rows)


def test_a_hint_names_a_command_that_works_as_it_is_typed(runs: Runs) -> None:
    runs.environment["PATH"] = os.defpath
    script = Path(sys.executable).parent / "agentomics-tui"
    program = str(script) if script.is_file() else f"{sys.executable} -m agentomics_tui"
    assert runs("runs").stdout.rstrip().endswith(f"start one with: {program} demo")
    runs.home = Path(sys.executable).parent
    if script.is_file():
        assert runs("runs").stdout.rstrip().endswith("start one with: agentomics-tui demo")


def test_a_journal_spoilt_in_the_middle_is_told_by_line_and_not_resumed(runs: Runs) -> None:
    journal = held_run(runs.folder).folder.journal
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[:3], "no event\n", *lines[3:]]))
    assert runs.error("resume", "last").startswith(f"{journal}, line 4: is no event; run ")
    assert runs("status", "last").stderr == f"agentomics-tui: {journal}, line 4: is no event; it is passed over\n"


def test_a_journal_spoilt_before_its_checkpoint_is_not_resumed(runs: Runs) -> None:
    run = big_run(runs.folder, 200)
    journal = run.folder.journal
    Recorder(journal, run.folder.run_id).close()
    data = journal.read_bytes()
    begin = data.index(b"\n") + 1
    journal.write_bytes(data[:begin] + bytes(50) + data[begin + 50 :])
    assert runs.error("resume", "last").startswith(f"{journal}, line 2: is no event; run ")
