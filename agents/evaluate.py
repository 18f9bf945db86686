"""Scoring of a candidate on train and validation, by the engine, and keeping it where it is the best.

Inference runs on inputs in a folder where no labels are, with a copy of the very files that are kept; the labels never
leave this process.
"""

import asyncio
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from agents.clock import utc_now
from agents.context import RunContext
from agents.data.labels import NO_VALUE_FOR_PREDICTIONS, cause_undefined
from agents.data.workspace import read_labels, write_inputs_only
from agents.evaluation.metrics import METRICS, is_better
from agents.evaluation.predictions import PredictionError
from agents.evaluation.scoring import compute_scores
from agents.events import BestChanged, MetricsComputed
from agents.files import digest_of, remove_tree
from agents.model_files import INFERENCE, ModelFiles
from agents.scripts import ScriptFailed
from agents.snapshot import (
    SnapshotRecord,
    candidate_place,
    drop_superseded,
    drop_unannounced,
    install_snapshot,
    stage_candidate,
)
from agents.steps.agent import StepFailed
from agents.steps.outputs import ValidationEvaluationOutput
from agents.tasks import to_the_end
from agents.vocabulary import SplitName, StepName
from agents.wording import counted, score

Scores = dict[str, float | None]
_SCORED: Final = (SplitName.TRAIN, SplitName.VALIDATION)


async def evaluate_candidate(
    context: RunContext, index: int, split: Mapping[SplitName, Path]
) -> ValidationEvaluationOutput:
    """Score iteration ``index`` on train and validation and keep it when it is the best.

    Raises ``StepFailed`` where it cannot be scored, or where its score is no number. A candidate that is not the best
    leaves no folder.
    """
    try:
        staged = await to_the_end(asyncio.to_thread(_stage, context, index))
        return await _evaluate_staged(context, index, split, staged)
    except (ScriptFailed, PredictionError) as error:
        raise StepFailed(f"{INFERENCE} could not be scored: {error}") from None
    finally:
        remove_tree(candidate_place(context.run, index))


def _stage(context: RunContext, index: int) -> ModelFiles:
    best = context.recorder.state.best
    if best is None or best.iteration != index:
        drop_unannounced(context.run, index)
    return stage_candidate(context.run, index)


async def _evaluate_staged(
    context: RunContext, index: int, split: Mapping[SplitName, Path], staged: ModelFiles
) -> ValidationEvaluationOutput:
    state, metric = context.recorder.state, context.dataset.metric
    version = state.split_version
    assert version is not None
    with context.scripts.scratch() as scratch:
        copy = await asyncio.to_thread(staged.copy_to, scratch / "model")
        digest = await asyncio.to_thread(copy.digest)
        scores = {name: await _score_split(context, index, copy, split[name], name, version) for name in _SCORED}
    if await asyncio.to_thread(staged.digest) != digest:
        where = context.run.relative(staged.root)
        raise StepFailed(f"{where} was changed while it was scored, so nobody knows what the score is of")
    value = scores[SplitName.VALIDATION].get(metric)
    if value is None or not math.isfinite(value):
        raise StepFailed(await asyncio.to_thread(_why_no_score, context, split[SplitName.VALIDATION]))
    best = state.best
    incumbent = best.value if best is not None and best.split_version == version else None
    # The engine may have died after it had announced this very candidate.
    announced = best is not None and (best.iteration, best.digest) == (index, digest)
    before = best.previous if best is not None and announced else incumbent
    if is_new_best := announced or is_better(METRICS[metric], value, incumbent):
        change = BestChanged(
            metric=metric,
            value=value,
            previous=incumbent,
            split_version=version,
            combination=state.iterations[index].combination,
            digest=digest,
        )
        await to_the_end(_keep(context, index, staged, scores, None if announced else change))
    return ValidationEvaluationOutput(
        summary=_in_words(metric, scores, before, is_new_best),
        metric=metric,
        train=scores[SplitName.TRAIN],
        validation=scores[SplitName.VALIDATION],
        split_version=version,
        is_new_best=is_new_best,
    )


async def _score_split(
    context: RunContext, index: int, model: ModelFiles, folder: Path, name: SplitName, version: int
) -> Scores:
    await asyncio.to_thread(verify_unchanged, context, folder, context.recorder.state.split_digests[version][name])
    ids, labels = await asyncio.to_thread(read_labels, folder)
    with context.scripts.scratch() as scratch:
        await asyncio.to_thread(write_inputs_only, folder, scratch / "input")
        predictions = await context.scripts.predict(
            model,
            scratch / "input",
            ids,
            title=f"predict {name} ({counted(len(ids), 'row')}) for scoring",
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


def _why_no_score(context: RunContext, folder: Path) -> str:
    dataset = context.dataset
    _, labels = read_labels(folder)
    cause = cause_undefined(METRICS[dataset.metric], dataset.task_type, labels, dataset.classes)
    return f"no score on validation: {dataset.metric} is not defined: {cause or NO_VALUE_FOR_PREDICTIONS}"


async def _keep(
    context: RunContext, index: int, staged: ModelFiles, scores: Mapping[SplitName, Scores], change: BestChanged | None
) -> None:
    """Snapshot, then the event, then what it supersedes: whoever dies in between loses nothing."""
    run, dataset, state = context.run, context.dataset, context.recorder.state
    version = state.split_version
    assert version is not None
    if change is not None:
        record = SnapshotRecord(
            run_id=run.run_id,
            iteration=index,
            created=utc_now(),
            dataset=dataset.name,
            combination=change.combination,
            metric=dataset.metric,
            higher_is_better=dataset.higher_is_better,
            split_version=version,
            train=scores[SplitName.TRAIN],
            validation=scores[SplitName.VALIDATION],
            python=context.environment.python_version,
            model=context.settings.model,
        )
        await asyncio.to_thread(install_snapshot, run, staged, record, dataset, context.environment)
        context.recorder.emit(change, durable=True)
    await asyncio.to_thread(drop_superseded, run, index, version)


def verify_unchanged(context: RunContext, folder: Path, digest: str) -> None:
    """Raise ``StepFailed`` where somebody changed what the engine wrote: labels that can be edited prove nothing."""
    if digest_of(folder) != digest:
        where = context.run.relative(folder)
        raise StepFailed(f"{where} was changed since the engine wrote it, so nothing can be scored by it")


def _in_words(metric: str, scores: Mapping[SplitName, Scores], incumbent: float | None, is_new_best: bool) -> str:
    def shown(value: float | None) -> str:
        return "undefined" if value is None else score(value)

    value = shown(scores[SplitName.VALIDATION].get(metric))
    train = shown(scores[SplitName.TRAIN].get(metric))
    if incumbent is None:
        verdict = "the first score of this split" if is_new_best else "not valid as a score"
    else:
        verdict = f"{'the new best, before' if is_new_best else 'not better than'} {shown(incumbent)}"
    return f"{metric} {value} on validation ({train} on train): {verdict}."
