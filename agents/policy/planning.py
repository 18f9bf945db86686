"""Which candidate an iteration tries and why: pure functions of the history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.policy.carried import same
from agents.policy.changes import capacity_change, changes_features, difference
from agents.policy.conversation import sentence
from agents.policy.faults import collapse
from agents.policy.figures import figure
from agents.policy.history import NOISE, Trial, Trials, can_be_reached, target
from agents.policy.wishes import Wishes
from agents.recipes.candidate import ENSEMBLE
from agents.recipes.catalogue import Candidate, InputProfile, candidates, describe, ensemble, refinements
from agents.vocabulary import IterationMode

BIG_GAP: Final = 0.10
"""Train this much better than validation: the model has learnt train by heart."""
SMALL_GAP: Final = 0.03
GOOD_ENOUGH: Final = 0.05
"""How far behind the best a member of an ensemble may be."""
UNEVEN: Final = 1.5
"""A part of validation with this many times the overall error is worth another look at the features."""
TIME_SHARE: Final = 0.8
"""Share of the time left that an iteration may be expected to need."""


CHANCE: Final = {"AUROC": 0.5, "MCC": 0.0, "R2": 0.0, "PEARSON": 0.0, "SPEARMAN": 0.0}
"""What a constant guess, or a random one, scores."""
CLEARLY: Final = 0.05
WEIGHED: Final = (
    "logistic",
    "elastic_net",
    "svm",
    "linear_svm",
    "hist_gradient_boosting",
    "extra_trees",
    "random_forest",
)
"""Families that can give all classes the same weight."""
WEIGHED_BY_METRIC: Final = ("F1", "MCC")
"""Metrics for which the recipes weigh the classes anyway."""


@dataclass(frozen=True)
class Outlook:
    """What is known when an iteration is planned."""

    profile: InputProfile
    trials: Trials
    first: bool
    """This is iteration 0."""
    exploring: bool
    remaining: int
    """Iterations left, this one included."""
    time_left: float | None
    wishes: Wishes = field(default_factory=Wishes)
    refused: tuple[Candidate, ...] = ()
    """Choices that were not accepted."""

    def untried(self, among: Iterable[Candidate]) -> list[Candidate]:
        done = [*(trial.candidate for trial in self.trials.all), *self.refused]
        return [candidate for candidate in among if not any(same(candidate, other) for other in done)]

    def too_long(self, candidate: Candidate) -> bool:
        expected = self.trials.expected_seconds(candidate)
        return self.time_left is not None and expected is not None and expected > TIME_SHARE * self.time_left


@dataclass(frozen=True)
class Choice:
    """The decision, with the words that justify it."""

    mode: IterationMode
    candidate: Candidate
    change: str
    reason: str


def choose(outlook: Outlook) -> Choice:
    """The next candidate: never one that was tried while another one is left."""
    new = _ranked(outlook, outlook.untried(candidates(outlook.profile)))
    if outlook.first:
        return _baseline((new or candidates(outlook.profile))[0])
    wished = [candidate for candidate in new if outlook.wishes.wants(candidate)]
    if wished:
        return _explore(outlook, wished[0], "A note asks for it.")
    for rule in (_mend_collapse, _go_on_exploring, _combine_at_the_end, _refine_best):
        choice = rule(outlook, new)
        if choice is not None:
            return choice
    if new:
        return _explore(outlook, new[0], "Nothing is left to refine.")
    return _repeat(outlook)


def _ranked(outlook: Outlook, new: Sequence[Candidate]) -> list[Candidate]:
    """Candidates in the order of trying them; the catalogue's order decides between equals."""
    failed = {trial.candidate.family for trial in outlook.trials.failed}
    worked = {trial.candidate.family for trial in outlook.trials.scored}
    seen = {trial.combination for trial in outlook.trials.all}

    def rank(candidate: Candidate) -> tuple[int, ...]:
        return (
            outlook.wishes.avoids(candidate),
            outlook.too_long(candidate),
            -outlook.wishes.degree(candidate),
            candidate.family in failed - worked,
            candidate.combination in seen,
        )

    return sorted(new, key=rank)


