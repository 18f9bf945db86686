"""Predicting new data with a snapshot: what is refused, and what is left when it ends."""

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.errors import UserError
from agents.files import remove_tree, write_atomically
from agents.predict import predict
from agents.run_folder import RunFolder
from agents.snapshot import DATASET, METRICS, SnapshotRecord
from tests.support.facts import toy_facts
from tests.support.journals import finished_run
from tests.support.processes import processes_of

FACTS = toy_facts()
RECORD = SnapshotRecord(
    run_id="r",
    iteration=0,
    created=datetime(2026, 1, 1, tzinfo=UTC),
    dataset="toy",
    combination="sign",
    metric="AUROC",
    higher_is_better=True,
    split_version=1,
    train={"AUROC": 1.0},
    validation={"AUROC": 1.0},
    python="3.11",
    model="builtin/omics",
)
ARGUMENTS = """
import argparse, csv, os, sys, time
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("input", "output", "artifacts-dir"):
    parser.add_argument("--" + name, type=Path)
given = parser.parse_args()
"""
SIGN = """
rows = list(csv.DictReader(open(given.input / "data.csv")))
with open(given.output, "w") as file:
    file.write("id,prediction,probability_0,probability_1\\n")
    for row in rows:
        toxic = int(float(row["x"]) > 0)
        file.write(f"{row['id']},{toxic},{1 - toxic},{toxic}\\n")
"""
SLEEP = """
(given.output.parent / "sleeps").touch()
time.sleep(600)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, here and in processes."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def run_with(tmp_path: Path, temporary: Path) -> Callable[[str], RunFolder]:
    """Makes a run whose snapshot's inference script does what is given."""

    def make(body: str) -> RunFolder:
        run = finished_run(tmp_path / "runs").folder
        (run.best / "model_inference").mkdir(parents=True)
        (run.best / "model_training" / "training_artifacts").mkdir(parents=True)
        write_atomically(run.best / METRICS, RECORD.model_dump_json())
        write_atomically(run.best / DATASET, FACTS.model_dump_json())
        write_atomically(run.best / "model_inference" / "inference.py", ARGUMENTS + body)
        return run

    return make


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "rows.csv"
    path.parent.mkdir()
    path.write_text("x\n1\n-2\n")
    return path


