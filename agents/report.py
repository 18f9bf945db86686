"""Reports in Markdown, one of each iteration as it ends and one of the run, from the state and the outputs."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from agents.data.workspace import read_facts, read_labels
from agents.errors import UserError
from agents.evaluation.bootstrap import Optimism
from agents.evaluation.guess import CONSTANT_GUESS, guess_score
from agents.figure_words import in_words
from agents.files import write_atomically
from agents.history import outputs_of
from agents.judging import picked_best, scored_on
from agents.outcome import undefined_on_tests
from agents.run_folder import RunFolder
from agents.state import RunState
from agents.templating import markdown
from agents.vocabulary import BUILTIN_MODEL, RunStatus, SplitName, StepName


def write_iteration_report(run: RunFolder, state: RunState, index: int) -> Path:
    """``iterations/NNN/report.md`` of an iteration that ended."""
    iteration = state.iterations[index]
    calls = [call for call in state.tool_calls if call.iteration == index]
    cut = bool(state.earlier_tool_calls and calls and calls[0] is state.tool_calls[0])
    path = run.iteration(index) / "report.md"
    outputs = {step: _shown(run, output) for step, output in outputs_of(run, iteration).items()}
    figures = outputs.get(StepName.PREDICTION_EXPLORATION, {}).get("statistics")
    if figures and state.model == BUILTIN_MODEL:
        outputs[StepName.PREDICTION_EXPLORATION]["statistics"] = in_words(figures)
    write_atomically(
        path, markdown("iteration.md.j2", state=state, iteration=iteration, outputs=outputs, calls=calls, cut=cut)
    )
    return path


def write_run_report(run: RunFolder, state: RunState, status: RunStatus, reason: str) -> Path:
    """``report/report.md`` of a run that ends with ``status``."""
    scored = len(scored_on(state, state.best.split_version)) if state.best else 0
    run.report.mkdir(exist_ok=True)
    path = run.report / "report.md"
    undefined = undefined_on_tests(state)
    text = markdown(
        "run.md.j2",
        state=state,
        status=status,
        reason=reason,
        scored=scored,
        picked=_picked(run, state),
        undefined=undefined,
        own_tests={
            split: times - (state.parent.test_evaluations.get(split, 0) if state.parent else 0)
            for split, times in state.test_evaluations.items()
        },
        guesses=_guesses(run, state),
        dataset=str(run.record().settings.dataset),
        ended=state.ended or state.last_event,
    )
    write_atomically(path, text)
    return path


def _picked(run: RunFolder, state: RunState) -> Optimism | None:
    """What picking the best has added to its score; None where the files that tell it are not there."""
    with suppress(OSError, UserError, ValueError):
        return picked_best(run, state, read_facts(run.data), run.record().settings.seed)
    return None


def _guesses(run: RunFolder, state: RunState) -> dict[str, float]:
    """Split to what a constant guess scores on it, for the splits that the best snapshot was scored on.

    That of a test split was written by the final evaluation: before it, nothing that comes from its labels is anywhere.
    """
    if state.best is None or state.task_type is None:
        return {}
    found: dict[str, float | None] = {}
    split = run.split(state.best.split_version)
    with suppress(OSError, UserError):
        train, labels = (read_labels(split / name)[1] for name in (SplitName.TRAIN, SplitName.VALIDATION))
        n_classes = max(1, len(state.classes))
        found[SplitName.VALIDATION] = guess_score(state.metric, state.task_type, train, labels, n_classes)
    for path in (run.test / "metrics.json", *(run.test / name / "metrics.json" for name in state.test_scores)):
        with suppress(OSError, ValueError):
            told = json.loads(path.read_bytes())
            found[told["split"]] = told.get(CONSTANT_GUESS)
    return {name: value for name, value in found.items() if value is not None}


def _shown(run: RunFolder, value: Any) -> Any:
    """What a step handed over, with paths as a reader of the run's folder sees them."""
    match value:
        case str():
            return run.shown(value)
        case list():
            return [_shown(run, item) for item in value]
        case dict():
            return {key: _shown(run, item) for key, item in value.items()}
        case _:
            return value
