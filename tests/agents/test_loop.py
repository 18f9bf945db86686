"""The loop with a scripted model and everything else real: what it keeps, what it forgives, where it ends."""

import asyncio
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from agents import control
from agents import events as ev
from agents.fold import fold
from agents.journal import JournalReader
from agents.models.gateway import ModelError, ModelRefused, ModelReply, RequestRefused
from agents.outcome import exit_status
from agents.run_folder import RunFolder
from agents.snapshot import open_snapshot
from agents.state import RunState
from agents.steps.facts import StepFacts
from agents.vocabulary import IterationStatus, RunStatus, SplitName, StepName, StepStatus
from tests.support.expert import Expert, competent, final_result, script
from tests.support.leading import Ended, lead
from tests.support.models import calls
from tests.support.shell import write_dataset

TRAINING, INFERENCE, SPLIT = StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE, StepName.DATA_SPLIT


def rejections(ended: Ended, iteration: int, step: StepName) -> int:
    return ended.state.iterations[iteration].steps[step].rejections


async def test_the_better_iteration_is_kept_and_scored_on_the_hidden_test(tmp_path: Path) -> None:
    ended = await lead(tmp_path)
    assert ended.state.status is RunStatus.FINISHED
    assert ended.state.best is not None
    assert (ended.state.best.iteration, ended.state.best.combination) == (1, "length + cut 1")
    record = open_snapshot(ended.run).record()
    assert record.iteration == 1
    assert record.test == ended.state.test_scores
    metrics = json.loads((ended.run.test / "metrics.json").read_text())
    assert metrics["AUROC"] == ended.state.test_scores["test"]["AUROC"] > 0.6
    assert metrics["constant_guess"] == 0.5
    report = (ended.run.report / "report.md").read_text()
    assert "A constant guess scores 0.5000 there." in report
    assert "| AUROC of a constant guess | 0.5000 |" in report
    assert sorted(path.name for path in (ended.run.root / "snapshots").iterdir()) == ["000", "001"]


async def test_a_worse_iteration_leaves_the_snapshot_alone(tmp_path: Path) -> None:
    columns = {0: "length", 1: "noise"}

    def training(facts: StepFacts, turn: int):
        reply = competent(facts, turn)
        if turn:
            return reply
        content = script("train.py", length=columns[facts.iteration])
        run = json.loads(reply.tool_calls[1].arguments)
        return calls(("write_python", {"path": "train.py", "content": content}), ("run_python", run))

    ended = await lead(tmp_path, Expert({(0, TRAINING): training, (1, TRAINING): training}))
    assert ended.state.best is not None
    assert ended.state.best.iteration == 0
    assert open_snapshot(ended.run).record().iteration == 0
    assert [path.name for path in (ended.run.root / "snapshots").iterdir()] == ["000"]


async def test_a_failed_iteration_does_not_end_the_run_and_its_reason_reaches_the_next_plan(tmp_path: Path) -> None:
    def silent(facts: StepFacts, turn: int):
        return final_result(summary="x", train_script="model_training/train.py")

    ended = await lead(tmp_path, Expert({(0, TRAINING): silent}))
    assert [iteration.status for iteration in ended.state.iterations] == [IterationStatus.FAILED, IterationStatus.DONE]
    assert ended.state.status is RunStatus.FINISHED
    [past] = ended.expert.seen[1, StepName.ITERATION_PLAN].history
    assert past.status is IterationStatus.FAILED
    assert "train.py does not exist" in past.reason
    assert "train.py does not exist" in (ended.run.iteration(0) / "report.md").read_text()


async def test_a_run_without_any_valid_model_fails_and_says_why(tmp_path: Path) -> None:
    def silent(facts: StepFacts, turn: int):
        return final_result(summary="x", train_script="model_training/train.py")

    ended = await lead(tmp_path, Expert({(number, TRAINING): silent for number in range(2)}))
    assert ended.state.status is RunStatus.FAILED
    assert "Model training" in ended.state.reason
    assert not ended.run.best.exists()
    assert (ended.run.report / "report.md").exists()


async def test_a_model_that_refuses_ends_the_run_and_what_there_is_is_scored(tmp_path: Path) -> None:
    def refuse(facts: StepFacts, turn: int):
        raise ModelRefused("scripted: the key was taken back")

    ended = await lead(tmp_path, Expert({(1, StepName.DATA_EXPLORATION): refuse}), iterations=5)
    assert ended.state.status is RunStatus.FAILED
    assert "key was taken back" in ended.state.reason
    assert len(ended.state.iterations) == 2
    assert ended.state.test_scores


