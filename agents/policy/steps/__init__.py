"""The policy's steps: each a generator that reads like the work it does."""

from typing import Final

from agents.policy.conversation import StepPolicy
from agents.policy.steps.data_exploration import data_exploration
from agents.policy.steps.data_representation import data_representation
from agents.policy.steps.data_split import data_split
from agents.policy.steps.iteration_plan import iteration_plan
from agents.policy.steps.model_architecture import model_architecture
from agents.policy.steps.model_inference import model_inference
from agents.policy.steps.model_training import model_training
from agents.policy.steps.prediction_exploration import prediction_exploration
from agents.vocabulary import StepName

POLICIES: Final[dict[StepName, StepPolicy]] = {
    StepName.ITERATION_PLAN: iteration_plan,
    StepName.DATA_EXPLORATION: data_exploration,
    StepName.DATA_SPLIT: data_split,
    StepName.DATA_REPRESENTATION: data_representation,
    StepName.MODEL_ARCHITECTURE: model_architecture,
    StepName.MODEL_TRAINING: model_training,
    StepName.MODEL_INFERENCE: model_inference,
    StepName.PREDICTION_EXPLORATION: prediction_exploration,
}
"""The policy of each step that a model does."""
