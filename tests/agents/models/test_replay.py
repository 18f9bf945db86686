"""A recorded run as a model: the same replies at the same places, and a word where something else is asked."""

import json
from pathlib import Path

import pytest

from agents.events import ReplayDiverged
from agents.journal import JournalReader
from agents.models.gateway import ModelError, ModelRefused, ModelRequest
from agents.models.replay import ReplayGateway, problem_with_replay
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.steps.facts import StepFacts
from agents.vocabulary import REPLAY, RunStatus, StepName
from tests.support.expert import Expert, competent
from tests.support.leading import Ended, lead
from tests.support.shell import write_dataset


async def replayed(folder: Path, recorded: RunFolder, **settings: object) -> Ended:
    values = {"iterations": 2, "max_validation_retries": 1, **settings}
    dataset = folder / "toxicity"
    run = create_run(folder / "again", RunSettings(dataset=dataset, **values), "1.0")  # type: ignore[arg-type]
    return await lead(folder, run=run, gateway=ReplayGateway(recorded.root, run.root))


def divergences(run: RunFolder) -> list[ReplayDiverged]:
    return [event for event in JournalReader(run.journal).read_all() if isinstance(event, ReplayDiverged)]


async def test_a_run_is_led_again_with_the_same_scores_and_nothing_else_asked(tmp_path: Path) -> None:
    first = await lead(tmp_path)
    again = await replayed(tmp_path, first.run)
    assert again.state.status is RunStatus.FINISHED
    assert [i.scores for i in again.state.iterations] == [i.scores for i in first.state.iterations]
    assert again.state.test_scores == first.state.test_scores
    assert divergences(again.run) == []
    assert again.state.usage.cost_usd == 0


async def test_what_is_asked_otherwise_is_told_once_with_a_diff(tmp_path: Path) -> None:
    first = await lead(tmp_path, iterations=1)
    again = await replayed(tmp_path, first.run, iterations=1, note="mind the batch")
    assert again.state.status is RunStatus.FINISHED
    told = divergences(again.run)
    opening = [call for call in first.state.model_calls if call.step != first.state.model_calls[call.call - 2].step]
    assert len(told) == len(opening), "the note stands in the first prompt of each step, and is told there alone"
    assert "+The person who started the run says: mind the batch" in told[0].diff


async def test_a_place_that_the_recorded_run_never_reached_ends_the_run_with_one_line(tmp_path: Path) -> None:
    first = await lead(tmp_path, iterations=1)
    again = await replayed(tmp_path, first.run, iterations=2)
    assert again.state.status is RunStatus.FAILED
    assert "made no call number 1 in step Iteration plan of iteration 1" in again.state.reason
    assert again.state.test_scores == first.state.test_scores


async def test_the_last_conversation_of_a_step_that_was_interrupted_is_the_one_that_counts(tmp_path: Path) -> None:
    class Crash(BaseException):
        pass

    def crash(facts: StepFacts, turn: int):
        if turn == 1:
            raise Crash
        return competent(facts, turn)

    with pytest.raises(Crash):
        await lead(tmp_path, Expert({(0, StepName.MODEL_TRAINING): crash}), iterations=1)
    [run] = [RunFolder(path) for path in (tmp_path / "runs").iterdir()]
    first = await lead(tmp_path, Expert(), run)
    records = [json.loads(path.read_bytes()) for path in first.run.model_calls.glob("*.json")]
    assert [record["repeats"] for record in records if record["repeats"]], "a reply was kept and given again"
    again = await replayed(tmp_path, first.run, iterations=1)
    assert again.state.status is RunStatus.FINISHED
    assert divergences(again.run) == []


async def test_what_is_no_step_of_a_run_is_refused(tmp_path: Path) -> None:
    gateway = ReplayGateway(tmp_path, tmp_path)
    with pytest.raises(ModelRefused, match="no step of a run"):
        await gateway.complete(ModelRequest("replay:x", [{"role": "user", "content": "hello"}]), None)  # type: ignore[arg-type]


async def test_a_spoilt_record_is_named(tmp_path: Path) -> None:
    first = await lead(tmp_path, iterations=1)
    (first.run.model_calls / "000003.json").write_text(json.dumps({"call": "three"}))
    again = await replayed(tmp_path, first.run, iterations=1)
    assert again.state.status is RunStatus.FAILED
    assert "000003.json: cannot be replayed" in again.state.reason


async def test_a_call_that_got_no_reply_then_gets_none_now_and_its_failure_is_told(tmp_path: Path) -> None:
    def gone(facts: StepFacts, turn: int):
        raise ModelError("scripted: no reply")

    first = await lead(tmp_path, Expert({(0, StepName.DATA_SPLIT): gone}), iterations=1)
    again = await replayed(tmp_path, first.run, iterations=1)
    assert again.state.status is RunStatus.FAILED
    assert "got no reply to its call 3" in again.state.reason
    assert "scripted: no reply" in again.state.reason


def test_a_folder_that_is_no_run_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    write_dataset(tmp_path / "toxicity")
    (tmp_path / "model_calls").mkdir()
    assert "is no run with recorded model calls" in (problem_with_replay(f"{REPLAY}{tmp_path / 'toxicity'}") or "")
    assert "made no model call" in (problem_with_replay(f"{REPLAY}{tmp_path}") or "")
    (tmp_path / "model_calls" / "000001.json").write_text("{}")
    assert problem_with_replay(f"{REPLAY}{tmp_path}") is None
