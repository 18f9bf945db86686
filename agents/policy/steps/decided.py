"""What the steps after the exploration start from: the profile of the inputs and this iteration's candidate."""

from agents.policy.carried import chosen_candidate, known_profile
from agents.policy.moves import Part
from agents.policy.steps.data_exploration import explore
from agents.recipes.catalogue import Candidate, InputProfile
from agents.steps.facts import StepFacts


def decided(facts: StepFacts) -> Part[tuple[InputProfile, Candidate]]:
    """Read both from earlier outputs; look at the inputs now where no exploration was handed over."""
    profile = known_profile(facts)
    if profile is None:
        writing = "No data exploration was handed over, so I look at the inputs first."
        _, profile = yield from explore(facts, writing, ["--brief"])
    return profile, chosen_candidate(facts, profile)
