"""data_split: train, validation and mini_train, or the split in force where it may not change."""

import re
from collections.abc import Sequence
from typing import Any, Final

from agents.policy.conversation import Moves
from agents.policy.moves import Part, analyse, hand_over, run
from agents.steps.facts import StepFacts
from agents.steps.outputs import DataSplitOutput, StepOutput
from agents.vocabulary import SplitName, StepName, TaskType
from agents.wording import counted

_SCRIPT: Final = "split.py"
_EQUAL_APART: Final = (
    " But here groups and equal inputs together would tie most rows into one block, so only groups stay on one side."
)


def data_split(facts: StepFacts, _: Sequence[str]) -> Moves:
    """Keep the split in force, so that scores stay comparable; make the first one with a script."""
    if facts.paths.split is not None:
        output = DataSplitOutput(
            summary=f"Split v{facts.split_version} stays in force, so that scores stay comparable.",
            train=facts.paths.split[SplitName.TRAIN],
            validation=facts.paths.split[SplitName.VALIDATION],
            mini_train=facts.paths.split[SplitName.MINI_TRAIN],
            strategy=f"Unchanged: split v{facts.split_version}.",
        )
        return (yield from hand_over(f"I hand over split v{facts.split_version} as it is.", output))
    return (yield from _new_split(facts))


def _new_split(facts: StepFacts) -> Moves:
    seed = facts.seed

    def arguments() -> list[str]:
        task = facts.task.task_type.value
        return ["--data", facts.paths.data, "--output", ".", "--task", task, "--seed", str(seed)]

    def mend(reason: str) -> Part[tuple[str, StepOutput] | None]:
        """Another seed may bring a missing class to the other side."""
        nonlocal seed
        if facts.task.brings_validation:
            return None
        seed += 2
        saying = f"The split was not accepted ({_short(reason)}). I draw another one with seed {seed}."
        again = yield from run(saying, _SCRIPT, arguments())
        return ("I hand over the new split.", _output(facts, again.result(), seed)) if again.ok else None

    writing = f"I write a script that splits the training table: {_strategy(facts)}"
    found = yield from analyse(writing, "I run it.", _SCRIPT, arguments())
    output = _output(facts, found, seed)
    return (yield from hand_over(output.summary, output, mend))


def _output(facts: StepFacts, found: dict[str, Any], seed: int) -> DataSplitOutput:
    train, validation, mini = (found[name]["rows"] for name in ("train", "validation", "mini_train"))
    figures = "; ".join(f"{name}: {_spread(found[name], facts)}" for name in ("train", "validation"))
    apart = "" if found["equal_inputs_together"] else _EQUAL_APART
    folder = StepName.DATA_SPLIT.value
    return DataSplitOutput(
        summary=f"{counted(train, 'row')} to train on, {validation:,} to validate, {mini:,} of train for quick runs.",
        train=f"{folder}/train",
        validation=f"{folder}/validation",
        mini_train=f"{folder}/mini_train",
        strategy=(f"{_strategy(facts)}{apart} Seed {seed}. {figures}. {_related(found['blocks'])}"),
    )


def _related(blocks: dict[str, Any]) -> str:
    if not blocks["rows_in_shared"]:
        return "No rows share a group or equal inputs."
    return (
        f"{counted(blocks['rows_in_shared'], 'row')} share a group or equal inputs with others; the largest such block "
        f"has {counted(blocks['largest'], 'row')}."
    )


def _strategy(facts: StepFacts) -> str:
    if facts.task.brings_validation:
        return "The dataset's own validation split is used as it is; all of train is train."
    kept = "the label's quantiles" if facts.task.task_type is TaskType.REGRESSION else "the classes"
    related = "rows of one group and rows with equal inputs" if facts.task.has_groups else "rows with equal inputs"
    return f"80 % train and 20 % validation, {kept} in proportion, {related} on one side."


def _spread(part: dict[str, Any], facts: StepFacts) -> str:
    if "median" in part:
        return f"median label {part['median']:.4g}"
    names = dict(enumerate(facts.task.classes))
    return ", ".join(f"{names.get(int(number), number)} {share:.1%}" for number, share in part["shares"].items())


def _short(reason: str) -> str:
    return re.sub(r"\s+", " ", reason)[:200]
