"""How sure a candidate's score is, whether it is a gain over the best so far, and what the best scores on a new split.

Two candidates are compared on validation rows that neither was trained on. Within a split version these are all; where
the best was trained on an older version, rows that moved from its training split to the new validation split would
flatter it. Both were picked or tuned by looking at validation rows, and no bootstrap takes that out.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.certainty import Certainty
from agents.context import RunContext
from agents.data.workspace import DatasetFacts, read_groups, read_labels, write_inputs_only
from agents.errors import UserError, words_of
from agents.evaluation.bootstrap import Comparison, Interval, Optimism, compare, interval, optimism
from agents.evaluation.choice import Cost
from agents.evaluation.predictions import PredictionError, Predictions, read_predictions
from agents.evaluation.scoring import compute_scores
from agents.evaluation.weighted import Rows
from agents.events import BestRescored
from agents.files import digest_of
from agents.run_folder import RunFolder
from agents.scripts import ScriptFailed
from agents.snapshot import Snapshot
from agents.state import BestState, RunState
from agents.vocabulary import Gain, SplitName, StepName
from agents.wording import counted, first_line


def predictions_file(run: RunFolder, state: RunState, iteration: int, version: int) -> Path:
    """Where a candidate's predictions on the validation split of a version lie; only its own version is not named."""
    own = state.iterations[iteration].split_version == version
    name = "validation_predictions.csv" if own else f"validation_predictions_v{version}.csv"
    return run.step(iteration, StepName.VALIDATION_EVALUATION) / name


def scored_on(state: RunState, version: int) -> list[int]:
    """The candidates that have a validation score on a split version, the best that was scored on it again too."""
    best = state.best
    return [
        each.index
        for each in state.iterations
        if (each.split_version == version and each.score(SplitName.VALIDATION, state.metric) is not None)
        or (best is not None and best.iteration == each.index and best.split_version == version)
    ]


@dataclass(frozen=True, eq=False)
class _Validation:
    """The validation split of one version, with its labels."""

    ids: list[str]
    rows: Rows

    @classmethod
    def read(cls, run: RunFolder, version: int, dataset: DatasetFacts) -> "_Validation":
        folder = run.split(version) / SplitName.VALIDATION
        ids, labels = read_labels(folder)
        group_of = read_groups(folder)
        groups = None
        if group_of is not None and all(identity in group_of for identity in ids):
            groups = np.unique([group_of[identity] for identity in ids], return_inverse=True)[1]
        return cls(ids, Rows(dataset.task_type, labels, max(1, len(dataset.classes)), groups))

    def unseen(self, run: RunFolder, trained_on: int | None, version: int) -> NDArray[np.bool_]:
        """Which of the rows a model that was trained on another split version has not been trained on."""
        if trained_on is None or trained_on == version:
            return np.ones(len(self.ids), dtype=bool)
        seen = set(read_labels(run.split(trained_on) / SplitName.TRAIN)[0])
        return np.array([identity not in seen for identity in self.ids])

    def predictions(self, path: Path) -> Predictions:
        return read_predictions(path, self.ids, self.rows.task_type, self.rows.n_classes)


def _part(rows: Rows, kept: NDArray[np.bool_]) -> Rows:
    groups = None if rows.groups is None else rows.groups[kept]
    return Rows(rows.task_type, rows.truth[kept], rows.n_classes, groups)


def _part_of(predictions: Predictions, kept: NDArray[np.bool_]) -> Predictions:
    probabilities = None if predictions.probabilities is None else predictions.probabilities[kept]
    return Predictions(predictions.values[kept], probabilities)


# --- a candidate -----------------------------------------------------------------------------------------------------


def judge(
    context: RunContext, index: int, version: int, predictions: Predictions, cost: Cost
) -> tuple[Certainty, Comparison | None]:
    """How sure the score of candidate ``index`` on the validation split is, and how it compares with the best on it."""
    run, state, dataset = context.run, context.recorder.state, context.dataset
    validation = _Validation.read(run, version, dataset)
    seed = context.settings.seed
    bounds = interval(dataset.metric, validation.rows, predictions, seed)
    compared = len(set(scored_on(state, version)) | {index})
    best = state.best
    known = Certainty(
        low=bounds.low,
        high=bounds.high,
        unsure=bounds.reason,
        compared=compared,
        seconds=cost.seconds,
        bytes=cost.bytes,
    )
    if best is None or best.split_version != version or best.iteration == index:
        return known, None
    kept = validation.unseen(run, state.iterations[best.iteration].split_version, version)
    rows = _part(validation.rows, kept)
    try:
        of_best = _part_of(validation.predictions(predictions_file(run, state, best.iteration, version)), kept)
        _demand_score(rows, of_best, best)
    except (PredictionError, UserError, OSError, ValueError) as error:
        problem = first_line(words_of(error))
        why = f"the predictions of iteration {best.iteration} are not there as they were scored: {problem}"
        found = Comparison(None, Interval(reason=why), None, Gain.UNKNOWN, len(rows))
    else:
        planned = max(context.settings.iterations, compared) - 1
        found = compare(dataset.metric, rows, _part_of(predictions, kept), of_best, planned, seed)
    certainty = replace(
        known,
        against=best.iteration,
        verdict=found.verdict,
        difference=found.difference,
        difference_low=found.interval.low,
        difference_high=found.interval.high,
        chance=found.chance,
        rows=found.rows,
        why=found.interval.reason if found.verdict is Gain.UNKNOWN else "",
    )
    return certainty, found


