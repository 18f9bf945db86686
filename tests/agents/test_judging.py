"""Candidates of a run are compared on the same rows, and a new split begins a new comparison that loses nothing."""

from pathlib import Path

import pytest

from agents.data.workspace import read_facts, read_labels
from agents.events import BestChanged, BestRescored, CandidateCompared
from agents.files import digest_of
from agents.journal import JournalReader
from agents.judging import picked_best, predictions_file
from agents.models.gateway import ModelReply
from agents.snapshot import Snapshot, open_snapshot
from agents.steps.facts import StepFacts
from agents.vocabulary import Gain, RunStatus, SplitName, StepName
from tests.support.expert import Expert, competent, script
from tests.support.leading import Ended, lead
from tests.support.models import calls

SPLIT, TRAINING, INFERENCE = StepName.DATA_SPLIT, StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE


def told(ended: Ended, kind: type) -> list:
    return [event for event in JournalReader(ended.run.journal).read_all() if isinstance(event, kind)]


def learning_from(column: str):
    """A training step that learns from ``column``."""

    def training(facts: StepFacts, turn: int) -> ModelReply:
        reply = competent(facts, turn)
        if turn:
            return reply
        _, run = reply.tool_calls
        content = script("train.py", length=column)
        return ModelReply("", [calls(("write_python", {"path": "train.py", "content": content})).tool_calls[0], run])

    return training


def splitting(rule: str):
    """A data split step in which those rows validate for which ``rule`` holds of their number in their class."""

    def split(facts: StepFacts, turn: int) -> ModelReply:
        reply = competent(facts, turn)
        if turn:
            return reply
        content = script("split.py").replace("seen[row[1]] % 4 == fold", rule)
        assert rule in content
        return ModelReply(
            "", [calls(("write_python", {"path": "split.py", "content": content})).tool_calls[0], reply.tool_calls[1]]
        )

    return split


HALF = splitting("seen[row[1]] % 4 in (0, 1)")
"""Of these rows every second one validates in iteration 0 too."""


async def test_a_run_tells_how_sure_each_score_is_and_whether_the_gain_is_real(tmp_path: Path) -> None:
    ended = await lead(tmp_path)
    first, second = (event.certainty for event in told(ended, CandidateCompared))
    assert (first.compared, first.against, first.verdict) == (1, None, None)
    assert (second.compared, second.against, second.verdict) == (2, 0, Gain.REAL)
    value = ended.state.iterations[1].score("validation", "AUROC")
    assert value is not None
    assert second.low < value < second.high
    assert second.chance > 0.97
    assert second.difference == pytest.approx(value - (ended.state.iterations[0].score("validation", "AUROC") or 0))
    assert second.seconds > 0
    assert second.bytes > 0
    assert ended.state.best is not None
    assert ended.state.best.certainty == ended.state.iterations[1].certainty == second
    summary = ended.state.iterations[1].steps[StepName.VALIDATION_EVALUATION].summary
    assert "the new best, before" in summary
    assert "the gain is real (chance to be the better one >99 %)" in summary


async def test_an_equal_candidate_is_within_noise_and_changes_nothing(tmp_path: Path) -> None:
    ended = await lead(tmp_path, Expert({(1, TRAINING): learning_from("noise")}))
    _, second = (event.certainty for event in told(ended, CandidateCompared))
    assert (second.verdict, second.chance, second.difference) == (Gain.NOISE, 0.5, 0)
    assert len(told(ended, BestChanged)) == 1
    summary = ended.state.iterations[1].steps[StepName.VALIDATION_EVALUATION].summary
    assert "not taken for better than" in summary
    assert "the difference is within noise" in summary


async def test_a_better_score_within_noise_is_not_taken_if_it_is_far_slower_to_use(tmp_path: Path) -> None:
    def slow(facts: StepFacts, turn: int) -> ModelReply:
        content = "import time\ntime.sleep(3)\n" + script("inference.py")
        return competent(facts, turn) if turn else calls(("write_python", {"path": "inference.py", "content": content}))

    like_the_first = learning_from("length")
    plan = {(0, TRAINING): like_the_first, (1, TRAINING): learning_from("charge")}
    quick = await lead(tmp_path / "quick", Expert(plan))
    [_, found] = (event.certainty for event in told(quick, CandidateCompared))
    assert found.verdict is Gain.NOISE, "the two columns say as much of the class"
    better = found.difference > 0
    first, second = (plan[0, TRAINING], plan[1, TRAINING]) if better else (plan[1, TRAINING], plan[0, TRAINING])
    taken = await lead(tmp_path / "taken", Expert({(0, TRAINING): first, (1, TRAINING): second}))
    left = await lead(tmp_path / "left", Expert({(0, TRAINING): first, (1, TRAINING): second, (1, INFERENCE): slow}))
    assert taken.state.best is not None
    assert left.state.best is not None
    assert (taken.state.best.iteration, left.state.best.iteration) == (1, 0)


