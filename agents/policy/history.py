"""What earlier iterations tried and how it went, as planning needs it."""

from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from agents.evaluation.metrics import METRICS
from agents.policy.carried import tried_candidate
from agents.recipes.catalogue import Candidate, InputProfile
from agents.steps.facts import IterationFacts, StepFacts, TaskFacts
from agents.vocabulary import IterationMode, IterationStatus, StepName

NOISE: Final = 0.005
"""A smaller difference of scores on validation is not taken for a gain; for errors, a share of the error."""

SATURATED: Final = 0.1
"""Share of validation's distance from perfect below which train has nothing left to fit."""


@dataclass(frozen=True)
class Trial:
    """One earlier iteration with the candidate that it was about."""

    iteration: int
    mode: IterationMode | None
    candidate: Candidate
    train: float | None
    score: float | None
    """On validation; None where it failed, was skipped or was scored on another split version."""
    failure: str
    """Why there is no result; empty where there is one."""
    seconds: float | None
    statistics: dict[str, Any]
    """Of its prediction exploration."""

    @property
    def combination(self) -> str:
        return self.candidate.combination


@dataclass(frozen=True)
class Trials:
    """All trials in their order, with the task's metric to compare them by."""

    task: TaskFacts
    all: tuple[Trial, ...]

    @property
    def scored(self) -> tuple[Trial, ...]:
        """Trials with a comparable score, best first; of equal ones the earlier."""
        scored = [trial for trial in self.all if trial.score is not None]
        return tuple(sorted(scored, key=lambda trial: self.cost(trial.score)))

    @property
    def best(self) -> Trial | None:
        return next(iter(self.scored), None)

    @property
    def incumbent(self) -> Trial | None:
        """The best by evidence: a later trial takes its place only where it is better by more than noise."""
        kept: Trial | None = None
        for trial in self.all:
            better = kept is not None and self.gain(trial.score, kept.score) > NOISE
            if trial.score is not None and (kept is None or better):
                kept = trial
        return kept

    @property
    def by_evidence(self) -> tuple[Trial, ...]:
        """The incumbent, then the others with a score, best first."""
        kept = self.incumbent
        return (kept, *(trial for trial in self.scored if trial is not kept)) if kept else ()

    @property
    def failed(self) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.all if trial.failure)

    def cost(self, score: float | None) -> float:
        """A number that is smaller for a better score."""
        if score is None:
            return float("inf")
        return -score if self.task.higher_is_better else score

    def gain(self, score: float | None, over: float | None) -> float:
        """How much better ``score`` is than ``over``: a difference of scores, or a share of the larger error."""
        if score is None or over is None:
            return 0.0
        difference = self.cost(over) - self.cost(score)
        return difference if self.task.higher_is_better else difference / max(abs(over), abs(score), 1e-12)

    def gap(self, trial: Trial) -> float | None:
        """How much better the trial is on train than on validation, in the unit of :meth:`gain`."""
        if trial.train is None or trial.score is None:
            return None
        return self.gain(trial.train, trial.score)

    def saturated(self, trial: Trial) -> bool:
        """Whether train is so close to perfect that less than a tenth of validation's room is left there."""
        if trial.train is None or trial.score is None:
            return False
        perfect = 1.0 if self.task.higher_is_better else 0.0
        return abs(perfect - trial.train) < SATURATED * abs(perfect - trial.score)

    def newest_paid(self) -> bool:
        """Whether the newest trial beat all before it by more than noise."""
        if not self.all or self.all[-1].score is None:
            return False
        before = Trials(self.task, self.all[:-1]).best
        return before is not None and self.gain(self.all[-1].score, before.score) > NOISE

    def refinements_since_gain(self) -> int:
        """Refinements in a row, up to the newest trial, that gained nothing."""
        count = 0
        for end in range(len(self.all), 0, -1):
            if self.all[end - 1].mode is not IterationMode.REFINE or Trials(self.task, self.all[:end]).newest_paid():
                break
            count += 1
        return count

    def expected_seconds(self, candidate: Candidate) -> float | None:
        """Time of an iteration with this candidate: the longest of its family, else the median of all."""
        known = [trial for trial in self.all if trial.seconds is not None]
        family = [trial.seconds or 0.0 for trial in known if trial.candidate.family == candidate.family]
        if family:
            return max(family)
        return median(trial.seconds or 0.0 for trial in known) if known else None


def target(task: TaskFacts, score: float) -> float:
    """The score that is better than ``score`` by as much as noise; better than that counts as a gain."""
    return score + NOISE if task.higher_is_better else score - NOISE * abs(score)


def can_be_reached(task: TaskFacts, score: float) -> bool:
    """Whether ``score`` is one that the metric can have: nothing tells a gain from noise above 0.995 of 1."""
    metric = METRICS.get(task.metric)
    if metric is None:
        return True
    best = metric.bounds[0]
    return score <= best if task.higher_is_better else score >= best


def trials(facts: StepFacts, profile: InputProfile) -> Trials:
    """Read the history; iterations that failed before they had a plan are left out."""
    found: list[Trial] = []
    for past in facts.history:
        candidate = tried_candidate(past, profile, [trial.candidate for trial in found])
        if candidate is not None:
            found.append(_trial(past, candidate, facts))
    return Trials(facts.task, tuple(found))


def _trial(past: IterationFacts, candidate: Candidate, facts: StepFacts) -> Trial:
    comparable = past.status is IterationStatus.DONE and past.split_version == facts.split_version
    metric = facts.task.metric
    failure = ""
    if past.status is not IterationStatus.DONE:
        failure = past.reason or past.status.value
    exploration = past.outputs.get(StepName.PREDICTION_EXPLORATION, {})
    return Trial(
        iteration=past.iteration,
        mode=past.mode,
        candidate=candidate,
        train=past.train.get(metric) if comparable else None,
        score=past.validation.get(metric) if comparable else None,
        failure=failure,
        seconds=past.seconds,
        statistics=dict(exploration.get("statistics", {})),
    )
