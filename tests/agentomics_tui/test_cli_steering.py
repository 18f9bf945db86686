"""Steering from the command line: which command is left for the engine, and what is refused before it is."""

import json
from pathlib import Path

import pytest

from agentomics_tui.cli import run_command
from agentomics_tui.commands import sending
from agents import control
from agents.holder import Control, HolderRecord
from agents.run_folder import RunFolder
from agents.steering import Steering
from agents.vocabulary import Gate, NoteTime, StepName
from tests.support import journals
from tests.support.steered import steering_of
from tests.support.watching import with_engine


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sending, "_RECEIPT_SECONDS", 0.0)  # nobody answers here
    monkeypatch.setenv("AGENTOMICS_RUNS_DIR", str(tmp_path))


def left(run: journals.StagedRun) -> control.Command:
    [path] = control.pending(run.folder)
    command = control.load(path)
    assert not isinstance(command, str)
    return command


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["pause", "last"], control.Pause()),
        (["pause", "last", "--now"], control.Pause(now=True)),
        (["say", "last", "smaller"], control.Say(text="smaller")),
        (["say", "last", "smaller", "--when", "plan"], control.Say(text="smaller", when=NoteTime.PLAN)),
        (["say", "last", "--edit", "note-2", "x"], control.EditNote(note_id="note-2", text="x")),
        (
            ["say", "last", "--edit", "note-2", "x", "--when", "now"],
            control.EditNote(note_id="note-2", text="x", when=NoteTime.NOW),
        ),
        (["say", "last", "--withdraw", "note-2"], control.WithdrawNote(note_id="note-2")),
        (["redo", "last"], control.Redo(iteration=3, step=StepName.MODEL_TRAINING)),
        (
            ["redo", "last", "--step", "Data-Representation", "--note", "less"],
            control.Redo(iteration=3, step=StepName.MODEL_TRAINING, back_to=StepName.DATA_REPRESENTATION, note="less"),
        ),
        (["gates", "last", "plan, training"], control.SetGates(gates=[Gate.PLAN, Gate.TRAINING])),
        (["gates", "last", "none"], control.SetGates(gates=[])),
        (["stop", "last", "--now", "--take-control"], control.Stop(now=True, take_control=True)),
    ],
)
def test_each_word_leaves_its_command(tmp_path: Path, arguments: list[str], command: control.Command) -> None:
    run = with_engine(journals.noted_run(tmp_path))
    assert run_command(arguments) == 0
    given = left(run)
    assert given.model_copy(update={"command_id": "", "by": ""}) == command.model_copy(
        update={"command_id": "", "by": ""}
    )
    assert given.session == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["say", "last"], "say: the note is empty"),
        (["say", "last", "--edit", "note", "x"], "say: 3 notes have an id that begins with 'note'"),
        (["say", "last", "--withdraw", "zzz"], "say: no note has an id that begins with 'zzz'"),
        (["gates", "last", "plans"], "gates 'plans': expected none, or some of plan, training"),
        (["approve", "last"], "nothing of run peptides-demo waits for an approval"),
        (["reject", "last", "no"], "nothing of run peptides-demo waits for an approval"),
        (["review", "last"], "nothing of run peptides-demo waits for an approval"),
    ],
)
def test_a_slip_leaves_nothing(
    tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = with_engine(journals.noted_run(tmp_path))
    assert run_command(arguments) == 2
    assert said in capsys.readouterr().err
    assert not control.pending(run.folder)


def test_notes_say_what_became_of_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journals.noted_run(tmp_path)
    assert run_command(["notes", "last"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "note-1  delivered at step Data representation of iteration 3",
        "  ana@lab: try the charge at each end",
        "  then output: Charge of both ends added.",
        "note-2  queued for the next plan",
        "  ana@lab: no more than 2 GB of memory",
        "note-3  withdrawn",
        "  ana@lab: forget it",
    ]
    run_command(["notes", "last", "--json"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [note["status"] for note in told] == ["delivered", "queued", "withdrawn"]


def test_what_waits_is_reviewed_and_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = with_engine(journals.approval_run(tmp_path, gate=Gate.TRAINING))
    assert run_command(["review", "last"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("training: train.py --train-data splits/v1/train\nimport sys\n")
    assert "-TREES = 400" in shown
    assert "agentomics-tui reject peptides-demo REASON" in shown
    edited = tmp_path / "mine.py"
    edited.write_text("TREES = 10\n")
    for arguments, verdict, reason, text in (
        (["approve", "last"], "approve", "", ""),
        (["approve", "last", "--edited", str(edited)], "edit", "", "TREES = 10\n"),
        (["reject", "last", "too big"], "reject", "too big", ""),
    ):
        assert run_command(arguments) == 0
        answer = left(run)
        assert isinstance(answer, control.Answer)
        assert (answer.approval, answer.verdict, answer.reason, answer.text) == (1, verdict, reason, text)
        control.pending(run.folder)[0].unlink()
    for arguments, said in (
        (["reject", "last", " "], "reject: say why"),
        (["approve", "last", "--edited", str(tmp_path / "none.py")], "none.py: No such file or directory"),
    ):
        assert run_command(arguments) == 2
        assert said in capsys.readouterr().err


def test_status_says_who_steers_and_what_waits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = with_engine(journals.approval_run(tmp_path))
    Control(run.folder, "a watcher").take()
    run_command(["status", "last"])
    shown = capsys.readouterr().out
    assert "waits      for your approval of the plan; see: agentomics-tui review peptides-demo" in shown
    assert " steers\n" in shown
    run_command(["status", "last", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["approval"]["title"] == "3-mers instead of 2-mers"
    assert told["control"].count("@") == 1
    assert told["step"] == "iteration_plan"


def of_somebody_else(run: RunFolder) -> None:
    """Control held by another person's watcher that lives."""
    Control(run, "theirs").take()
    record = HolderRecord.model_validate_json(run.control_lock.read_bytes())
    run.control_lock.write_text(record.model_copy(update={"user": "bo"}).model_dump_json())


@pytest.mark.parametrize("take", [False, True])
def test_who_is_not_the_holder_has_to_take_control(tmp_path: Path, take: bool) -> None:
    run, recorder, steering = steering_of(tmp_path)
    of_somebody_else(run)
    control.submit(run, control.Pause(take_control=take))
    steering.look()
    [receipt] = recorder.state.receipts
    if take:
        assert receipt.outcome == "accepted"
        assert not run.control_lock.exists()
    else:
        assert receipt.outcome == "refused"
        assert receipt.detail.startswith("bo@")
        assert receipt.detail.endswith(" holds control; take it over with --take-control")


def test_the_command_line_of_the_holder_counts_and_another_watcher_of_theirs_does_not(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)
    Control(run, "ours").take()
    for command in (control.Pause(session="other"), control.Pause(), control.Resume(session="ours")):
        control.submit(run, command)
    steering.look()
    assert [receipt.outcome for receipt in recorder.state.receipts] == ["refused", "accepted", "accepted"]
    assert isinstance(steering, Steering)


def test_a_holder_that_died_holds_nothing(tmp_path: Path) -> None:
    run, recorder, steering = steering_of(tmp_path)
    Control(run, "theirs").take()
    record = HolderRecord.model_validate_json(run.control_lock.read_bytes())
    dead = record.model_copy(update={"user": "bo", "host": "elsewhere", "heartbeat": record.heartbeat - 60})
    run.control_lock.write_text(dead.model_dump_json())
    control.submit(run, control.Pause())
    steering.look()
    assert [receipt.outcome for receipt in recorder.state.receipts] == ["accepted"]
