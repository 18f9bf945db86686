"""Reports from staged runs, and from text that would break out of them."""

import json
from datetime import timedelta
from pathlib import Path

from agents.fold import fold
from agents.report import write_iteration_report, write_run_report
from agents.run_folder import RunFolder
from agents.state import NoteState, RunState
from agents.vocabulary import BUILTIN_MODEL, RunStatus, StepName, StepStatus
from tests.support.journals import failed_run, finished_run

EVIL = "it\x1b[2J is \x9b31m|\x07 new\n\n# Forged\n- \u202eforged"


def finished(tmp_path: Path) -> tuple[RunFolder, RunState]:
    staged = finished_run(tmp_path)
    state = fold(staged.written)
    for iteration in state.iterations:
        (staged.folder.iteration(iteration.index)).mkdir(parents=True, exist_ok=True)
    state.settings = {"seed": 7}
    return staged.folder, state


def headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]


def test_the_run_report_tells_the_best_its_scores_and_every_iteration(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    text = write_run_report(run, state, RunStatus.FINISHED, "").read_text()
    assert "Iteration 4, k-mers + extra trees: AUROC 0.9510 on validation (split v1)." in text
    assert "4 candidates were compared on split v1" in text
    assert "| AUROC (the run's metric) | 0.9440 |" in text
    assert sum(line.startswith(f"| {n} | ") for n in range(5) for line in text.splitlines()) == 5
    assert headings(text)[1:] == ["## Best", "## How sure is this", "## Iterations", "## Data", "## Environment"]


def test_a_run_without_a_snapshot_says_so(tmp_path: Path) -> None:
    staged = failed_run(tmp_path)
    state = fold(staged.written)
    state.settings = {"seed": 0}
    text = write_run_report(staged.folder, state, RunStatus.FAILED, "nothing worked").read_text()
    assert "Failed: nothing worked." in text
    assert "There is no snapshot: no iteration ended with a valid score." in text


def test_no_text_of_a_model_or_a_person_breaks_out_of_its_place(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    honest = write_run_report(run, state, RunStatus.FINISHED, "").read_text()
    for iteration in state.iterations:
        iteration.combination = iteration.change = iteration.plan_reason = iteration.expectation = EVIL
        iteration.reason = EVIL
    assert state.best is not None
    state.best.combination = state.dataset = EVIL
    state.findings, state.withheld, state.classes = [EVIL], {EVIL: EVIL}, [EVIL]
    text = write_run_report(run, state, RunStatus.FINISHED, EVIL).read_text()
    assert headings(text)[1:] == headings(honest)[1:]
    assert all(char == "\n" or char >= " " for char in text)
    assert not set(text) & {"\x7f", "\x9b"}
    state.notes = {"n": NoteState("n", EVIL, EVIL)}
    assert headings(write_run_report(run, state, RunStatus.FINISHED, EVIL).read_text())[-1] == "## Notes from people"


def test_the_iteration_report_holds_the_plan_each_step_and_each_tool_call(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    text = write_iteration_report(run, state, 2).read_text()
    assert headings(text)[0] == "# Iteration 2: k-mers + boosting"
    for step in StepName:
        assert f"## {step.label}" in headings(text)
    assert "| run_python | model_training/train.py | error (1) | 12.5 |" in text


def test_outputs_of_a_model_stand_in_the_iteration_report_without_control_characters(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    iteration = state.iterations[0]
    step = iteration.steps[StepName.DATA_EXPLORATION]
    path = run.root / "iterations/000/data_exploration/output.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"summary": "one\n\ntwo\x1b[2J", "hints": [EVIL], "sizes": {"a\nb": "\x9b1m"}}))
    step.output, step.status, step.reason = run.relative(path), StepStatus.DONE, EVIL
    text = write_iteration_report(run, state, 0).read_text()
    assert "**Summary**\n\none\n\ntwo\n" in text
    assert "- it is | new # Forged - " in text
    assert "- a b: " in text
    assert "# Forged" not in headings(text)
    assert not set(text) & {"\x1b", "\x07", "\x9b"}


def handed_over(run: RunFolder, state: RunState, name: StepName, **output: object) -> str:
    """The report of an iteration in which a step handed over ``output``."""
    step = state.iterations[0].steps[name]
    path = run.step(0, name) / "output.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(output))
    step.output, step.status, step.model_calls, step.rejections = run.relative(path), StepStatus.DONE, 1, 1
    return write_iteration_report(run, state, 0).read_text()


def test_one_call_is_no_calls(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    assert ", 1 model call, 1 output rejected." in handed_over(run, state, StepName.DATA_SPLIT, summary="Split.")
    state.usage.calls = 1
    assert ", 1 model call |" in write_run_report(run, state, RunStatus.FINISHED, "").read_text()


def test_paths_of_the_run_are_told_from_its_folder(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    folder = str(run.split(1) / "train")
    text = handed_over(run, state, StepName.DATA_SPLIT, train=folder, strategy=f"as in {folder}", notes=[folder])
    assert "**Train**\n\nsplits/v1/train\n" in text
    assert "as in splits/v1/train" in text and "- splits/v1/train" in text
    assert str(run.root) not in text


def test_what_the_policy_writes_for_itself_is_told_in_words(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    candidate = {"representation": "combined", "family": "extra_trees", "hyperparameters": {}, "scaled": True}
    columns = [f"g{number}" for number in range(40)]
    text = handed_over(
        run,
        state,
        StepName.DATA_EXPLORATION,
        feature_analysis=f"Two blocks.\ncandidate: {json.dumps(candidate)}",
        data_description=f'profile: {{"numeric_columns": {json.dumps(columns)}, "rows": 3}}',
        domain_insights="candidate: {not JSON}",
        statistics={"mean_absolute_error": 2.5e-9, "parts": {"long": 1, "short": [1, 2]}, "worst": None},
    )
    assert (
        "Two blocks.\nCandidate: representation combined; family extra_trees; hyperparameters none; scaled yes\n"
        in text
    )
    assert "Profile: numeric columns g0, g1, g2, g3, g4, g5, g6, g7, g8, g9, g10, g11 and 28 more; rows 3\n" in text
    assert "candidate: {not JSON}" in text
    assert "- mean_absolute_error: 2.5e-09\n- parts: long 1; short 1, 2\n- worst: –\n" in text


def test_figures_of_the_built_in_policy_are_told_by_what_they_mean(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    figures = {"overconfidence": -0.0083, "recall_case": 0.5, "own": 1}
    state.model = BUILTIN_MODEL
    text = handed_over(run, state, StepName.PREDICTION_EXPLORATION, statistics=figures)
    assert "share of right predictions (above 0: too sure): -0.0083" in text
    assert "- Share of the rows of case that are found: 0.5000\n- own: 1\n" in text
    state.model = "openai/gpt"
    text = handed_over(run, state, StepName.PREDICTION_EXPLORATION, statistics=figures)
    assert "- overconfidence: -0.0083\n- recall_case: 0.5000\n- own: 1\n" in text


def test_the_run_report_says_from_how_many_rows_and_against_which_guess_a_score_is(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    state.metric = "AUPRC"
    assert state.best is not None and state.started is not None
    for name, labels in (("train", "0001"), ("validation", "00111")):
        folder = run.split(state.best.split_version) / name
        folder.mkdir(parents=True, exist_ok=True)
        rows = (f"{name}-{row},{label}\n" for row, label in enumerate(labels))
        (folder / "labels.csv").write_text("id,numeric_label\n" + "".join(rows))
    state.splits[state.best.split_version] |= {"validation": 5}
    state.test_scores, state.rows["test"] = {"test": {"AUPRC": 0.9}}, 1200
    state.settings = {"seed": 7}
    state.ended = state.started + timedelta(minutes=3, seconds=5)
    before = write_run_report(run, state, RunStatus.FINISHED, "").read_text()
    assert "(split v1). Validation has 5 rows. A constant guess scores 0.6000 there.\n" in before
    assert "of a constant guess |" not in before
    run.test.mkdir()
    (run.test / "metrics.json").write_text(json.dumps({"split": "test", "constant_guess": 0.25}))
    text = write_run_report(run, state, RunStatus.FINISHED, "").read_text()
    assert "| metric | test (1,200 rows) |" in text
    assert "| AUPRC (the run's metric) | 0.9000 | \n| AUPRC of a constant guess | 0.2500 | \n" in text
    assert f"| Dataset | `{run.record().settings.dataset}` |" in text
    assert f"| Time | {state.started:%Y-%m-%d %H:%M} UTC, 3m05s |" in text


def test_what_costs_nothing_is_free(tmp_path: Path) -> None:
    run, state = finished(tmp_path)
    state.usage.cost_usd, state.usage.unpriced = 0.0, 0
    assert "| Cost | free |" in write_run_report(run, state, RunStatus.FINISHED, "").read_text()
    state.usage.unpriced = 1
    priced = write_run_report(run, state, RunStatus.FINISHED, "").read_text()
    assert "| Cost | 1 call without a known price |" in priced
