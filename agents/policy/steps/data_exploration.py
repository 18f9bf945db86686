"""data_exploration: what the inputs are, what is wrong with them, what goes with the label."""

import json
from collections.abc import Sequence
from typing import Any, Final

from agents.policy.carried import known_profile, profile_line, profile_of
from agents.policy.conversation import Call, GaveUp, Moves
from agents.policy.moves import Part, analyse, hand_over, parse_run
from agents.recipes.catalogue import InputProfile
from agents.steps.facts import StepFacts
from agents.steps.outputs import DataExplorationOutput
from agents.vocabulary import StepName
from agents.wording import counted

_SCRIPT: Final = "explore.py"
_CANNOT_READ: Final = "The built-in policy cannot read these inputs"


def data_exploration(facts: StepFacts, _: Sequence[str]) -> Moves:
    """A whole look in the first iteration, later a short one with a view on where the best model erred."""
    before = known_profile(facts)
    focus = errors_gather_by(facts)
    arguments: list[str] = []
    writing = "I write a script that tells the columns' kinds by their values and looks for problems and signal."
    if before is not None:
        arguments.append("--brief")
        writing = "The data were explored before, so this is a short look: are the kinds and the problems the same?"
    if focus:
        arguments += ["--focus", focus]
        writing += f" Errors gathered by {focus.replace(':', ' of ')}, so I look at that too."
    found, profile = yield from explore(facts, writing, arguments)
    output = DataExplorationOutput(
        summary=found["description"],
        data_description=found["description"],
        feature_analysis="\n".join([*found["analysis"], _compared(before, profile), profile_line(profile)]).strip(),
        quality_findings=found["findings"],
        domain_insights=found["insights"],
    )
    return (yield from hand_over(f"{found['description']} {_problems(found['findings'])}", output))


def explore(facts: StepFacts, writing: str, arguments: Sequence[str] = ()) -> Part[tuple[dict[str, Any], InputProfile]]:
    """Run the script on the training table; what it found, and the profile in it."""
    known = next((past.reason for past in facts.history if _CANNOT_READ in past.reason), "")
    if known:
        raise GaveUp(f"{_CANNOT_READ}{known.partition(_CANNOT_READ)[2]}")
    task = ["--data", facts.paths.data, "--task", facts.task.task_type.value]
    task += ["--classes", json.dumps(facts.task.classes)]
    found = yield from analyse(writing, "I run it on the training table.", _SCRIPT, [*task, *arguments])
    if "unreadable" in found:
        raise GaveUp(f"{_CANNOT_READ}: {found['unreadable']}. A model from a provider can write its own reader.")
    return found, (yield from _profile(found))


def errors_gather_by(facts: StepFacts) -> str | None:
    """The view by which the best iteration's errors differed most, as its prediction exploration found it."""
    best = next((past for past in facts.history if past.is_best), None)
    if best is None:
        return None
    statistics = best.outputs.get(StepName.PREDICTION_EXPLORATION, {}).get("statistics", {})
    view = statistics.get("worst_part_by")
    return view if isinstance(view, str) else None


def _profile(found: dict[str, Any]) -> Part[InputProfile]:
    """The profile; a long list of columns is read page by page."""
    names: list[str] = list(found["profile"]["numeric_columns"])
    pages = int(found["pages"])
    for page in range(1, pages + 1):
        said = f"The table is wide: I read its column names, page {page} of {pages}."
        text = yield Call(said, "bash", {"command": f"sed -n {page}p numeric_columns.jsonl"})
        lines = [line for line in parse_run(text).output.splitlines() if line.startswith("[")]
        try:
            names += json.loads(lines[0])
        except (ValueError, IndexError):
            raise GaveUp(f"Page {page} of the column names could not be read: {text[:300]}") from None
    return profile_of({**found["profile"], "numeric_columns": names})


def _compared(before: InputProfile | None, now: InputProfile) -> str:
    if before is None:
        return ""
    return "The inputs are as explored before." if before == now else "The inputs differ from what was explored before."


def _problems(findings: Sequence[str]) -> str:
    if not findings:
        return "I found no problem with the data."
    return f"{counted(len(findings), 'finding')} that may matter for the model; the first: {findings[0]}"
