"""prediction_exploration: where the model is right and wrong on validation, and what to learn from it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agents.policy.carried import split_folder
from agents.policy.conversation import GaveUp, Moves
from agents.policy.moves import analyse, failure, hand_over, run
from agents.policy.planning import worst_part
from agents.policy.steps.decided import decided
from agents.policy.steps.model_inference import SCRIPT, artifacts
from agents.steps.facts import StepFacts
from agents.steps.outputs import PredictionExplorationOutput
from agents.vocabulary import SplitName

_OUTPUT: Final = "validation_predictions.csv"
_VIEWS: Final = 30
"""Numeric columns by which the errors are parted."""


def prediction_exploration(facts: StepFacts, _: Sequence[str]) -> Moves:
    """Predict validation, count the errors by what the rows are like, and say what that suggests."""
    profile, _candidate = yield from decided(facts)
    validation = split_folder(facts, SplitName.VALIDATION)
    script = str(Path(facts.paths.iteration) / SCRIPT)
    arguments = ["--input", str(validation / "input"), "--output", _OUTPUT, "--artifacts-dir", artifacts(facts)]
    done = yield from run("I predict the validation split with the inference script.", script, arguments)
    if not done.ok:
        raise GaveUp(failure("inference.py on validation", done))
    found = yield from analyse(
        "I write a script that compares the predictions with the labels.",
        "Where does the model err: which classes, which lengths, which groups, and how sure was it?",
        "explore_errors.py",
        [
            *("--split", str(validation), "--predictions", _OUTPUT),
            *("--classes", json.dumps(facts.task.classes)),
            *("--sequences", json.dumps(profile.alphabet)),
            *("--numeric", json.dumps(profile.numeric_columns[:_VIEWS])),
        ],
    )
    output = explored(found)
    return (yield from hand_over(f"{output.failures} {output.insights}", output))


def explored(found: Mapping[str, Any]) -> PredictionExplorationOutput:
    """The script's figures in words."""
    statistics = found["statistics"]
    best = f" It does best on {found['best_part']}." if found.get("best_part") else ""
    gathered = worst_part(statistics) or _slightly(statistics)
    worst = f" Examples: {'; '.join(found['examples'])}." if found["examples"] else ""
    mistakes = f" {'; '.join(found['confusions'])}." if found["confusions"] else ""
    headline = _headline(statistics)
    return PredictionExplorationOutput(
        summary=f"{headline} {gathered}"[:2000],
        statistics=statistics,
        successes=f"{headline}{best}",
        failures=f"{gathered}{mistakes}{worst}",
        insights=" ".join(insights(statistics)),
    )


def _slightly(statistics: Mapping[str, Any]) -> str:
    part, ratio = statistics.get("worst_part"), statistics.get("worst_part_ratio")
    if part is None:
        return "Errors are spread evenly over the parts that I looked at."
    return f"Errors are not far from even; they are most frequent in {part}: {ratio:.1f} times the overall error."


def _headline(statistics: Mapping[str, Any]) -> str:
    if "error_rate" in statistics:
        share = f"{statistics['errors']} of {statistics['rows']} validation rows"
        return f"{share} are classified wrongly ({statistics['error_rate']:.1%})."
    error, guess = statistics["mean_absolute_error"], statistics["error_of_the_median"]
    rows = statistics["rows"]
    return f"The mean absolute error on {rows} validation rows is {error}; always saying the median gives {guess}."


def insights(statistics: Mapping[str, Any]) -> list[str]:
    """What the figures suggest, by plain rules, each with its figure."""
    said = []
    over = statistics.get("overconfidence")
    if isinstance(over, float) and abs(over) > 0.05:
        word, remedy = ("too sure", "more regularisation") if over > 0 else ("not sure enough", "less regularisation")
        said.append(f"The probabilities are {word} by {abs(over):.2f} on average, which speaks for {remedy}.")
    confident, errors = statistics.get("confident_errors"), statistics.get("errors")
    if isinstance(confident, int) and isinstance(errors, int) and errors and confident > errors / 4:
        said.append(
            f"{confident} of {errors} errors were made with a probability above 0.9: check their labels and features."
        )
    spread = statistics.get("spread_of_predictions")
    if isinstance(spread, float) and spread < 0.6:
        said.append(
            f"Predictions vary only {spread:.2f} times as much as the labels: the features explain a part only."
        )
    low, high = statistics.get("bias_lowest_tenth"), statistics.get("bias_highest_tenth")
    if isinstance(low, float) and isinstance(high, float) and low > 0 > high:
        said.append(f"Low labels are predicted too high ({low:+.3g}) and high ones too low ({high:+.3g}).")
    if part := worst_part(statistics):
        said.append(f"{part} Features that tell these rows apart should help.")
    return said or ["No figure stands out; the gap between train and validation decides what to change."]
