"""model_architecture: the model of the planned candidate, from the catalogue."""

from collections.abc import Sequence

from agents.policy.conversation import Moves, sentence
from agents.policy.moves import hand_over
from agents.policy.steps.decided import decided
from agents.recipes.catalogue import describe
from agents.steps.facts import StepFacts
from agents.steps.outputs import ModelArchitectureOutput


def model_architecture(facts: StepFacts, _: Sequence[str]) -> Moves:
    """Say which model with which settings."""
    profile, candidate = yield from decided(facts)
    words = describe(profile, candidate)
    model, against = sentence(words.architecture), sentence(words.regularisation)
    output = ModelArchitectureOutput(
        summary=model[:2000],
        combination=candidate.combination,
        architecture=words.architecture,
        hyperparameters=dict(candidate.hyperparameters),
        regularisation=words.regularisation,
    )
    return (yield from hand_over(f"The plan names the model: {model} Against overfitting: {against}", output))
