"""model_training: write the candidate's scripts, try them on mini_train, train, read what they print."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from agents.policy.carried import split_folder
from agents.policy.changes import capacity_change, difference
from agents.policy.conversation import GaveUp, Moves
from agents.policy.figures import figure
from agents.policy.moves import Part, Run, hand_over, run, write
from agents.policy.steps.decided import decided
from agents.policy.texts import script_texts
from agents.recipes.catalogue import Candidate, InputProfile, refinements
from agents.steps.facts import StepFacts
from agents.steps.outputs import ModelTrainingOutput
from agents.vocabulary import SplitName, StepName

REPORT: Final = "TRAINING_REPORT: "
SAVED: Final = "SAVED: "
"""Before the figures of the model that is kept, which need not be those of the last epoch."""
ARTIFACTS: Final = "training_artifacts"
_WATCH: Final = re.compile(r"^(Watch: .*) \((.*)\)$")
"""What the tool says of a training: a sentence, and the rule that was broken."""
_FATAL: Final = {"not finite", "diverging"}


def model_training(facts: StepFacts, _: Sequence[str]) -> Moves:
    """Train the planned candidate; where that fails, a variant of it that fits less, and say so."""
    profile, candidate = yield from decided(facts)
    issues: list[str] = []
    done = yield from _train(facts, profile, candidate)
    problem = _problem(done)
    if problem:
        smaller = smaller_variant(profile, candidate)
        if smaller is None:
            raise GaveUp(f"Training {candidate.combination} failed and I know no smaller variant of it: {problem}")
        change = difference(candidate, smaller)
        issues.append(f"Training as planned failed ({problem}), so a smaller variant was trained: {change}")
        done = yield from _train(facts, profile, smaller, because=problem)
        if again := _problem(done):
            raise GaveUp(f"Training {candidate.combination} failed twice: {problem}; then {again}")
    issues += warnings(done)
    result = _result(done, facts.task.metric)
    output = ModelTrainingOutput(
        summary=f"Trained {candidate.combination}: {result}"[:2000],
        train_script=f"{StepName.MODEL_TRAINING.value}/train.py",
        unresolved_issues=issues,
    )
    return (yield from hand_over(f"{result} {_issue_words(issues)}", output))


def _train(facts: StepFacts, profile: InputProfile, candidate: Candidate, because: str = "") -> Part[Run]:
    """Write the scripts and run them on mini_train, then on train; the run that failed, or the last one."""
    texts = script_texts(facts, profile, candidate)
    why = f"That failed: {because}. I try a smaller variant. " if because else ""
    yield from write(f"{why}I write the features of {candidate.combination}.", "features.py", texts["features.py"])
    yield from write("I write the training script.", "train.py", texts["train.py"])
    validation = str(split_folder(facts, SplitName.VALIDATION))
    mini = str(split_folder(facts, SplitName.MINI_TRAIN))
    smoke = ["--train-data", mini, "--validation-data", validation, "--artifacts-dir", "mini_train_artifacts"]
    first = yield from run("First on mini_train, to see that it runs at all.", "train.py", smoke)
    if not first.ok:
        return first
    train = str(split_folder(facts, SplitName.TRAIN))
    whole = ["--train-data", train, "--validation-data", validation, "--artifacts-dir", ARTIFACTS]
    return (yield from run("It runs. Now the whole training split.", "train.py", whole))


def smaller_variant(profile: InputProfile, candidate: Candidate) -> Candidate | None:
    """A refinement of the same kind that lets the model fit less."""
    for other in refinements(profile, candidate):
        if other.combination == candidate.combination and capacity_change(candidate, other) < 0:
            return other
    return None


def reports(done: Run, marker: str = REPORT) -> list[dict[str, Any]]:
    """What the script reported while it trained."""
    found = []
    for line in done.output.splitlines():
        if line.startswith(marker):
            try:
                value = json.loads(line.removeprefix(marker))
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
    return found


def warnings(done: Run) -> list[str]:
    """What the tool that watched the training found, each once."""
    return [sentence for sentence, _ in _watched(done)]


def _watched(done: Run) -> list[tuple[str, str]]:
    found = (_WATCH.match(line.strip()) for line in done.output.splitlines())
    return list(dict.fromkeys((match[1].removeprefix("Watch: "), match[2]) for match in found if match))


def _problem(done: Run) -> str:
    """Why a training does not count; empty where it does."""
    if not done.ok:
        return f"{done.ending}: {done.last_line}"
    return next((sentence for sentence, rule in _watched(done) if rule in _FATAL), "")


def _result(done: Run, metric: str) -> str:
    """The figures of the model that is saved in words; of the last report where the script did not say them."""
    found = reports(done) + reports(done, SAVED)
    took = f" in {done.seconds:.1f} s" if done.seconds is not None else ""
    if not found:
        return f"The training ended well{took} and reported no losses."
    last = found[-1]
    losses = [
        f"{word} loss {figure(last[key])}" for key, word in _LOSSES.items() if isinstance(last.get(key), (int, float))
    ]
    if isinstance(last.get(metric), (int, float)):
        losses.append(f"{metric} {figure(last[metric])} on validation by the script's own count")
    return f"The training ended well{took}: {', '.join(losses) or 'no losses reported'}."


_LOSSES: Final = {"train_loss": "train", "validation_loss": "validation"}


def _issue_words(issues: Sequence[str]) -> str:
    return f"I record what is not resolved: {' '.join(issues)}" if issues else "Nothing was left unresolved."
