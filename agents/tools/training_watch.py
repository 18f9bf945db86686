"""Plain rules that watch a training run through the TRAINING_REPORT lines of its script.

A report is a line such as ``TRAINING_REPORT: {"epoch": 3, "of": 10, "train_loss": 0.41, "validation_loss": 0.48}``.
``epoch`` is required; every other number is a loss or a metric. A name with ``loss`` in it is a loss, and with
``val`` in it one of the validation split. An epoch smaller than the one before begins another training (the next
fold, the next candidate), which is watched afresh. Each rule speaks at most once in a call.
"""

import json
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.excerpt import one_line
from agents.vocabulary import TRAINING_REPORT, WatchRule

DIVERGING_REPORTS: Final = 3
"""Reports in a row: one bad batch is no divergence."""
DIVERGING_SHARE: Final = 0.5
"""Half of what was gained is lost again, or half of the best loss is added where little was gained: noise of
mini-batches stays far below this, a learning rate that is too high passes it at once."""
OVERFITTING_PATIENCE: Final = 5
"""Reports without a better validation loss, the usual patience of early stopping."""
OVERFITTING_SHARE: Final = 0.1
"""The mean of the last three validation losses lies this far above the best one: more than they scatter."""
CONVERGENCE_SHARE: Final = 0.01
"""A loss that has not come down by a hundredth of its first value has learned nothing worth the time."""
CONVERGENCE_REPORTS: Final = 5
"""Fewer reports say nothing about convergence."""
SILENCE_SECONDS: Final = 600.0
"""Ten minutes without one byte: longer than an epoch of most models here, shorter than a person's patience."""

_VALUES: Final = 32
_NAME: Final = 64


class MalformedReport(ValueError):
    """A line that should be a report and is none; the message says why."""


@dataclass(frozen=True)
class TrainingReport:
    """One report. ``values`` may hold NaN and infinities; None is a value that the script left out as null."""

    epoch: float
    of: float | None = None
    values: Mapping[str, float | None] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True)
class Finding:
    """What a rule found, in words for the model and the person."""

    rule: WatchRule
    message: str


def parse_report(line: str) -> TrainingReport | None:
    """The report in a line of output; None where there is none. Raises :class:`MalformedReport`.

    A progress bar may stand before the report. Elsewhere in a line the marker counts only with valid JSON after it,
    so that printed source code is not taken for a report.
    """
    before, marker, after = line.rpartition(TRAINING_REPORT)
    if not marker:
        return None
    begins_the_line = not before.rpartition("\r")[2].strip()
    try:
        fields, _ = json.JSONDecoder().raw_decode(after.strip())
        if not isinstance(fields, dict):
            raise MalformedReport("it is no JSON object")
        return _report(fields)
    except (ValueError, RecursionError) as error:
        if not begins_the_line:
            return None
        if isinstance(error, MalformedReport):
            raise
        raise MalformedReport(f"it is no valid JSON ({error})") from None


def _report(fields: Mapping[str, Any]) -> TrainingReport:
    epoch = _number(fields.get("epoch"))
    if epoch is None or not math.isfinite(epoch):
        raise MalformedReport("it has no number `epoch`")
    of = _number(fields.get("of"))
    values: dict[str, float | None] = {}
    for name, raw in fields.items():
        value = _number(raw)
        if name not in ("epoch", "of", "message") and (value is not None or raw is None) and len(values) < _VALUES:
            values[one_line(name, _NAME)] = value
    if of is not None and not math.isfinite(of):
        of = None
    message = fields.get("message")
    return TrainingReport(epoch, of, values, one_line(message) if isinstance(message, str) else "")


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.lower() not in ("nan", "inf", "-inf", "infinity", "-infinity"):
        return None
    if isinstance(value, int | float | str):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return None


@dataclass
class _Losses:
    """What the rules remember of one training; its size does not grow."""

    reports: int = 0
    first: float | None = None
    best: float = math.inf
    above: int = 0
    """Reports in a row in which the loss was far above its best."""
    pairs: int = 0
    """Reports that gave both a train and a validation loss."""
    best_validation: float = math.inf
    best_pair: int = 0
    train_at_best: float = math.inf
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=3))


