"""Scoring of a candidate on train and validation, by the engine, and keeping it where it is the best.

Inference runs on inputs in a folder where no labels are, with a copy of the very files that are kept; the labels never
leave this process.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.certainty import Certainty, gain_in_words
from agents.clock import utc_now
from agents.context import RunContext
from agents.data.labels import NO_VALUE_FOR_PREDICTIONS, cause_undefined
from agents.data.workspace import read_labels, write_inputs_only
from agents.evaluation.choice import Cost, takes_over
from agents.evaluation.metrics import METRICS
from agents.evaluation.predictions import PredictionError, Predictions
from agents.evaluation.scoring import compute_scores
from agents.events import BestChanged, CandidateCompared, MetricsComputed
from agents.files import digest_of, remove_tree, size_of
from agents.judging import judge, last_seconds, rescore_best
from agents.model_files import INFERENCE, ModelFiles
from agents.scripts import ScriptFailed
from agents.snapshot import (
    SnapshotRecord,
    candidate_place,
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


@dataclass(frozen=True, eq=False)
class _Scored:
    """What inference on one split gave. ``seconds`` is how long it took."""

    values: Scores
    predictions: Predictions
    seconds: float | None


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
        scored = {name: await _score_split(context, index, copy, split[name], name, version) for name in _SCORED}
    if await asyncio.to_thread(staged.digest) != digest:
        where = context.run.relative(staged.root)
        raise StepFailed(f"{where} was changed while it was scored, so nobody knows what the score is of")
    scores = {name: each.values for name, each in scored.items()}
    value = scores[SplitName.VALIDATION].get(metric)
    if value is None or not math.isfinite(value):
        raise StepFailed(await asyncio.to_thread(_why_no_score, context, split[SplitName.VALIDATION]))
    # The engine may have died after it had announced this very candidate.
    announced = state.best is not None and (state.best.iteration, state.best.digest) == (index, digest)
    if not announced:
        await rescore_best(context, version, split)
    best = state.best
    incumbent = best.value if best is not None and best.split_version == version else None
    before = best.previous if best is not None and announced else incumbent
    is_new_best = announced or await _is_to_be_kept(context, index, staged, scored[SplitName.VALIDATION], value)
    if is_new_best and not announced:
        change = BestChanged(
            metric=metric,
            value=value,
            previous=incumbent,
            split_version=version,
            combination=state.iterations[index].combination,
            digest=digest,
        )
        await to_the_end(_keep(context, index, staged, scores, change))
    return ValidationEvaluationOutput(
        summary=_in_words(metric, scores, before, is_new_best, state.iterations[index].certainty),
        metric=metric,
        train=scores[SplitName.TRAIN],
        validation=scores[SplitName.VALIDATION],
        split_version=version,
        is_new_best=is_new_best,
    )


async def _is_to_be_kept(context: RunContext, index: int, staged: ModelFiles, scored: _Scored, value: float) -> bool:
    """Tell how sure the candidate's score is, and whether it takes the place of the best on this split version."""
    state, metric = context.recorder.state, context.dataset.metric
    version = state.split_version
    assert version is not None
    cost = Cost(scored.seconds, await asyncio.to_thread(size_of, staged.artifacts))
    certainty, found = await asyncio.to_thread(judge, context, index, version, scored.predictions, cost)
    context.recorder.emit(
        CandidateCompared(metric=metric, value=value, split_version=version, certainty=certainty), durable=True
    )
    best = state.best
    if best is None or best.split_version != version:
        return True
    of_best = best.certainty or Certainty()
    return takes_over(metric, value, best.value, found, cost, Cost(of_best.seconds, of_best.bytes))


async def _score_split(
    context: RunContext, index: int, model: ModelFiles, folder: Path, name: SplitName, version: int
) -> _Scored:
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
    dataset, seconds = context.dataset, last_seconds(context.recorder.state)
    scores = await asyncio.to_thread(
        compute_scores, dataset.task_type, labels, predictions, max(1, len(dataset.classes))
    )
    context.recorder.emit(
        MetricsComputed(split=name, metric=dataset.metric, values=scores, rows=len(ids), split_version=version),
        durable=True,
    )
    return _Scored(scores, predictions, seconds)


def _why_no_score(context: RunContext, folder: Path) -> str:
    dataset = context.dataset
    _, labels = read_labels(folder)
    cause = cause_undefined(METRICS[dataset.metric], dataset.task_type, labels, dataset.classes)
    return f"no score on validation: {dataset.metric} is not defined: {cause or NO_VALUE_FOR_PREDICTIONS}"


async def _keep(
    context: RunContext, index: int, staged: ModelFiles, scores: Mapping[SplitName, Scores], change: BestChanged
) -> None:
    """Snapshot, then the event: whoever dies in between loses nothing. The snapshots of before stay."""
    run, dataset = context.run, context.dataset
    record = SnapshotRecord(
        run_id=run.run_id,
        iteration=index,
        created=utc_now(),
        dataset=dataset.name,
        combination=change.combination,
        metric=dataset.metric,
        higher_is_better=dataset.higher_is_better,
        split_version=change.split_version,
        train=scores[SplitName.TRAIN],
        validation=scores[SplitName.VALIDATION],
        python=context.environment.python_version,
        model=context.settings.model,
    )
    await asyncio.to_thread(install_snapshot, run, staged, record, dataset, context.environment)
    context.recorder.emit(change, durable=True)


def verify_unchanged(context: RunContext, folder: Path, digest: str) -> None:
    """Raise ``StepFailed`` where somebody changed what the engine wrote: labels that can be edited prove nothing."""
    if digest_of(folder) != digest:
        where = context.run.relative(folder)
        raise StepFailed(f"{where} was changed since the engine wrote it, so nothing can be scored by it")


def _in_words(
    metric: str,
    scores: Mapping[SplitName, Scores],
    incumbent: float | None,
    is_new_best: bool,
    certainty: Certainty | None,
) -> str:
    certainty = certainty or Certainty()
    value = score(scores[SplitName.VALIDATION].get(metric))
    bounds = f" [{certainty.bounds}]" if certainty.bounds else ""
    train = scores[SplitName.TRAIN].get(metric)
    shown = "undefined" if train is None else score(train)
    if incumbent is None:
        verdict = "the first score of this split"
    else:
        verdict = f"{'the new best, before' if is_new_best else 'not taken for better than'} {score(incumbent)}"
        verdict += f"; {gain}" if (gain := gain_in_words(certainty)) else ""
    return f"{metric} {value}{bounds} on validation ({shown} on train): {verdict}."