def _demand_score(rows: Rows, predictions: Predictions, best: BestState) -> None:
    """Raise :class:`ValueError` where the predictions do not have the score that the journal holds of them."""
    value = compute_scores(rows.task_type, rows.truth, predictions, rows.n_classes)[best.metric]
    if value is None or not math.isclose(value, best.value, rel_tol=1e-9, abs_tol=1e-12):
        raise ValueError("their score is another one")


# --- the best on a new split -----------------------------------------------------------------------------------------


async def rescore_best(context: RunContext, version: int, split: Mapping[SplitName, Path]) -> None:
    """Score the best, which was scored on an older split version, on the rows of this one that are new to it.

    Its snapshot stays what it is. Where it cannot be scored the reason is told, and the new comparison begins without
    it.
    """
    recorder = context.recorder
    best = recorder.state.best
    if best is None or best.split_version == version:
        return
    try:
        event = await _rescored(context, best, version, split[SplitName.VALIDATION])
    except (ScriptFailed, PredictionError, UserError, _NotComparable) as error:
        event = BestRescored(
            of=best.iteration,
            metric=best.metric,
            split_version=version,
            reason=context.run.shown(first_line(words_of(error))),
        )
    recorder.emit(event, durable=True)


class _NotComparable(Exception):
    """The best has no score on the new split that could be compared; the message says why."""


async def _rescored(context: RunContext, best: BestState, version: int, folder: Path) -> BestRescored:
    run, state, dataset = context.run, context.recorder.state, context.dataset
    validation = await asyncio.to_thread(_Validation.read, run, version, dataset)
    trained_on = state.iterations[best.iteration].split_version
    kept = await asyncio.to_thread(validation.unseen, run, trained_on, version)
    if not kept.any():
        raise _NotComparable("it was trained on every row of the new validation split")
    if trained_on is not None:
        trained = run.split(trained_on) / SplitName.TRAIN
        if await asyncio.to_thread(digest_of, trained) != state.split_digests[trained_on][SplitName.TRAIN]:
            raise _NotComparable(f"{run.relative(trained)} was changed, so nobody knows which rows are new to it")
    snapshot = Snapshot(run.snapshot(best.iteration))
    if not snapshot.root.is_dir():
        raise _NotComparable("its snapshot is not there any more")
    path = predictions_file(run, state, best.iteration, version)
    path.unlink(missing_ok=True)  # left by an engine that died before it could tell of them
    with context.scripts.scratch() as scratch:
        copy = Snapshot((await asyncio.to_thread(snapshot.copy_to, scratch / "model")).root)
        await asyncio.to_thread(copy.verify, best.digest)
        await asyncio.to_thread(write_inputs_only, folder, scratch / "input")
        title = f"predict validation of split v{version} ({counted(len(kept), 'row')}) with the best so far"
        predictions = await context.scripts.predict(copy, scratch / "input", validation.ids, title=title, keep=path)
    path.chmod(0o444)
    rows, part = _part(validation.rows, kept), _part_of(predictions, kept)
    scores = await asyncio.to_thread(compute_scores, rows.task_type, rows.truth, part, rows.n_classes)
    value = scores[dataset.metric]
    if value is None:
        raise _NotComparable(f"{dataset.metric} is undefined on the {counted(len(rows), 'row')} that are new to it")
    bounds = await asyncio.to_thread(interval, dataset.metric, rows, part, context.settings.seed)
    before = best.certainty or Certainty()
    return BestRescored(
        of=best.iteration,
        metric=dataset.metric,
        split_version=version,
        value=value,
        rows=len(rows),
        certainty=Certainty(
            low=bounds.low,
            high=bounds.high,
            unsure=bounds.reason,
            seconds=last_seconds(state),
            bytes=before.bytes,
            rows=len(rows),
        ),
    )


def last_seconds(state: RunState) -> float | None:
    """How long the call took that ended last."""
    return state.tool_calls[-1].seconds if state.tool_calls else None


# --- all candidates --------------------------------------------------------------------------------------------------


def picked_best(run: RunFolder, state: RunState, dataset: DatasetFacts, seed: int) -> Optimism | None:
    """What picking the best of all candidates of its split version is expected to add to its score; None: unknown."""
    best = state.best
    if best is None:
        return None
    version = best.split_version
    validation = _Validation.read(run, version, dataset)
    kept = validation.unseen(run, state.iterations[best.iteration].split_version, version)
    candidates = []
    for index in scored_on(state, version):
        try:
            predictions = validation.predictions(predictions_file(run, state, index, version))
        except (PredictionError, OSError):
            continue
        candidates.append(_part_of(predictions, kept))
    return optimism(best.metric, _part(validation.rows, kept), candidates, seed)
