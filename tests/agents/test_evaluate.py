"""What the engine scores is what it keeps, whatever a script does meanwhile."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents.evaluate import verify_unchanged
from agents.files import digest_of
from agents.journal import JournalReader
from agents.models.gateway import ModelReply
from agents.run_folder import RunFolder
from agents.snapshot import open_snapshot
from agents.steps.agent import StepFailed
from agents.steps.facts import StepFacts
from agents.vocabulary import IterationStatus, RunStatus, StepName
from tests.support.expert import Expert, competent, final_result, script
from tests.support.leading import lead
from tests.support.models import calls

TRAINING, INFERENCE, PLAN = StepName.MODEL_TRAINING, StepName.MODEL_INFERENCE, StepName.ITERATION_PLAN
BEFORE = "with (options.input"
IN_SCORING = 'if len((options.input / "data.csv").read_text().splitlines()) > 60:\n'
"""mini_train has fewer rows, so that what stands below it is not seen in the dry run."""


def the_run(folder: Path) -> RunFolder:
    [run] = (folder / "runs").iterdir()
    return RunFolder(run)


def inference_that(deed: str) -> Callable[[StepFacts, int], ModelReply]:
    """An inference step whose script also does ``deed`` before it predicts."""
    before, at, after = script("inference.py").partition(BEFORE)
    content = f"{before}{deed}\n{at}{after}"

    def inference(facts: StepFacts, turn: int) -> ModelReply:
        return competent(facts, turn) if turn else calls(("write_python", {"path": "inference.py", "content": content}))

    return inference


@pytest.mark.parametrize("place", ["options.artifacts_dir / 'model.json'", "Path(__file__)"])
async def test_a_script_that_changes_its_own_model_while_it_is_scored_gets_no_score(tmp_path: Path, place: str) -> None:
    deed = f"{IN_SCORING}    own = {place}; own.chmod(0o644); own.write_text(own.read_text() + ' ')"
    ended = await lead(tmp_path, Expert({(0, INFERENCE): inference_that(deed)}), iterations=1)
    assert ended.state.iterations[0].status is IterationStatus.FAILED
    assert "inference.py changed files of its own model" in ended.state.iterations[0].reason
    assert ended.state.best is None
    assert list((ended.run.root / "snapshots").iterdir()) == []


async def test_a_script_that_reaches_for_the_copy_that_would_be_kept_gets_no_score(tmp_path: Path) -> None:
    kept = "options.input.parents[3] / 'snapshots/.000.part/model_training/training_artifacts/better.json'"
    deed = f"{IN_SCORING}    ({kept}).write_text('1')"
    ended = await lead(tmp_path, Expert({(0, INFERENCE): inference_that(deed)}), iterations=1)
    assert "was changed while it was scored" in ended.state.iterations[0].reason
    assert ended.state.best is None
    assert list((ended.run.root / "snapshots").iterdir()) == []


async def test_the_journal_holds_the_digest_of_what_was_scored_and_kept(tmp_path: Path) -> None:
    ended = await lead(tmp_path, iterations=1)
    assert ended.state.best is not None
    assert ended.state.best.digest == open_snapshot(ended.run).digest() != ""
    archived = ended.run.step(0, TRAINING) / "training_artifacts" / "model.json"
    assert (open_snapshot(ended.run).artifacts / "model.json").read_text() == archived.read_text()


async def crash_in_iteration_1(folder: Path) -> RunFolder:
    """A run whose engine died when its first iteration was the best and its second one began."""

    class Crash(BaseException):
        pass

    def crash(facts: StepFacts, turn: int) -> ModelReply:
        raise Crash

    with pytest.raises(Crash):
        await lead(folder, Expert({(1, PLAN): crash}))
    return the_run(folder)


async def test_a_resumed_run_keeps_nothing_that_was_left_half_made_or_never_announced(tmp_path: Path) -> None:
    run = await crash_in_iteration_1(tmp_path)
    snapshots = run.root / "snapshots"
    shutil.copytree(snapshots / "000", snapshots / "001")
    shutil.copytree(snapshots / "000", snapshots / ".001.part")
    run.best.unlink()
    run.best.symlink_to("snapshots/001")

    def worse(facts: StepFacts, turn: int) -> ModelReply:
        reply = competent(facts, turn)
        if turn:
            return reply
        arguments = json.loads(reply.tool_calls[1].arguments)
        content = script("train.py", length="noise")
        return calls(("write_python", {"path": "train.py", "content": content}), ("run_python", arguments))

    ended = await lead(tmp_path, Expert({(1, TRAINING): worse}), run)
    assert ended.state.status is RunStatus.FINISHED
    assert ended.state.best is not None
    assert ended.state.best.iteration == open_snapshot(run).record().iteration == 0
    assert [path.name for path in snapshots.iterdir()] == ["000"]
    assert ended.state.test_scores


async def test_an_engine_that_died_right_after_it_announced_the_best_loses_nothing(tmp_path: Path) -> None:
    run = (await lead(tmp_path, iterations=1)).run
    whole = open_snapshot(run).digest()
    lines = run.journal.read_bytes().splitlines(keepends=True)
    last = next(number for number, line in enumerate(lines) if b'"type":"best_changed"' in line)
    run.journal.write_bytes(b"".join(lines[: last + 1]))
    shutil.copytree(run.root / "snapshots" / "000", run.root / "snapshots" / ".000.part")

    ended = await lead(tmp_path, run=run)
    assert ended.state.status is RunStatus.FINISHED
    assert (
        ended.state.iterations[0]
        .steps[StepName.VALIDATION_EVALUATION]
        .summary.endswith("the first score of this split.")
    )
    assert open_snapshot(run).digest() == whole
    assert [path.name for path in (run.root / "snapshots").iterdir()] == ["000"]
    assert [event.type for event in JournalReader(run.journal).read_all()].count("best_changed") == 1
    assert ended.state.test_scores


CONSTANT = {
    "train.py": """
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ("--train-data", "--validation-data", "--artifacts-dir"):
    parser.add_argument(name, type=pathlib.Path)
