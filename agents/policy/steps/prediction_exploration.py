"""prediction_exploration: where the model is right and wrong on validation, and what to learn from it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agents.policy.carried import split_folder
from agents.policy.conversation import GaveUp, Moves
from agents.policy.faults import collapse, faults
from agents.policy.moves import analyse, failure, hand_over, run
from agents.policy.planning import worst_part
from agents.policy.steps.decided import decided
from agents.policy.steps.model_inference import SCRIPT, artifacts
from agents.steps.facts import StepFacts
from agents.steps.outputs import PredictionExplorationOutput
from agents.vocabulary import SplitName
from agents.wording import counted

_OUTPUT: Final = "validation_predictions.csv"
_VIEWS: Final = 30
"""Numeric columns by which the errors are parted."""
_EVEN: Final = (0.75, 1.33)
"""Error of each part against the overall one, within which errors are called evenly spread."""
_TOO_FEW: Final = "There are too few errors to say in which rows they gather."


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
        "Where does the model err: which classes or labels, which lengths, which groups, and how sure was it?",
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
    best = _best_part(statistics)
    by_label = faults(statistics)
    first = f"{by_label[0]} " if by_label else ""
    where = _TOO_FEW if found.get("too_few_errors") else worst_part(statistics) or _slightly(statistics)
    gathered = " ".join([*by_label, where])
    worst = f" Examples: {'; '.join(found['examples'])}." if found["examples"] else ""
    mistakes = f" {'; '.join(found['confusions'])}." if found["confusions"] else ""
    headline = _headline(statistics)
    return PredictionExplorationOutput(
        summary=f"{first}{headline} {worst_part(statistics) or ''}".strip()[:2000],
        statistics=statistics,
        successes=f"{first if collapse(statistics) else ''}{headline}{best}",
        failures=f"{gathered}{mistakes}{worst}",
        insights=" ".join(insights(statistics)),
    )


def _slightly(statistics: Mapping[str, Any]) -> str:
    part, ratio = statistics.get("worst_part"), statistics.get("worst_part_ratio")
    if part is None:
        return _evenly(statistics)
    return f"Errors are not far from even; they are most frequent in {part}: {ratio:.1f} times the overall error."


def _best_part(statistics: Mapping[str, Any]) -> str:
    part, ratio = statistics.get("easy_part"), statistics.get("easy_part_ratio")
    if not isinstance(part, str) or not isinstance(ratio, (int, float)):
        return ""
    return f" It does best on {part} ({ratio:.2f} times the overall error)."


def _evenly(statistics: Mapping[str, Any]) -> str:
    """Even, unless some part is clearly better, or far from the overall error."""
    low, high = statistics.get("lowest_ratio"), statistics.get("highest_ratio")
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        return "By the inputs there are no parts to compare."
    if _best_part(statistics) or low < _EVEN[0] or high > _EVEN[1]:
        return f"By the inputs the error of a part is between {low:.2f} and {high:.2f} times the overall error."
    return "Over the parts by inputs that I looked at, errors are spread evenly."


def _headline(statistics: Mapping[str, Any]) -> str:
    if "error_rate" in statistics:
        rows, errors = statistics["rows"], statistics["errors"]
        right = f"{rows - errors:,} of {counted(rows, 'validation row')}"
        are = "is" if rows == 1 else "are"
        wrong = f"{errors:,}" if errors else "none"
        return f"{right} {are} classified correctly ({1 - statistics['error_rate']:.1%}), {wrong} wrongly."
    error, guess = statistics["mean_absolute_error"], statistics["error_of_the_median"]
    rows = counted(statistics["rows"], "validation row")
    return f"The mean absolute error on {rows} is {error}; always saying the median gives {guess}."


def insights(statistics: Mapping[str, Any]) -> list[str]:
    """What the figures suggest, by plain rules, each with its figure."""
    said = faults(statistics)
    if collapse(statistics):
        first = "Class weights or another" if "mcc" in statistics else "Another"
        said.append(f"{first} kind of model come{'' if 'mcc' in statistics else 's'} before any finer change.")
    over = statistics.get("overconfidence")
    if isinstance(over, float) and abs(over) > 0.05:
        word = "too sure" if over > 0 else "not sure enough"
        said.append(
            f"The probabilities are {word} by {abs(over):.2f} on average: that is their calibration. Whether to "
            "regularise more or less follows from the gap between train and validation."
        )
    confident, errors = statistics.get("confident_errors"), statistics.get("errors")
    if isinstance(confident, int) and isinstance(errors, int) and errors and confident > errors / 4:
        were = "was" if confident == 1 else "were"
        said.append(
            f"{confident:,} of {counted(errors, 'error')} {were} made with a probability above 0.9: check their labels "
            "and features."
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