def test_each_row_gets_its_class_and_probabilities(
    run_with: Callable[[str], RunFolder], rows: Path, tmp_path: Path, temporary: Path
) -> None:
    assert predict(run_with(SIGN), rows, tmp_path / "out.csv") == 2
    with (tmp_path / "out.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [(row["id"], row["predicted_class"], row["probability_1"]) for row in found] == [
        ("row-0", "toxic", "1.0"),
        ("row-1", "safe", "0.0"),
    ]
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("new", "is a folder; name the CSV file to write"),
        ("nowhere/out.csv", "nowhere does not exist"),
        ("new/rows.csv", "is part of the input and would be overwritten"),
        ("link.csv", "is part of the input and would be overwritten"),
    ],
)
def test_an_output_that_would_do_harm_is_refused_before_anything_runs(
    run_with: Callable[[str], RunFolder], rows: Path, tmp_path: Path, output: str, said: str
) -> None:
    (tmp_path / "link.csv").symlink_to(rows)
    run = run_with(SIGN)
    for source in (rows, rows.parent):
        with pytest.raises(UserError, match=said):
            predict(run, source, tmp_path / output)
    assert rows.read_text() == "x\n1\n-2\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit('no model here')", r"inference.py: exit status 1 \(no model here\) on .*rows.csv"),
        ("print('done')", r"inference.py: wrote no predictions \(done\)"),
        ("given.output.write_text('id,prediction\\n')", "its predictions for .* are not valid"),
    ],
)
def test_a_script_that_fails_is_told_in_one_line(
    run_with: Callable[[str], RunFolder], rows: Path, tmp_path: Path, temporary: Path, body: str, said: str
) -> None:
    (tmp_path / "out.csv").write_text("before")
    with pytest.raises(UserError, match=said):
        predict(run_with(body), rows, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "before"
    assert list(temporary.iterdir()) == []


def test_a_snapshot_that_is_spoilt_is_told(run_with: Callable[[str], RunFolder], rows: Path, tmp_path: Path) -> None:
    run = run_with(SIGN)
    shutil.rmtree(run.best / "model_inference")
    with pytest.raises(UserError, match=r"inference.py: cannot be started"):
        predict(run, rows, tmp_path / "out.csv")
    (run.best / DATASET).write_text("{}")
    with pytest.raises(UserError, match=DATASET):
        predict(run, rows, tmp_path / "out.csv")


def test_an_output_that_is_a_link_leads_to_its_target(
    run_with: Callable[[str], RunFolder], rows: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out.csv").symlink_to("elsewhere/real.csv")
    run = run_with(SIGN)
    for _ in ("made", "replaced"):
        predict(run, rows, tmp_path / "out.csv")
        assert (tmp_path / "out.csv").is_symlink()
        assert (tmp_path / "elsewhere" / "real.csv").read_text().startswith("id,prediction,")


def test_an_output_that_is_a_pipe_is_written_to_and_stays_one(
    run_with: Callable[[str], RunFolder], rows: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "out")
    with subprocess.Popen(["/bin/cat", str(tmp_path / "out")], stdout=subprocess.PIPE) as reader:
        predict(run_with(SIGN), rows, tmp_path / "out")
        assert reader.communicate(timeout=60)[0].startswith(b"id,prediction,")
    assert (tmp_path / "out").is_fifo()


def test_predictions_can_be_had_as_text(run_with: Callable[[str], RunFolder], rows: Path) -> None:
    output = io.StringIO()
    assert predict(run_with(SIGN), rows, output) == 2
    assert output.getvalue().splitlines()[0] == "id,prediction,predicted_class,probability_0,probability_1"


def test_an_input_that_is_a_pipe_is_read(run_with: Callable[[str], RunFolder], rows: Path, tmp_path: Path) -> None:
    run, output = run_with(SIGN), io.StringIO()
    os.mkfifo(tmp_path / "in")
    with subprocess.Popen(["/bin/sh", "-c", f"cat '{rows}' > '{tmp_path}/in'"]):
        assert predict(run, tmp_path / "in", output) == 2
    assert [line.split(",")[0] for line in output.getvalue().splitlines()] == ["id", "row-0", "row-1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "standard input: the file is empty; its first line must name the columns"),
        (b"z\n1\n", "standard input, line 1: no column 'x'; the columns are: z"),
        (b"x\n1\n\xff\n", "standard input, line 3: not UTF-8 text; save the file as UTF-8"),
    ],
)
def test_what_is_wrong_in_a_stream_is_told_of_the_stream_and_nothing_is_left(
    run_with: Callable[[str], RunFolder], temporary: Path, text: bytes, told: str
) -> None:
    run, output = run_with(SIGN), io.StringIO()
    with pytest.raises(UserError) as caught:
        predict(run, io.BytesIO(text), output)
    assert str(caught.value) == told
    assert output.getvalue() == ""
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("named", ["-", "/dev/stdin"])
def test_the_command_reads_standard_input(run_with: Callable[[str], RunFolder], rows: Path, named: str) -> None:
    command = ["predict", str(run_with(SIGN).root), "--input", named, "--output", "-"]
    done = subprocess.run(
        [sys.executable, "-m", "agentomics_tui", *command], input=rows.read_bytes(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every folder")
def test_read_only_folders_are_removed_too(tmp_path: Path) -> None:
    locked = tmp_path / "locked" / "inner"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    for folder in (locked, locked.parent):
        folder.chmod(0o500)
    remove_tree(tmp_path / "locked")
    assert not locked.parent.exists()


@pytest.mark.parametrize(
    ("number", "status", "in_background"),
    [
        (signal.SIGINT, 130, False),
        (signal.SIGTERM, 143, False),
        (signal.SIGTERM, 143, True),
        (signal.SIGHUP, 129, False),
    ],
)
def test_a_signal_ends_the_script_and_leaves_nothing(
    run_with: Callable[[str], RunFolder],
    rows: Path,
    tmp_path: Path,
    temporary: Path,
    number: signal.Signals,
    status: int,
    in_background: bool,
) -> None:
    """``in_background``: started by a shell that has SIGINT ignored for it."""
    run = run_with(SLEEP)
    command = ["-m", "agentomics_tui", "predict", str(run.root), "--input", str(rows)]
    command += ["--output", str(tmp_path / "out.csv")]
    with subprocess.Popen(
        [*(["sh", "-c", 'trap "" INT; exec "$@"', "sh"] if in_background else []), sys.executable, *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        deadline = time.monotonic() + 60
        while not list(temporary.rglob("sleeps")) and program.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        program.send_signal(number)
        assert program.communicate(timeout=60) == (b"", b"")
        assert program.returncode == status
    assert processes_of(temporary) == {}
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "out.csv").exists()