folder = parser.parse_args().artifacts_dir
folder.mkdir(exist_ok=True)
(folder / "model.json").write_text("3")
""",
    "inference.py": """
import argparse, csv, pathlib
parser = argparse.ArgumentParser()
for name in ("--input", "--output", "--artifacts-dir"):
    parser.add_argument(name, type=pathlib.Path)
options = parser.parse_args()
rows = csv.DictReader((options.input / "data.csv").open())
options.output.write_text("id,prediction\\n" + "".join(f"{row['id']},3\\n" for row in rows))
""",
}


async def test_an_iteration_whose_score_is_undefined_says_so(tmp_path: Path) -> None:
    dataset = tmp_path / "toxicity"
    dataset.mkdir()
    rows = "".join(f"{number},{number % 5 + 0.5}\n" for number in range(60))
    (dataset / "train.csv").write_text(f"x,dose\n{rows}")
    (dataset / "metadata.json").write_text('{"label_column": "dose", "task_type": "regression", "metric": "PEARSON"}')

    def training(facts: StepFacts, turn: int) -> ModelReply:
        if turn:
            return competent(facts, turn)
        run = json.loads(competent(facts, 0).tool_calls[1].arguments)
        return calls(("write_python", {"path": "train.py", "content": CONSTANT["train.py"]}), ("run_python", run))

    def inference(facts: StepFacts, turn: int) -> ModelReply:
        if turn:
            return competent(facts, turn)
        return calls(("write_python", {"path": "inference.py", "content": CONSTANT["inference.py"]}))

    def errors(facts: StepFacts, turn: int) -> ModelReply:
        return final_result(summary="x", statistics={}, successes="-", failures="-", insights="-")

    steps = {(0, TRAINING): training, (0, INFERENCE): inference, (0, StepName.PREDICTION_EXPLORATION): errors}
    ended = await lead(tmp_path, Expert(steps), iterations=1)
    assert ended.state.iterations[0].status is IterationStatus.FAILED
    assert "PEARSON is not defined: the predictions allow none" in ended.state.iterations[0].reason
    assert ended.state.iterations[0].score("validation", "MAE") is not None
    assert ended.state.reason.endswith(f"Validation evaluation: {ended.state.iterations[0].reason}")


def test_what_the_engine_wrote_and_nobody_changed_may_be_scored_by(tmp_path: Path) -> None:
    context = SimpleNamespace(run=RunFolder(tmp_path))
    folder = tmp_path / "splits" / "v1" / "train"
    folder.mkdir(parents=True)
    labels = folder / "labels.csv"
    labels.write_text("id,numeric_label\na,0\n")
    digest = digest_of(folder)
    verify_unchanged(context, folder, digest)  # type: ignore[arg-type]
    labels.write_text("id,numeric_label\na,1\n")
    with pytest.raises(StepFailed, match="splits/v1/train was changed since the engine wrote it"):
        verify_unchanged(context, folder, digest)  # type: ignore[arg-type]
    labels.write_text("id,numeric_label\na,0\n")
    (folder / "more.csv").touch()
    with pytest.raises(StepFailed):
        verify_unchanged(context, folder, digest)  # type: ignore[arg-type]
