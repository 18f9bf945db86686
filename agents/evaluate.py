"""Scoring by the engine: of a candidate on train and validation, of the snapshot on the hidden test splits.

Inference always runs on inputs in a folder where no labels are; the labels never leave this process.
"""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agents.clock import utc_now
from agents.context import RunContext
from agents.data.dataset import Dataset, load_dataset
from agents.data.workspace import read_labels, write_inputs_only, write_test_inputs
from agents.errors import UserError
from agents.evaluation.metrics import METRICS, is_better
from agents.evaluation.predictions import PredictionError
from agents.evaluation.scoring import compute_scores
from agents.events import BestChanged, MetricsComputed
from agents.files import digest_of, write_json
from agents.scripts import INFERENCE, ScriptFailed
from agents.snapshot import (
    Snapshot,
    SnapshotRecord,
    add_test_scores,
    drop_superseded,
    open_snapshot,
    take_snapshot,
)
from agents.steps.agent import StepFailed
from agents.steps.checks import ARTIFACTS
from agents.steps.outputs import ValidationEvaluationOutput
from agents.tasks import to_the_end
from agents.vocabulary import SplitName, StepName

Scores = dict[str, float | None]
_SCORED: Final = (SplitName.TRAIN, SplitName.VALIDATION)


class TestNotScored(Exception):
    """There is no test score; the message says why. The snapshot stays what it is."""

    __test__ = False  # no test case, whatever its name


async def evaluate_candidate(
    context: RunContext, index: int, split: Mapping[SplitName, Path]
) -> ValidationEvaluationOutput:
    """Score iteration ``index`` on train and validation and keep it when it is the best; raises ``StepFailed``."""
    state, dataset = context.recorder.state, context.dataset
    version = state.split_version
    assert version is not None
    try:
        scores = {name: await _score_split(context, index, split[name], name, version) for name in _SCORED}
    except (ScriptFailed, PredictionError) as error:
        raise StepFailed(f"{INFERENCE} could not be scored: {error}") from None
    value = scores[SplitName.VALIDATION].get(dataset.metric)
    best = state.best
    incumbent = best.value if best is not None and best.split_version == version else None
    is_new_best = is_better(METRICS[dataset.metric], value, incumbent)
    if is_new_best and value is not None:
        change = BestChanged(
            metric=dataset.metric,
            value=value,
            previous=incumbent,
            split_version=version,
            combination=state.iterations[index].combination,
        )
        await to_the_end(_keep(context, index, scores, change))
    return ValidationEvaluationOutput(
        summary=_in_words(dataset.metric, scores, incumbent, is_new_best),
        metric=dataset.metric,
        train=scores[SplitName.TRAIN],
        validation=scores[SplitName.VALIDATION],
        split_version=version,
        is_new_best=is_new_best,
    )


async def _score_split(context: RunContext, index: int, folder: Path, name: SplitName, version: int) -> Scores:
    await asyncio.to_thread(verify_unchanged, context, folder, context.recorder.state.split_digests[version][name])
    ids, labels = await asyncio.to_thread(read_labels, folder)
    with context.scripts.scratch() as scratch:
        await asyncio.to_thread(write_inputs_only, folder, scratch / "input")
        predictions = await context.scripts.predict(
            context.run.step(index, StepName.MODEL_INFERENCE) / INFERENCE,
            scratch / "input",
            context.run.step(index, StepName.MODEL_TRAINING) / ARTIFACTS,
            ids,
            title=f"predict {name} ({len(ids):,} rows) for scoring",
            keep=context.run.step(index, StepName.VALIDATION_EVALUATION) / f"{name}_predictions.csv",
        )
    dataset = context.dataset
    scores = await asyncio.to_thread(
        compute_scores, dataset.task_type, labels, predictions, max(1, len(dataset.classes))
    )
    context.recorder.emit(
        MetricsComputed(split=name, metric=dataset.metric, values=scores, rows=len(ids), split_version=version),
        durable=True,
    )
    return scores