@pytest.mark.parametrize(
    "failure", [ModelError("scripted: no reply"), ModelRefused("scripted: the key was taken back")]
)
async def test_a_model_that_cannot_be_asked_any_more_ends_the_run_and_costs_no_iteration(
    tmp_path: Path, failure: ModelError
) -> None:
    def gone(facts: StepFacts, turn: int):
        raise failure

    first = await lead(tmp_path, Expert({(1, TRAINING): gone}), iterations=2)
    assert first.state.status is RunStatus.FAILED
    assert first.state.iterations[1].status is IterationStatus.FAILED
    assert first.state.iterations[1].reason == first.state.reason == str(failure)
    assert first.state.test_scores, "what there is was scored"
    ended = await lead(tmp_path, run=first.run)
    assert ended.state.status is RunStatus.FINISHED
    assert [iteration.status for iteration in ended.state.iterations] == [IterationStatus.DONE] * 2
    assert ended.expert.asked[0] == (1, TRAINING), "the steps before it are not paid again"


async def test_a_request_that_is_refused_fails_the_iteration_only(tmp_path: Path) -> None:
    def refuse(facts: StepFacts, turn: int):
        raise RequestRefused("scripted: not with me")

    ended = await lead(tmp_path, Expert({(0, StepName.DATA_EXPLORATION): refuse}))
    assert [iteration.status for iteration in ended.state.iterations] == [IterationStatus.FAILED, IterationStatus.DONE]


async def test_a_fixed_split_cannot_be_changed_by_a_later_iteration(tmp_path: Path) -> None:
    def resplit(facts: StepFacts, turn: int):
        return competent(facts.model_copy(update={"may_split": True}), turn)

    ended = await lead(tmp_path, Expert({(1, SPLIT): resplit}))
    assert ended.state.iterations[1].steps[SPLIT].status is StepStatus.FAILED
    assert "the split is fixed" in ended.state.iterations[1].reason
    assert list(ended.state.splits) == [1]


async def test_scores_of_another_split_version_are_not_compared_and_no_snapshot_is_lost(tmp_path: Path) -> None:
    ended = await lead(tmp_path, split_allowed_iterations=2)
    assert list(ended.state.splits) == [1, 2]
    assert [iteration.split_version for iteration in ended.state.iterations] == [1, 2]
    changes = [event for event in JournalReader(ended.run.journal).read_all() if event.type == "best_changed"]
    assert [(event.split_version, event.previous) for event in changes] == [(1, None), (2, None)]
    assert sorted(path.name for path in (ended.run.root / "snapshots").iterdir()) == ["000", "001"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("raise SystemExit(3)", "exit status 3"),
        ("print('done')", "other artifacts"),
        ("import sys; open('../../../iterations/000/x')", "another iteration"),
    ],
)
async def test_a_train_script_that_breaks_its_contract_is_rejected(tmp_path: Path, content: str, reason: str) -> None:
    def training(facts: StepFacts, turn: int):
        if turn == 1:
            return calls(("write_python", {"path": "train.py", "content": content}))
        return competent(facts, min(turn, 1) if turn < 2 else 9)

    ended = await lead(tmp_path, Expert({(1, TRAINING): training}))
    assert ended.state.iterations[1].status is IterationStatus.FAILED
    assert reason in ended.state.iterations[1].reason


async def test_an_inference_script_that_drops_rows_is_rejected_and_may_be_mended(tmp_path: Path) -> None:
    def inference(facts: StepFacts, turn: int):
        if turn == 0:
            broken = script("inference.py").replace("csv.DictReader(source)", "list(csv.DictReader(source))[1:]")
            return calls(("write_python", {"path": "inference.py", "content": broken}))
        if turn == 2:
            return calls(("write_python", {"path": "inference.py", "content": script("inference.py")}))
        return final_result(summary="x", inference_script="model_inference/inference.py")

    ended = await lead(tmp_path, Expert({(0, INFERENCE): inference}), iterations=1)
    assert rejections(ended, 0, INFERENCE) == 1
    assert ended.state.status is RunStatus.FINISHED


async def test_an_explored_combination_must_be_new(tmp_path: Path) -> None:
    def same_again(facts: StepFacts, turn: int):
        plan = json.loads(competent(facts, 0).tool_calls[0].arguments)
        return final_result(**{**plan, "combination": "NOISE + cut 0"} if turn == 0 else plan)

    ended = await lead(tmp_path, Expert({(1, StepName.ITERATION_PLAN): same_again}))
    assert rejections(ended, 1, StepName.ITERATION_PLAN) == 1
    assert ended.state.iterations[1].combination == "length + cut 1"