class TrainingWatch:
    """The rules over the reports of one call."""

    def __init__(self) -> None:
        self._losses = _Losses()
        self._epoch = -math.inf
        self._spoken: set[WatchRule] = set()

    def report(self, report: TrainingReport) -> list[Finding]:
        """Take the next report; gives what it newly shows."""
        found: list[Finding | None] = []
        if report.epoch < self._epoch:
            found.append(self._not_converging())
            self._losses = _Losses()
        self._epoch = report.epoch
        train, validation = _loss(report.values, validation=False), _loss(report.values, validation=True)
        found.append(_not_finite(report))
        learned = train if train is not None else validation
        if learned is not None and math.isfinite(learned):
            found.append(self._diverging(learned, report.epoch))
            if report.of is not None and report.epoch >= report.of / 2 and self._losses.reports >= 10:
                found.append(self._not_converging())
        if train is not None and validation is not None and math.isfinite(train) and math.isfinite(validation):
            found.append(self._overfitting(train, validation, report.epoch))
        return self._new(found)

    def finish(self) -> list[Finding]:
        """The output has ended; gives what only the whole of it shows."""
        return self._new([self._not_converging()])

    def silence(self, seconds: float) -> list[Finding]:
        """Nothing at all was printed for ``seconds``."""
        return self._new([Finding("silent", f"nothing was printed for {seconds / 60:.0f} minutes")])

    def _new(self, found: list[Finding | None]) -> list[Finding]:
        new = []
        for finding in found:
            if finding is not None and finding.rule not in self._spoken:
                self._spoken.add(finding.rule)
                new.append(finding)
        return new

    def _diverging(self, loss: float, epoch: float) -> Finding | None:
        seen = self._losses
        seen.reports += 1
        seen.first = loss if seen.first is None else seen.first
        seen.best = min(seen.best, loss)
        gained, size = seen.first - seen.best, abs(seen.best)
        seen.above = seen.above + 1 if loss > seen.best + DIVERGING_SHARE * max(gained, size) else 0
        if seen.above < DIVERGING_REPORTS:
            return None
        return Finding("diverging", f"the loss went up from {seen.best:.4g} to {loss:.4g} by epoch {epoch:g}")

    def _overfitting(self, train: float, validation: float, epoch: float) -> Finding | None:
        seen = self._losses
        seen.pairs += 1
        seen.recent.append(validation)
        if validation < seen.best_validation:
            seen.best_validation, seen.best_pair, seen.train_at_best = validation, seen.pairs, train
        mean = sum(seen.recent) / len(seen.recent)
        if (
            seen.pairs - seen.best_pair < OVERFITTING_PATIENCE
            or train >= seen.train_at_best
            or mean <= seen.best_validation + OVERFITTING_SHARE * abs(seen.best_validation)
        ):
            return None
        return Finding(
            "overfitting",
            f"by epoch {epoch:g} the validation loss rose from its best {seen.best_validation:.4g} to {mean:.4g} "
            f"while the train loss fell to {train:.4g}; stop earlier or regularise",
        )

    def _not_converging(self) -> Finding | None:
        seen = self._losses
        if seen.reports < CONVERGENCE_REPORTS or seen.first is None:
            return None
        if seen.first - seen.best >= CONVERGENCE_SHARE * abs(seen.first) and seen.best < seen.first:
            return None
        return Finding(
            "not_converging",
            f"in {seen.reports} reports the loss came down only from {seen.first:.4g} to {seen.best:.4g}; "
            "it learned next to nothing, or had converged before the first report",
        )


def _not_finite(report: TrainingReport) -> Finding | None:
    for name, value in report.values.items():
        if "loss" in name.lower() and value is not None and not math.isfinite(value):
            return Finding("not_finite", f"{name} is {value} at epoch {report.epoch:g}; training on is pointless")
    return None


def _loss(values: Mapping[str, float | None], *, validation: bool) -> float | None:
    """The first loss of the wanted split that has a value; losses of a test split are nobody's business here."""
    for name, value in values.items():
        lower = name.lower()
        if value is not None and "loss" in lower and "test" not in lower and ("val" in lower) == validation:
            return value
    return None
