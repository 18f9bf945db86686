"""The final evaluation: the best snapshot on the hidden test splits, by the engine, after the last iteration."""

import asyncio
from typing import Final

from agents.context import RunContext
from agents.data.dataset import Dataset, load_dataset
from agents.data.labels import NO_VALUE_FOR_PREDICTIONS, cause_undefined
from agents.data.layout import TRAIN
from agents.data.workspace import DatasetFacts, facts_of, read_labels, write_test_inputs
from agents.errors import UserError
from agents.evaluation.guess import CONSTANT_GUESS, guess_score
from agents.evaluation.metrics import METRICS
from agents.evaluation.predictions import PredictionError
from agents.evaluation.scoring import compute_scores
from agents.events import MetricsComputed
from agents.files import write_json
from agents.scripts import ScriptFailed
from agents.snapshot import Snapshot, add_test_scores, open_snapshot
from agents.tasks import to_the_end
from agents.wording import counted

Scores = dict[str, float | None]
_MEANING: Final = (
    "task_type",
    "metric",
    "classes",
    "input_columns",
    "renamed",
    "id_column",
    "is_table",
    "fasta_ids",
    "fasta_file",
)
"""The facts by which inputs are written and predictions judged; the others only describe the data."""


class TestNotScored(Exception):
    """There can be no test score of this dataset; the message says why. The snapshot stays what it is."""

    __test__ = False  # no test case, whatever its name


class SnapshotNotUsable(Exception):
    """The snapshot's script fails on the inputs of a test split or predicts what is not valid; the message says how."""


async def evaluate_on_tests(context: RunContext) -> dict[str, Scores]:
    """Score the best snapshot on every test split.

    The dataset is read again from where the person keeps it: until now no test row was anywhere in the run. Raises
    :class:`TestNotScored`, :class:`SnapshotNotUsable`, and :class:`UserError` where the dataset is gone or the snapshot
    is not what was scored.
    """
    dataset = await asyncio.to_thread(_same_dataset, context)
    tests = dataset.tests
    if not tests:
        raise TestNotScored("the dataset brings no test split")
    snapshot = await asyncio.to_thread(open_snapshot, context.run)
    scores: dict[str, Scores] = {}
    for name in tests:
        try:
            scored = await _score_test(context, snapshot, dataset, name)
        except (ScriptFailed, PredictionError) as error:
            raise SnapshotNotUsable(f"test split {name}: {error}") from None
        scores[name] = scored.values
        # The journal comes last: what it does not tell is done again when the run is taken up.
        await to_the_end(asyncio.to_thread(add_test_scores, snapshot, scores, dataset.test_findings))
        context.recorder.emit(scored, durable=True)
    return scores


async def _score_test(context: RunContext, snapshot: Snapshot, dataset: Dataset, name: str) -> MetricsComputed:
    """The event that tells the scores on one test split."""
    facts, best = context.dataset, context.recorder.state.best
    assert best is not None
    split = dataset.splits[name]
    folder = context.run.test / name if len(dataset.tests) > 1 else context.run.test
    folder.mkdir(parents=True, exist_ok=True)
    with context.scripts.scratch() as scratch:
        # A copy in a place of its own: nothing of the run is within its reach by a relative path.
        copy = Snapshot((await asyncio.to_thread(snapshot.copy_to, scratch / "model")).root)
        await asyncio.to_thread(copy.verify, best.digest)
        await asyncio.to_thread(write_test_inputs, dataset, name, scratch / "input")
        predictions = await context.scripts.predict(
            copy,
            scratch / "input",
            split.ids,
            title=f"final evaluation: predict {name} ({counted(len(split.ids), 'row')})",
            keep=folder / "predictions.csv",
        )
    scores = await asyncio.to_thread(
        compute_scores, facts.task_type, split.labels, predictions, max(1, len(facts.classes))
    )
    _, train = await asyncio.to_thread(read_labels, context.run.split(best.split_version) / TRAIN)
    guess = guess_score(facts.metric, facts.task_type, train, split.labels, max(1, len(facts.classes)))
    told = {"split": name, "rows": len(split.ids), "metric": facts.metric, CONSTANT_GUESS: guess}
    write_json(folder / "metrics.json", told | scores)
    undefined = ""
    if scores.get(facts.metric) is None:
        cause = cause_undefined(METRICS[facts.metric], facts.task_type, split.labels, facts.classes)
        undefined = cause or NO_VALUE_FOR_PREDICTIONS
    return MetricsComputed(
        split=name, is_test=True, metric=facts.metric, values=scores, rows=len(split.ids), undefined=undefined
    )


def _same_dataset(context: RunContext) -> Dataset:
    """The dataset, read again; raises :class:`TestNotScored` where it is not what the run started with.

    Raises :class:`UserError` where it is not to be had now; it may come back.
    """
    settings = context.settings
    try:
        dataset = load_dataset(settings.dataset, settings.label_column, settings.metric)
    except UserError as error:
        raise UserError(f"the dataset cannot be read any more: {error}") from None
    if differs := _difference(context, dataset):
        raise TestNotScored(
            f"{settings.dataset} has changed since the run started ({differs}), so its test split proves nothing"
        )
    return dataset


def _difference(context: RunContext, dataset: Dataset) -> str:
    """What differs between the dataset at the start and now, in words; empty where nothing does."""
    then = context.recorder.state.fingerprint
    files = sorted(name for name in {*then, *dataset.fingerprint} if then.get(name) != dataset.fingerprint.get(name))
    if files:
        return f"files of {', '.join(files)}"
    meaning = _changed_meaning(context.dataset, facts_of(dataset))
    if meaning:
        return meaning
    # Another label column may well have the same classes.
    _, labels = read_labels(context.run.data / TRAIN)
    return "" if labels.tolist() == dataset.train.labels.tolist() else "the labels that metadata.json names"


def _changed_meaning(before: DatasetFacts, after: DatasetFacts) -> str:
    for name in _MEANING:
        then, now = (getattr(facts, name) for facts in (before, after))
        if then != now:
            return f"{name.replace('_', ' ')}: {_brief(then)} became {_brief(now)}"
    return ""


def _brief(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