async def test_an_interrupted_run_goes_on_where_it_was_and_asks_no_finished_step_again(tmp_path: Path) -> None:
    class Crash(BaseException):
        pass

    def crash(facts: StepFacts, turn: int):
        raise Crash

    first = Expert({(1, INFERENCE): crash})
    with pytest.raises(Crash):
        await lead(tmp_path, first)
    [run] = [RunFolder(path) for path in (tmp_path / "runs").iterdir()]
    ended = await lead(tmp_path, Expert(), run)
    assert ended.state.status is RunStatus.FINISHED
    assert set(ended.expert.asked) == {(1, INFERENCE), (1, StepName.PREDICTION_EXPLORATION)}
    undisturbed = await lead(tmp_path)
    assert [i.scores for i in ended.state.iterations] == [i.scores for i in undisturbed.state.iterations]
    assert ended.state.test_scores == undisturbed.state.test_scores


async def test_outputs_that_are_damaged_are_told_and_the_open_iteration_goes_back_to_the_step(tmp_path: Path) -> None:
    class Crash(BaseException):
        pass

    def crash(facts: StepFacts, turn: int):
        raise Crash

    with pytest.raises(Crash):
        await lead(tmp_path, Expert({(1, INFERENCE): crash}))
    [run] = [RunFolder(path) for path in (tmp_path / "runs").iterdir()]
    for damaged in (run.step(0, StepName.MODEL_ARCHITECTURE), run.step(1, TRAINING)):
        (damaged / "output.json").unlink()
        (damaged / "output.json").write_text("{")
    ended = await lead(tmp_path, Expert(), run)
    assert ended.state.status is RunStatus.FINISHED
    assert ended.state.best is not None
    events = list(JournalReader(run.journal).read_all())
    lost = [event for event in events if isinstance(event, ev.OutputLost)]
    assert [(event.iteration, event.step, event.path) for event in lost] == [
        (0, StepName.MODEL_ARCHITECTURE, "iterations/000/model_architecture/output.json")
    ]
    repeated = [event for event in events if isinstance(event, ev.StepRepeated)]
    assert [(event.iteration, event.step) for event in repeated] == [(1, TRAINING)]
    assert repeated[0].reason == "iterations/001/model_training/output.json is damaged: no JSON"
    assert json.loads((run.step(1, TRAINING) / "output.json").read_text())["summary"]


async def test_no_iteration_starts_after_the_time_limit(tmp_path: Path) -> None:
    ended = await lead(tmp_path, timeout=0.001, iterations=3)
    assert ended.state.status is RunStatus.STOPPED
    assert ended.state.iterations == []
    assert "time limit" in ended.state.reason


async def test_several_test_splits_are_scored_each(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "toxicity")
    shutil.copyfile(dataset / "test.csv", dataset / "test_late.csv")
    ended = await lead(tmp_path)
    assert set(ended.state.test_scores) == {"test", "test_late"}
    assert (ended.run.test / "test_late" / "predictions.csv").exists()


async def test_notes_of_a_person_stand_in_every_later_prompt(tmp_path: Path) -> None:
    ended = await lead(tmp_path, note="mind the batch", iterations=1)
    [record, *_] = sorted(ended.run.model_calls.iterdir())
    assert "mind the batch" in record.read_text()


async def test_a_resumed_run_scores_the_snapshot_that_it_has_then(tmp_path: Path) -> None:
    def stop(facts: StepFacts, turn: int):
        [run] = (tmp_path / "runs").iterdir()
        control.submit(RunFolder(run), control.Stop())
        return competent(facts, turn)

    first = await lead(tmp_path, Expert({(0, StepName.PREDICTION_EXPLORATION): stop}))
    assert first.state.status is RunStatus.STOPPED
    assert first.state.best is not None
    assert first.state.best.iteration == 0
    ended = await lead(tmp_path, run=first.run)
    assert ended.state.best is not None
    assert ended.state.best.iteration == 1
    assert ended.state.test_scores != first.state.test_scores
    assert open_snapshot(ended.run).record().test == ended.state.test_scores


@pytest.mark.parametrize("folder", ["validation", "train"])
async def test_labels_that_a_script_has_edited_score_nothing(tmp_path: Path, folder: str) -> None:
    def tamper(facts: StepFacts, turn: int):
        assert facts.paths.split is not None
        labels = Path(facts.paths.split[SplitName(folder)]) / "labels.csv"
        labels.chmod(0o644)
        labels.write_text(labels.read_text().replace(",0\n", ",1\n", 3))
        return competent(facts, turn)

    ended = await lead(tmp_path, Expert({(0, StepName.PREDICTION_EXPLORATION): tamper}), iterations=1)
    assert ended.state.iterations[0].status is IterationStatus.FAILED
    assert f"splits/v1/{folder} was changed" in ended.state.iterations[0].reason
    assert ended.state.best is None


