"""iteration_plan: what this iteration tries, and why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from agents.policy.carried import NOTE, candidate_line, known_profile
from agents.policy.changes import difference
from agents.policy.conversation import Moves, sentence
from agents.policy.history import Trials, trials
from agents.policy.moves import Part, hand_over
from agents.policy.planning import Choice, Outlook, choose, expectation, verdict
from agents.policy.wishes import Notes, open_wishes
from agents.recipes.catalogue import Candidate, InputProfile, candidates, describe
from agents.steps.facts import StepFacts
from agents.steps.outputs import IterationPlanOutput, StepOutput
from agents.vocabulary import PERSON_REJECTS, IterationMode, StepName

_BASELINE: Final = "simple baseline for the kind of input found"


def iteration_plan(facts: StepFacts, notes: Sequence[str]) -> Moves:
    """Plan from the history; a refused combination is replaced by the next best choice.

    What a person says against a plan counts as a note. Before the data are known there is only one plan to give.
    """
    all_notes = carried_notes(facts)
    known = {note for _, note in all_notes}
    all_notes += [(facts.iteration, note) for note in map(_one_line, notes) if note not in known]
    profile = known_profile(facts)
    refused: list[Candidate] = []

    def plan() -> tuple[str, IterationPlanOutput]:
        if profile is None:
            return _blind(facts, all_notes)
        outlook = _outlook(facts, profile, all_notes, refused)
        choice = choose(outlook)
        choice = replace(choice, reason=f"{verdict(outlook.trials)} {choice.reason}".strip())
        refused.append(choice.candidate)
        output = _planned(facts, profile, outlook, choice, all_notes)
        return f"{choice.reason} {choice.change}", output

    def mend(reason: str) -> Part[tuple[str, StepOutput] | None]:
        yield from ()
        said = reason.partition("\n")[0].removeprefix(PERSON_REJECTS) if reason.startswith(PERSON_REJECTS) else ""
        if said:
            all_notes.append((facts.iteration, _one_line(said)))
        elif profile is None:
            return None
        saying, output = plan()
        first = "Before I know the data I have no other plan" if profile is None else "So I take the next choice"
        return f"That plan was not accepted. {first}. {saying}", output

    saying, output = plan()
    return (yield from hand_over(saying, output, mend))


def carried_notes(facts: StepFacts) -> list[tuple[int, str]]:
    """Notes that earlier plans were given, each with its iteration: they hold for the iterations after it too."""
    found: dict[str, int] = {}
    for past in facts.history:
        plan = past.outputs.get(StepName.ITERATION_PLAN, {})
        for line in str(plan.get("model_architecture_instructions", "")).splitlines():
            if line.startswith(NOTE):
                found.setdefault(line.removeprefix(NOTE), past.iteration)
    return [(iteration, note) for note, iteration in found.items()]


def _outlook(facts: StepFacts, profile: InputProfile, notes: Notes, refused: Sequence[Candidate]) -> Outlook:
    known = trials(facts, profile)
    return Outlook(
        profile=profile,
        trials=known,
        first=facts.iteration == 0,
        exploring=facts.exploring,
        remaining=facts.iterations - facts.iteration,
        time_left=facts.time_left,
        wishes=open_wishes(notes, candidates(profile), known),
        refused=tuple(refused),
    )


def _planned(
    facts: StepFacts, profile: InputProfile, outlook: Outlook, choice: Choice, notes: Notes
) -> IterationPlanOutput:
    words = describe(profile, choice.candidate)
    combination = _combination(outlook.trials, choice)
    return IterationPlanOutput(
        summary=f"{choice.mode.value.capitalize()}: {choice.change}"[:2000],
        mode=choice.mode,
        combination=combination,
        change=choice.change,
        reason=choice.reason,
        expectation=expectation(outlook.trials),
        data_exploration_instructions=_what_to_look_at(outlook.trials),
        data_split_instructions=_split_instructions(facts),
        data_representation_instructions=sentence(words.representation),
        model_architecture_instructions="\n".join(
            [sentence(words.architecture), *_note_lines(notes), candidate_line(choice.candidate)]
        ),
        model_training_instructions="Run on mini_train first, then on the whole train split; read what it prints.",
        model_inference_instructions="One finite prediction for each id; the features are those of the training.",
        prediction_exploration_instructions="Errors by class or label, length, composition, group and confidence.",
    )


def _combination(known: Trials, choice: Choice) -> str:
    """What is explored is told apart from what was tried under the same name."""
    name = choice.candidate.combination
    alike = [trial.candidate for trial in known.all if trial.combination == name]
    if choice.mode is not IterationMode.EXPLORE or not alike:
        return name
    return difference(alike[-1], choice.candidate).rstrip(".")


def _blind(facts: StepFacts, notes: Notes) -> tuple[str, IterationPlanOutput]:
    """A plan before any exploration has said what the inputs are."""
    first = facts.iteration == 0
    combination = _BASELINE if first else f"{_BASELINE}, attempt {facts.iteration + 1}"
    why = "Nothing was tried yet." if first else "No earlier iteration came as far as telling what the inputs are."
    reasons = [
        f"Iteration {past.iteration} ended as {past.status.value}: {past.reason}." for past in facts.history[-2:]
    ]
    if notes:
        reasons.append("I can follow notes about models from the next iteration on, when I know what the inputs are.")
    reason = " ".join([why, *reasons, "A simple model comes first, so that others can be judged by it."])
    change = "The first result: look at the data, then the simplest model of the catalogue that fits them."
    output = IterationPlanOutput(
        summary="Baseline: look at the data, then train the simplest model that fits them.",
        mode=IterationMode.BASELINE if first else IterationMode.EXPLORE,
        combination=combination,
        change=change,
        reason=reason,
        expectation=f"{facts.task.metric} on validation clearly better than a constant guess.",
        data_exploration_instructions="Tell the kind of the inputs by their values; look for duplicates and gaps.",
        data_split_instructions=_split_instructions(facts),
        data_representation_instructions="The baseline's features for the kind of input that the exploration finds.",
        model_architecture_instructions="\n".join(
            ["The baseline's model for the kind of input that the exploration finds.", *_note_lines(notes)]
        ),
        model_training_instructions="Run on mini_train first, then on the whole train split; read what it prints.",
        model_inference_instructions="One finite prediction for each id; the features are those of the training.",
        prediction_exploration_instructions="Errors by class or label, length, composition, group and confidence.",
    )
    return f"{reason} {change}", output


def _what_to_look_at(known: Trials) -> str:
    best = known.best
    part = str(best.statistics.get("worst_part", "")) if best else ""
    if part:
        return f"Confirm that the data are as before; look at {part}, where the best model errs most."
    return "Confirm that the data are as before."


def _split_instructions(facts: StepFacts) -> str | None:
    if not facts.may_split:
        return None
    if facts.paths.split is not None:
        return f"Keep split v{facts.split_version}, so that scores stay comparable."
    if facts.task.brings_validation:
        return "Use the validation split of the dataset as it is; take a small sample of train for quick runs."
    groups = ", groups kept on one side" if facts.task.has_groups else ""
    return f"80 % train and 20 % validation, stratified by the label, equal inputs kept on one side{groups}."


def _note_lines(notes: Notes) -> list[str]:
    return [NOTE + note for note in dict.fromkeys(note for _, note in notes)]


def _one_line(note: str) -> str:
    return " ".join(note.split())