# --- rules -----------------------------------------------------------------------------------------------------------


def _baseline(candidate: Candidate) -> Choice:
    change = f"First result: {candidate.combination}."
    return Choice(
        IterationMode.BASELINE, candidate, change, "A simple model comes first, so that others can be judged."
    )


def _mend_collapse(outlook: Outlook, new: Sequence[Candidate]) -> Choice | None:
    """Where the best model is of no use as it stands: class weights, or else another family."""
    known = outlook.trials
    best = known.best
    because = collapse(best.statistics) if best else None
    if best is None or because is None:
        return None
    if not outlook.exploring:
        weighed = _weighed(outlook, best.candidate)
        if weighed is not None:
            change = f"{best.combination}: class weights, so that each class counts the same in all."
            return Choice(IterationMode.REFINE, weighed, change, f"{result_words(known, best)}. {because}")
    families = {trial.candidate.family for trial in known.all if collapse(trial.statistics)}
    other = [one for one in new if one.family not in families and not outlook.wishes.avoids(one)]
    other = [one for one in other if not outlook.too_long(one)]
    return _explore(outlook, other[0], f"{because} So another family is due.") if other else None


def _weighed(outlook: Outlook, candidate: Candidate) -> Candidate | None:
    """The candidate with class weights; None where that changes nothing or was tried."""
    is_classification = outlook.profile.task_type.is_classification
    if not is_classification or candidate.family not in WEIGHED or outlook.trials.task.metric in WEIGHED_BY_METRIC:
        return None
    settings = {**candidate.hyperparameters, "class_weight": "balanced"}
    weighed = Candidate(candidate.representation, candidate.family, settings)
    fits = not outlook.too_long(weighed) and not outlook.wishes.avoids(weighed)
    return weighed if fits and outlook.untried([weighed]) else None


def _go_on_exploring(outlook: Outlook, new: Sequence[Candidate]) -> Choice | None:
    """Explore while it is due, while nothing works yet, while it pays, and when refining has stopped paying."""
    known = outlook.trials
    if not new:
        return None
    if outlook.exploring:
        return _explore(outlook, new[0], "This iteration has to try something new.")
    if known.best is None:
        return _explore(
            outlook, new[0], "No earlier iteration has a result that can be compared, so another kind is tried."
        )
    affordable = [
        candidate for candidate in new if not outlook.too_long(candidate) and not outlook.wishes.avoids(candidate)
    ]
    if not affordable:
        return None
    newest = known.all[-1]
    if newest.mode is IterationMode.EXPLORE and known.newest_paid() and outlook.remaining > 2:
        return _explore(outlook, affordable[0], "The newest exploration paid, so I go on exploring.")
    if known.refinements_since_gain() >= 2 and outlook.remaining > 1:
        return _explore(outlook, affordable[0], "Two refinements in a row gained nothing, so I explore again.")
    return None


def _combine_at_the_end(outlook: Outlook, _: Sequence[Candidate]) -> Choice | None:
    """In the last iteration, average the best different candidates."""
    known = outlook.trials
    best = known.best
    if outlook.remaining != 1 or best is None:
        return None
    good: list[Trial] = []
    for trial in known.scored:
        too_far = known.gain(best.score, trial.score) > GOOD_ENOUGH
        if too_far or trial.candidate.family == ENSEMBLE or outlook.wishes.avoids(trial.candidate):
            continue
        if trial.combination not in {member.combination for member in good}:
            good.append(trial)
    if len(good) < 2:
        return None
    candidate = ensemble(outlook.profile, [trial.candidate for trial in good[:3]])
    if not outlook.untried([candidate]) or outlook.too_long(candidate):
        return None
    members = "; ".join(result_words(known, trial) for trial in good[:3])
    return Choice(
        IterationMode.EXPLORE if outlook.exploring else IterationMode.REFINE,
        candidate,
        f"Average the predictions of {', '.join(trial.combination for trial in good[:3])}.",
        f"This is the last iteration and {len(good[:3])} different models are close to each other ({members}). "
        "Models that err differently are often better together.",
    )