async def test_predictions_that_were_changed_since_they_were_scored_are_not_compared_with(tmp_path: Path) -> None:
    def meddle(facts: StepFacts, turn: int) -> ModelReply:
        [run] = (tmp_path / "runs").iterdir()
        path = run / "iterations/000/validation_evaluation/validation_predictions.csv"
        path.chmod(0o644)
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header, *(f"{row.split(',')[0]},0,0.6,0.4" for row in rows)]) + "\n")
        return competent(facts, turn)

    ended = await lead(tmp_path, Expert({(1, StepName.DATA_EXPLORATION): meddle}))
    _, second = (event.certainty for event in told(ended, CandidateCompared))
    assert second.verdict is Gain.UNKNOWN
    assert "not there as they were scored" in second.why
    assert ended.state.best is not None
    assert ended.state.best.iteration == 1, "the scores of the journal decide"


# --- another split ---------------------------------------------------------------------------------------------------


async def test_on_a_new_split_the_best_is_scored_on_the_rows_it_was_not_trained_on(tmp_path: Path) -> None:
    expert = Expert({(0, TRAINING): learning_from("length"), (1, SPLIT): HALF, (1, TRAINING): learning_from("noise")})
    ended = await lead(tmp_path, expert, split_allowed_iterations=2)
    assert ended.state.status is RunStatus.FINISHED
    [rescored] = told(ended, BestRescored)
    run, state = ended.run, ended.state
    new, trained = (
        set(read_labels(run.split(version) / name)[0])
        for version, name in ((2, SplitName.VALIDATION), (1, SplitName.TRAIN))
    )
    assert (rescored.of, rescored.split_version, rescored.rows) == (0, 2, len(new - trained))
    assert 0 < rescored.rows < len(new)
    assert predictions_file(run, state, 0, 2).is_file()
    assert state.best is not None
    assert (state.best.iteration, state.best.split_version, state.best.value) == (0, 2, rescored.value)
    second = told(ended, CandidateCompared)[1].certainty
    assert (second.against, second.compared, second.rows, second.verdict) == (0, 2, rescored.rows, Gain.WORSE)
    assert Snapshot(run.best).record().iteration == 0
    assert state.test_scores


async def test_a_candidate_that_beats_the_best_on_the_new_split_takes_over_and_both_snapshots_stay(
    tmp_path: Path,
) -> None:
    ended = await lead(tmp_path, Expert({(1, SPLIT): HALF}), split_allowed_iterations=2, iterations=3)
    [rescored] = told(ended, BestRescored)
    first, second, *_ = told(ended, BestChanged)
    assert (second.iteration, second.previous, second.split_version) == (1, rescored.value, 2)
    assert first.iteration == 0
    names = {path.name for path in (ended.run.root / "snapshots").iterdir()}
    assert {"000", "001"} <= names
    assert Snapshot(ended.run.snapshot(0)).digest() == first.digest
    assert open_snapshot(ended.run).record().iteration == ended.state.best.iteration  # type: ignore[union-attr]


async def test_a_best_that_was_trained_on_all_new_rows_is_left_out_and_its_snapshot_stays(tmp_path: Path) -> None:
    ended = await lead(tmp_path, split_allowed_iterations=2)
    [rescored] = told(ended, BestRescored)
    assert (rescored.value, rescored.reason) == (None, "it was trained on every row of the new validation split")
    assert [event.previous for event in told(ended, BestChanged)] == [None, None]
    assert sorted(path.name for path in (ended.run.root / "snapshots").iterdir()) == ["000", "001"]


async def test_a_best_whose_snapshot_was_changed_is_not_scored_again_and_the_run_goes_on(tmp_path: Path) -> None:
    def meddle(facts: StepFacts, turn: int) -> ModelReply:
        [run] = (tmp_path / "runs").iterdir()
        path = run / "snapshots/000/model_training/training_artifacts/model.json"
        path.chmod(0o644)
        path.write_text(path.read_text() + " ")
        return competent(facts, turn)

    steps = {(1, SPLIT): HALF, (1, StepName.DATA_EXPLORATION): meddle}
    ended = await lead(tmp_path, Expert(steps), split_allowed_iterations=2)
    [rescored] = told(ended, BestRescored)
    assert rescored.value is None
    assert "were changed since they were scored" in rescored.reason
    assert ended.state.best is not None
    assert ended.state.best.iteration == 1


async def test_scoring_leaves_the_split_as_it_was(tmp_path: Path) -> None:
    ended = await lead(tmp_path, Expert({(1, SPLIT): HALF}), split_allowed_iterations=2)
    for version, digests in ended.state.split_digests.items():
        for name, digest in digests.items():
            assert digest_of(ended.run.split(version) / name) == digest


async def test_what_picking_the_best_adds_is_estimated_from_all_candidates_of_its_split(tmp_path: Path) -> None:
    ended = await lead(tmp_path, iterations=3)
    found = picked_best(ended.run, ended.state, read_facts(ended.run.data), 0)
    assert found is not None
    assert found.candidates == 3
    assert 0 <= found.expected < 0.2
    assert ended.state.best is not None
    report = (ended.run.report / "report.md").read_text()
    assert "3 candidates were compared" in report