async def _keep(context: RunContext, index: int, scores: Mapping[SplitName, Scores], change: BestChanged) -> None:
    """Snapshot, then the event, then what it supersedes: whoever dies in between loses nothing."""
    dataset = context.dataset
    record = SnapshotRecord(
        run_id=context.run.run_id,
        iteration=index,
        created=utc_now(),
        dataset=dataset.name,
        combination=context.recorder.state.iterations[index].combination,
        metric=dataset.metric,
        higher_is_better=dataset.higher_is_better,
        split_version=change.split_version,
        train=scores[SplitName.TRAIN],
        validation=scores[SplitName.VALIDATION],
        python=context.environment.python_version,
        model=context.settings.model,
    )
    await asyncio.to_thread(take_snapshot, context.run, record, dataset, context.environment)
    context.recorder.emit(change, durable=True)
    await asyncio.to_thread(drop_superseded, context.run, index, change.split_version)


def verify_unchanged(context: RunContext, folder: Path, digest: str) -> None:
    """Raise ``StepFailed`` where somebody changed what the engine wrote: labels that can be edited prove nothing."""
    if digest_of(folder) != digest:
        where = context.run.relative(folder)
        raise StepFailed(f"{where} was changed since the engine wrote it, so nothing can be scored by it")


def _in_words(metric: str, scores: Mapping[SplitName, Scores], incumbent: float | None, is_new_best: bool) -> str:
    def shown(value: float | None) -> str:
        return "undefined" if value is None else f"{value:.4f}"

    value = shown(scores[SplitName.VALIDATION].get(metric))
    train = shown(scores[SplitName.TRAIN].get(metric))
    if incumbent is None:
        verdict = "the first score of this split" if is_new_best else "not valid as a score"
    else:
        verdict = f"{'the new best, before' if is_new_best else 'not better than'} {shown(incumbent)}"
    return f"{metric} {value} on validation ({train} on train): {verdict}."


# --- the hidden test splits ------------------------------------------------------------------------------------------


async def evaluate_on_tests(context: RunContext) -> dict[str, Scores]:
    """Score the best snapshot on every test split; raises :class:`TestNotScored`.

    The dataset is read again from where the person keeps it: until now no test row was anywhere in the run.
    """
    dataset = await asyncio.to_thread(_same_dataset, context)
    tests = dataset.tests
    if not tests:
        raise TestNotScored("the dataset brings no test split")
    snapshot = open_snapshot(context.run)
    scores: dict[str, Scores] = {}
    for name in tests:
        folder = context.run.test / name if len(tests) > 1 else context.run.test
        try:
            scores[name] = await _score_test(context, snapshot, dataset, name, folder)
        except (ScriptFailed, PredictionError) as error:
            raise TestNotScored(f"test split {name}: {error}") from None
    await asyncio.to_thread(add_test_scores, snapshot, scores)
    return scores


async def _score_test(context: RunContext, snapshot: Snapshot, dataset: Dataset, name: str, folder: Path) -> Scores:
    facts = context.dataset
    split = dataset.splits[name]
    folder.mkdir(parents=True, exist_ok=True)
    with context.scripts.scratch() as scratch:
        # A copy of the snapshot in a place of its own: nothing of the run is within its reach by a relative path.
        shutil.copytree(snapshot.root.resolve(), scratch / "snapshot")
        copy = Snapshot(scratch / "snapshot")
        await asyncio.to_thread(write_test_inputs, dataset, name, scratch / "input")
        predictions = await context.scripts.predict(
            copy.inference_script,
            scratch / "input",
            copy.artifacts,
            split.ids,
            title=f"final evaluation: predict {name} ({len(split.ids):,} rows)",
            keep=folder / "predictions.csv",
        )
    scores = await asyncio.to_thread(
        compute_scores, facts.task_type, split.labels, predictions, max(1, len(facts.classes))
    )
    write_json(folder / "metrics.json", {"split": name, "rows": len(split.ids), "metric": facts.metric, **scores})
    context.recorder.emit(
        MetricsComputed(split=name, is_test=True, metric=facts.metric, values=scores, rows=len(split.ids)),
        durable=True,
    )
    return scores


def _same_dataset(context: RunContext) -> Dataset:
    settings = context.settings
    try:
        dataset = load_dataset(settings.dataset, settings.label_column, settings.metric)
    except UserError as error:
        raise TestNotScored(f"the dataset cannot be read any more: {error}") from None
    if dataset.fingerprint != context.recorder.state.fingerprint:
        raise TestNotScored(f"{settings.dataset} has changed since the run started, so its test split proves nothing")
    return dataset