def _refine_best(outlook: Outlook, _: Sequence[Candidate]) -> Choice | None:
    """Change one thing about the best candidate, or about the next best where nothing is left to change."""
    known = outlook.trials
    wanted_first = sorted(known.by_evidence, key=lambda trial: -outlook.wishes.degree(trial.candidate))
    for trial in wanted_first:
        if outlook.wishes.avoids(trial.candidate):
            continue
        open_ = outlook.untried(refinements(outlook.profile, trial.candidate))
        open_ = [candidate for candidate in open_ if not outlook.wishes.avoids(candidate)]
        if open_:
            return _refinement(outlook, trial, open_)
    return None


def _refinement(outlook: Outlook, trial: Trial, open_: Sequence[Candidate]) -> Choice:
    known = outlook.trials
    direction, evidence = gap_evidence(known, trial)
    of_features = [candidate for candidate in open_ if changes_features(trial.candidate, candidate)]
    uneven = worst_part(trial.statistics)
    if direction >= 0 and of_features and uneven is not None:
        evidence = f"{evidence} {uneven} So I change the features before the model."
        open_ = of_features
    chosen = min(open_, key=lambda candidate: -direction * capacity_change(trial.candidate, candidate))
    others = [other for other in known.scored if other is not trial][:1]
    against = f" against {result_words(known, others[0])}" if others else ""
    return Choice(
        IterationMode.EXPLORE if outlook.exploring else IterationMode.REFINE,
        chosen,
        difference(trial.candidate, chosen),
        f"{result_words(known, trial)}{against}. {_within_noise(known, trial)}{evidence}",
    )


def _within_noise(known: Trials, trial: Trial) -> str:
    """Why not the one with the best score, where it is another one."""
    best = known.best
    if best is None or best is trial or known.incumbent is not trial:
        return ""
    return f"The score of iteration {best.iteration} is better within noise only, no evidence that its change helped. "


def _explore(outlook: Outlook, candidate: Candidate, why: str) -> Choice:
    known = outlook.trials
    parts = [why]
    if known.best is not None:
        parts.append(f"So far: {'; '.join(result_words(known, trial) for trial in known.scored[:3])}.")
    parts += [failure_words(trial) for trial in known.failed[-2:]]
    parts.append(f"{candidate.combination}: {sentence(describe(outlook.profile, candidate).reason)}")
    best = known.best
    instead = f" instead of {best.combination}" if best else ""
    return Choice(IterationMode.EXPLORE, candidate, f"Try {candidate.combination}{instead}.", " ".join(parts))


def _repeat(outlook: Outlook) -> Choice:
    known = outlook.trials
    again = known.best or known.all[-1]  # all is not empty: what is tried out was tried
    return Choice(
        IterationMode.EXPLORE if outlook.exploring else IterationMode.REFINE,
        again.candidate,
        f"Nothing: {again.combination} once more.",
        "Every candidate and refinement that I know was tried. The result will be the same as in "
        f"iteration {again.iteration}.",
    )


# --- evidence --------------------------------------------------------------------------------------------------------


def gap_evidence(known: Trials, trial: Trial) -> tuple[int, str]:
    """Which way the capacity should go (-1, 0, +1) by the train-validation gap, in words with the numbers."""
    gap = known.gap(trial)
    if gap is None:
        return 0, "There is no train score, so the first refinement of the catalogue is taken."
    unit = "" if known.task.higher_is_better else " of the validation error"
    said = f"The gap between train and validation is {gap:.3g}{unit}"
    if gap > BIG_GAP:
        return -1, f"{said}: the model overfits, so I look for more regularisation first."
    if known.saturated(trial):
        return (
            -1,
            f"{said}, but train is all but perfect, so more capacity cannot help; I look for regularisation first.",
        )
    if gap < SMALL_GAP:
        return 1, f"{said}: it does not overfit, so it may have more capacity."
    return 0, f"{said}, neither large nor small, so the most promising refinement of the catalogue is taken."


