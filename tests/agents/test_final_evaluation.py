"""The final evaluation: of the dataset and the snapshot that the run had, and only as long as a person lets it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agents import control
from agents.fold import fold
from agents.journal import JournalReader
from agents.models.gateway import ModelReply, RequestRefused
from agents.outcome import exit_status, nothing_left_to_do
from agents.run_folder import RunFolder
from agents.snapshot import open_snapshot
from agents.steps.facts import StepFacts
from agents.vocabulary import RunStatus, StepName
from agents.wording import first_line
from tests.support.expert import Expert, competent, script
from tests.support.leading import Ended, lead
from tests.support.models import calls
from tests.support.shell import write_dataset

LOOK = StepName.DATA_EXPLORATION


async def changed_while_it_ran(folder: Path, change: Callable[[Path], None], **settings: object) -> Ended:
    """A run of one iteration, during which somebody changes the dataset."""

    def tamper(facts: StepFacts, turn: int) -> ModelReply:
        change(folder / "toxicity")
        return competent(facts, turn)

    return await lead(folder, Expert({(0, LOOK): tamper}), iterations=1, **settings)


def metadata(**changes: object) -> Callable[[Path], None]:
    def change(dataset: Path) -> None:
        path = dataset / "metadata.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def more_test_rows(dataset: Path) -> None:
    with (dataset / "test.csv").open("a") as file:
        file.write("9,9,9,TOXIC,toxic\n")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (more_test_rows, "files of test"),
        (metadata(positive_class="safe", negative_class="toxic"), "classes: safe, toxic became toxic, safe"),
        (metadata(metric="MCC"), "metric: AUROC became MCC"),
        (metadata(label_column="noise", task_type="regression", metric="MAE"), "task type: binary became regression"),
        (metadata(input_columns=["charge", "length"]), "input columns: length, charge, noise became length, charge"),
    ],
)
async def test_a_dataset_that_changed_during_the_run_proves_nothing_and_what_changed_is_told(
    tmp_path: Path, change: Callable[[Path], None], told: str
) -> None:
    ended = await changed_while_it_ran(tmp_path, change)
    assert ended.state.status is RunStatus.FINISHED
    assert ended.state.test_scores == {}
    assert f"toxicity has changed since the run started ({told})" in ended.state.reason
    assert "\n" not in ended.state.reason
    assert not (ended.run.test / "predictions.csv").exists()


async def test_a_dataset_that_is_not_there_at_the_end_can_be_brought_back_for_its_test_score(tmp_path: Path) -> None:
    def move_away(dataset: Path) -> None:
        if dataset.exists():
            dataset.rename(tmp_path / "elsewhere")

    first = await changed_while_it_ran(tmp_path, move_away)
    assert first.state.status is RunStatus.FAILED
    assert "no test score" in first.state.reason
    assert len(first.state.reason.splitlines()) == 1
    assert first.state.best is not None
    assert nothing_left_to_do(first.state) is None
    (tmp_path / "elsewhere").rename(tmp_path / "toxicity")
    ended = await lead(tmp_path, run=first.run)
    assert ended.state.status is RunStatus.FINISHED
    assert ended.state.test_scores


async def test_another_label_column_with_the_same_classes_is_noticed(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "toxicity")
    for name in ("train", "test"):
        header, *rows = (dataset / f"{name}.csv").read_text().splitlines()
        told = [f"{row},{('toxic', 'safe')[number % 3 == 0]}" for number, row in enumerate(rows)]
        (dataset / f"{name}.csv").write_text("\n".join([f"{header},second", *told]) + "\n")
    columns = {"input_columns": ["length", "charge", "noise"]}
    metadata(**columns)(dataset)
    ended = await changed_while_it_ran(tmp_path, metadata(label_column="second"))
    assert ended.state.test_scores == {}
    assert "(the labels that metadata.json names)" in ended.state.reason


async def test_a_word_in_the_metadata_that_changes_nothing_costs_no_score(tmp_path: Path) -> None:
    ended = await changed_while_it_ran(tmp_path, metadata(source="elsewhere"))
    assert ended.state.test_scores
    assert ended.state.reason == ""


@pytest.mark.parametrize("deed", ["edit", "shadow"])
async def test_a_snapshot_that_a_later_iteration_has_edited_gets_no_test_score(tmp_path: Path, deed: str) -> None:
    def tamper(facts: StepFacts, turn: int) -> ModelReply:
        [run] = (tmp_path / "runs").iterdir()
        folder = run / "best" / "model_inference"
        if deed == "edit":
            (folder / "inference.py").write_text("raise SystemExit")
        else:
            (folder / "csv.py").write_text("raise SystemExit")
        raise RequestRefused("scripted: not with me")

    ended = await lead(tmp_path, Expert({(1, LOOK): tamper}))
    assert ended.state.status is RunStatus.FAILED
    assert ended.state.test_scores == {}
    assert "no test score: " in ended.state.reason
    assert "changed since they were scored" in ended.state.reason


def at_test(deed: str) -> Expert:
    """Makes a model whose script does ``deed`` on the 80 rows of test, and is sound on all others."""
    lines = f'if len((options.input / "data.csv").read_text().splitlines()) == 81:\n    {deed}\n'
    before, at, after = script("inference.py").partition("with (options.input")

    def write(facts: StepFacts, turn: int) -> ModelReply:
        content = f"{before}{lines}{at}{after}"
        return competent(facts, turn) if turn else calls(("write_python", {"path": "inference.py", "content": content}))

    return Expert({(0, StepName.MODEL_INFERENCE): write})


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (r"raise ValueError('unknown\n category: blue')", "test split test: exit status 1: category: blue"),
        ("raise ValueError('no such category')", "test split test: exit status 1: ValueError: no such category"),
        ("raise SystemExit(3)", "test split test: exit status 3; it printed nothing"),
        (r"options.output.write_text('id\n'); raise SystemExit", "test split test: "),
    ],
)
async def test_a_run_whose_model_fails_on_the_test_rows_has_failed_and_says_how_in_one_line(
    tmp_path: Path, deed: str, told: str
) -> None:
    ended = await lead(tmp_path, at_test(deed), iterations=1)
    assert ended.state.status is RunStatus.FAILED
    assert exit_status(ended.state) == 1
    assert ended.state.best is not None
    assert ended.state.test_scores == {}
    line = first_line(ended.state.reason)
    assert line.startswith(f"no test score: {told}")
    assert not line.endswith(":")
    assert nothing_left_to_do(ended.state) is None


# --- a person's word -------------------------------------------------------------------------------------------------


async def interrupted_in_the_final_evaluation(folder: Path, command: control.Command) -> Ended:
    """A run whose model never ends on the 80 rows of test, until ``command`` comes."""
    leading = asyncio.create_task(lead(folder, at_test("import time; time.sleep(600)"), iterations=1))
    while not leading.done():
        for run in (RunFolder(path) for path in (folder / "runs").glob("*")):
            call = fold(JournalReader(run.journal).read_all()).running_tool_call
            if call and call.title.startswith("final evaluation"):
                control.submit(run, command)
                return await leading
        await asyncio.sleep(0.05)
    return leading.result()


async def test_a_final_evaluation_that_hangs_can_be_stopped_and_taken_up_again(tmp_path: Path) -> None:
    ended = await interrupted_in_the_final_evaluation(tmp_path, control.Stop(now=True, by="ana@lab"))
    assert ended.state.status is RunStatus.STOPPED
    assert ended.state.reason == "no test score: stopped by ana@lab"
    assert ended.state.test_scores == {}
    assert ended.state.running_tool_call is None
    assert open_snapshot(ended.run).record().test == {}
    assert exit_status(ended.state) == 3
    assert nothing_left_to_do(ended.state) is None


async def test_skipping_in_the_final_evaluation_skips_the_evaluation(tmp_path: Path) -> None:
    ended = await interrupted_in_the_final_evaluation(tmp_path, control.SkipStep(by="ana@lab"))
    assert ended.state.status is RunStatus.FINISHED
    assert ended.state.reason == "no test score: skipped by ana@lab"


async def test_a_skip_meant_for_the_last_iteration_does_not_cost_the_test_score(tmp_path: Path) -> None:
    late = control.SkipIteration(iteration=0, by="ana@lab")
    leading = asyncio.create_task(interrupted_in_the_final_evaluation(tmp_path, late))
    while not leading.done():
        for run in (RunFolder(path) for path in (tmp_path / "runs").glob("*")):
            if fold(JournalReader(run.journal).read_all()).receipts:
                control.submit(run, control.Stop(now=True, by="ana@lab"))
                ended = await leading
                assert [receipt.outcome for receipt in ended.state.receipts] == ["refused", "accepted"]
                assert ended.state.receipts[0].detail == "iteration 0 is over already"
                assert ended.state.reason == "no test score: stopped by ana@lab"
                return
        await asyncio.sleep(0.05)
    pytest.fail("the skip got no receipt")


async def test_a_test_split_of_one_class_leaves_the_metric_undefined_and_the_run_says_why(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "toxicity")
    header, *rows = (dataset / "test.csv").read_text().splitlines(keepends=True)
    (dataset / "test.csv").write_text("".join([header, *(row for row in rows if ",toxic" in row)]))
    ended = await lead(tmp_path, iterations=1)
    assert ended.state.test_scores["test"]["AUROC"] is None
    assert ended.state.test_scores["test"]["ACC"] is not None
    assert ended.state.test_undefined == {"test": "only one class (toxic)"}
    assert "AUROC will be undefined on test: only one class (toxic)" in ended.state.findings
    report = (ended.run.report / "report.md").read_text()
    assert "AUROC is undefined on test: only one class (toxic)." in report
