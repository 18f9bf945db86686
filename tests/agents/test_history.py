"""What earlier iterations hand on to plans and reports."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.history import full_reason, history_before, lost_outputs, outputs_of
from agents.run_folder import RunFolder
from agents.state import BestState, IterationState, RunState
from agents.vocabulary import IterationStatus, StepName, StepStatus
from agents.wording import first_line

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRAINING = StepName.MODEL_TRAINING


def iteration(index: int = 0, reason: str = "", **steps: tuple[StepStatus, str]) -> IterationState:
    """An iteration with steps by name, each with its status and reason."""
    made = IterationState(index, NOW, reason=reason)
    for name, (status, why) in steps.items():
        made.steps[StepName(name)].status, made.steps[StepName(name)].reason = status, why
    return made


@pytest.mark.parametrize("status", [StepStatus.FAILED, StepStatus.SKIPPED])
def test_a_reason_names_the_step_that_gave_it(status: StepStatus) -> None:
    assert full_reason(iteration(reason="no key", model_training=(status, "no key"))) == "Model training: no key"


def test_a_reason_that_no_step_gave_stands_alone() -> None:
    skipped = iteration(reason="the split was skipped", data_split=(StepStatus.SKIPPED, "skipped by ana"))
    assert full_reason(skipped) == "the split was skipped"


def test_an_iteration_that_was_done_has_no_reason() -> None:
    assert full_reason(iteration(data_exploration=(StepStatus.SKIPPED, "skipped by ana"))) == ""


@pytest.mark.parametrize(("text", "line"), [("\n  \n exit 1\nTraceback", "exit 1"), ("", ""), ("\n", "")])
def test_the_first_line_that_says_something(text: str, line: str) -> None:
    assert first_line(text) == line


def test_outputs_are_those_of_finished_steps_that_are_there(tmp_path: Path) -> None:
    run, state = RunFolder(tmp_path), iteration(model_training=(StepStatus.DONE, ""), data_split=(StepStatus.DONE, ""))
    (tmp_path / "training.json").write_text(json.dumps({"summary": "Trained."}))
    state.steps[TRAINING].output = "training.json"
    state.steps[StepName.DATA_SPLIT].output = "gone.json"
    assert outputs_of(run, state) == {TRAINING: {"summary": "Trained."}}
    state.steps[TRAINING].status = StepStatus.FAILED
    assert outputs_of(run, state) == {}


@pytest.mark.parametrize("text", [b"", b'{"summary": "Tra', b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_an_output_that_is_damaged_counts_as_missing_and_is_told(tmp_path: Path, text: bytes) -> None:
    run, state = RunFolder(tmp_path), iteration(model_training=(StepStatus.DONE, ""))
    state.steps[TRAINING].output = "training.json"
    assert lost_outputs(run, state)[TRAINING].reason == "is missing"
    (tmp_path / "training.json").write_bytes(text)
    assert outputs_of(run, state) == {}
    lost = lost_outputs(run, state)[TRAINING]
    assert lost.path == "training.json"
    assert lost.reason.startswith("is damaged: ")


def test_a_plan_hears_of_the_iterations_before_it_the_failed_ones_too(tmp_path: Path) -> None:
    failed = iteration(0, "no key", model_training=(StepStatus.FAILED, "no key"))
    failed.status = IterationStatus.FAILED
    best = iteration(1)
    best.status, best.scores = IterationStatus.DONE, {"validation": {"AUROC": 0.9}}
    state = RunState(iterations=[failed, best, iteration(2)], best=BestState(1, "AUROC", 0.9, 1, "k-mers", "best", NOW))
    told = history_before(RunFolder(tmp_path), state, 2)
    assert [(past.status, past.reason, past.is_best) for past in told] == [
        (IterationStatus.FAILED, "Model training: no key", False),
        (IterationStatus.DONE, "", True),
    ]
    assert told[1].validation == {"AUROC": 0.9}