def worst_part(statistics: Mapping[str, Any]) -> str | None:
    """Where errors gather, by the statistics of a prediction exploration; None where they are spread evenly."""
    ratio, part = statistics.get("worst_part_ratio"), statistics.get("worst_part")
    if not isinstance(ratio, (int, float)) or not isinstance(part, str) or ratio < UNEVEN:
        return None
    return f"Errors gather in {part}: {ratio:.1f} times the overall error."


# --- words -----------------------------------------------------------------------------------------------------------


def result_words(known: Trials, trial: Trial) -> str:
    """A trial with its scores, such as ``k-mers + extra trees reached AUPRC 0.871 on validation (iteration 1)``."""
    assert trial.score is not None
    train = f", {figure(trial.train)} on train" if trial.train is not None else ""
    return (
        f"{trial.combination} reached {known.task.metric} {figure(trial.score)} on validation{train} "
        f"(iteration {trial.iteration})"
    )


def failure_words(trial: Trial) -> str:
    reason = " ".join(trial.failure.split())[:200]
    return f"Iteration {trial.iteration} ({trial.combination}) failed: {reason}."


def expectation(known: Trials) -> str:
    """What the result should be, so that it can be proved wrong."""
    metric, best = known.task.metric, known.best
    if best is None or best.score is None:
        return f"{metric} on validation clearly better than a constant guess."
    if not can_be_reached(known.task, target(known.task, best.score)):
        return (
            f"{metric} on validation not worse than the best so far ({figure(best.score)}, iteration "
            f"{best.iteration}), which is so close to the best there is that no gain could be told from noise."
        )
    side = "above" if known.task.higher_is_better else "below"
    margin = f"{NOISE:g}" if known.task.higher_is_better else f"{NOISE:.1%} of it"
    return (
        f"{metric} on validation {side} {figure(target(known.task, best.score))}, which is better than the best so far "
        f"({figure(best.score)}, iteration {best.iteration}) by more than {margin}; otherwise the change did not help."
    )


def verdict(known: Trials) -> str:
    """Whether the newest iteration did what its plan expected; empty where there is none, or nothing to judge it by."""
    if not known.all:
        return ""
    newest = known.all[-1]
    which = f"Iteration {newest.iteration} ({newest.combination})"
    if newest.score is None:
        return f"{which} has no score to compare, so its expectation stays open." if not newest.failure else ""
    metric, before = known.task.metric, Trials(known.task, known.all[:-1]).best
    if before is None or before.score is None:
        chance = CHANCE.get(metric)
        if chance is None:
            return ""
        end = "it did" if newest.score > chance + CLEARLY else "it did not, so nothing was learnt yet"
        guess = f"a constant guess ({metric} {chance:g})"
        return f"{which} was expected to beat {guess} and got {figure(newest.score)}: {end}."
    if not can_be_reached(known.task, target(known.task, before.score)):
        end = "it is not" if known.gain(newest.score, before.score) >= 0 else "it is"
        best = f"{metric} {figure(before.score)}"
        return f"{which} was expected not to be worse than {best} and got {figure(newest.score)}: {end}."
    side = "more" if known.task.higher_is_better else "less"
    said = f"{which} was expected to reach {metric} of {side} than {figure(target(known.task, before.score))}"
    if known.newest_paid():
        return f"{said} and got {figure(newest.score)}: it helped."
    if known.gain(newest.score, before.score) > 0:
        return f"{said} and got {figure(newest.score)}: a gain within noise is no evidence that the change helped."
    return f"{said} and got {figure(newest.score)}: it did not help."
