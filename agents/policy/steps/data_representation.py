"""data_representation: the features of the planned candidate, with a look at them on a small sample."""

from collections.abc import Sequence
from typing import Any, Final

from agents.policy.carried import known_profile, profile_line, split_folder
from agents.policy.conversation import Moves, sentence
from agents.policy.moves import analyse, hand_over, write
from agents.policy.steps.decided import decided
from agents.policy.texts import script_texts
from agents.recipes.catalogue import describe
from agents.steps.facts import StepFacts
from agents.steps.outputs import DataRepresentationOutput
from agents.vocabulary import SplitName
from agents.wording import counted

_UNWANTED: Final = {"infinite": "infinite values", "constant": "features that are constant on this sample"}


def data_representation(facts: StepFacts, _: Sequence[str]) -> Moves:
    """Compute the features of mini_train, so that what is handed over is what was seen."""
    profile, candidate = yield from decided(facts)
    carried = "" if known_profile(facts) else f"\n{profile_line(profile)}"
    words = describe(profile, candidate)
    texts = script_texts(facts, profile, candidate)
    yield from write(
        f"This iteration builds {candidate.combination}. {sentence(words.reason)}", "features.py", texts["features.py"]
    )
    yield from write(
        "The settings of the features stand in train.py; I read them from there.", "train.py", texts["train.py"]
    )
    found = yield from analyse(
        "I write a script that computes the features of mini_train.",
        "I look at them: how many there are, how many are empty, how long it takes.",
        "look_at_features.py",
        ["--data", str(split_folder(facts, SplitName.MINI_TRAIN))],
    )
    seen = " ".join(_words(member) for member in found["members"])
    output = DataRepresentationOutput(
        summary=f"{candidate.representation}: {seen}"[:2000],
        representation=f"{sentence(words.representation)} {seen}{carried}",
        fitted_on_train_only=list(words.fitted_on_train_only),
    )
    return (yield from hand_over(seen, output))


def _words(member: dict[str, Any]) -> str:
    problems = [f"{what}: {member[name]}" for name, what in _UNWANTED.items() if member[name]]
    also = f"; {', '.join(problems)}" if problems else ""
    return (
        f"{counted(member['features'], 'feature')} of {counted(member['rows'], 'row')} in {member['seconds']:.2f} s, "
        f"{member['zeros']:.0%} zeros{also}."
    )