@pytest.mark.parametrize(
    "deed",
    ["mkdir old.py", 'rm -rf "$PWD"', "ln -s loop.py loop.py", "printf x > $(printf '\\377').py"],
)
async def test_strange_files_cost_an_iteration_at_most(tmp_path: Path, deed: str) -> None:
    def training(facts: StepFacts, turn: int):
        if turn == 0:
            return competent(facts, 0)
        if turn == 1:
            return calls(("bash", {"command": deed}))
        return competent(facts, 1)

    ended = await lead(tmp_path, Expert({(0, TRAINING): training}))
    assert ended.state.status is RunStatus.FINISHED
    assert len(ended.state.iterations) == 2


async def test_a_path_that_is_none_is_rejected_and_not_fatal(tmp_path: Path) -> None:
    def split(facts: StepFacts, turn: int):
        if turn == 1:
            return final_result(summary="x", strategy="x", train="a\0b", validation="x" * 5000, mini_train="/")
        return competent(facts, turn)

    ended = await lead(tmp_path, Expert({(0, SPLIT): split}), iterations=1)
    assert ended.state.status is RunStatus.FINISHED
    assert rejections(ended, 0, SPLIT) == 1


async def test_a_dataset_by_whose_validation_no_model_can_be_chosen_is_refused_at_the_start(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "toxicity")
    header, *rows = (dataset / "train.csv").read_text().splitlines()
    safe = [row for row in rows if row.endswith("safe")]
    (dataset / "validation.csv").write_text("\n".join([header, *safe[:10]]) + "\n")
    ended = await lead(tmp_path)
    assert ended.state.status is RunStatus.REFUSED
    assert "validation.csv: no model can be chosen by this validation split" in ended.state.reason
    assert ended.state.iterations == []
    assert exit_status(ended.state) == 2


async def test_time_on_hold_is_no_time_of_the_step_or_of_the_iteration(tmp_path: Path) -> None:
    def pausing(facts: StepFacts, turn: int):
        [run] = (tmp_path / "runs").iterdir()
        if turn == 0:
            control.submit(RunFolder(run), control.Pause())
        return competent(facts, turn)

    leading = asyncio.create_task(lead(tmp_path, Expert({(0, TRAINING): pausing}), iterations=1))
    while not (held := [run for run in runs_in(tmp_path) if state_of(run).held_since]):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    control.submit(held[0], control.Resume())
    state = (await leading).state
    [hold] = state.idle
    step, iteration = state.iterations[0].steps[TRAINING], state.iterations[0]
    times = {(event.type, event.step): event.time for event in JournalReader(held[0].journal).read_all()}
    took = (times["step_finished", TRAINING] - times["step_started", TRAINING]).total_seconds()
    assert step.seconds is not None
    assert iteration.seconds is not None
    assert step.seconds <= took - (hold.end - hold.start).total_seconds()
    assert iteration.seconds <= state.active(hold.end + timedelta(hours=1)).total_seconds()
    assert sum(step.seconds or 0 for step in iteration.steps.values()) <= iteration.seconds


def runs_in(folder: Path) -> list[RunFolder]:
    return [RunFolder(path) for path in (folder / "runs").glob("*")]


def state_of(run: RunFolder) -> RunState:
    return fold(JournalReader(run.journal).read_all())


async def test_what_people_read_of_a_step_names_paths_from_the_run_s_folder(tmp_path: Path) -> None:
    def look(facts: StepFacts, turn: int) -> ModelReply:
        if turn == 0:
            return calls(("bash", {"command": f"ls {facts.paths.data}/train/input/{'x' * 300}"}))
        return final_result(
            summary=f"Seen in {facts.paths.data}/train.",
            data_description="a table",
            feature_analysis="-",
            quality_findings=[],
            domain_insights="-",
        )

    ended = await lead(tmp_path, Expert({(0, StepName.DATA_EXPLORATION): look}), iterations=1)
    assert ended.state.iterations[0].steps[StepName.DATA_EXPLORATION].summary == "Seen in data/train."
    assert ended.state.tool_calls[0].title.startswith("ls data/train/input/xxx")
    assert str(ended.run.root) not in (ended.run.iteration(0) / "report.md").read_text()
