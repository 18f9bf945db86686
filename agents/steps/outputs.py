"""What the agent must hand over at the end of each step: the argument models of ``final_result``.

Field descriptions are read by the model. Paths are relative to the iteration's folder.
"""

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from agents.vocabulary import IterationMode, StepName


class StepOutput(BaseModel):
    """Base of all step outputs. ``summary`` is the line that a person reads on the screen."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    summary: str = Field(min_length=1, max_length=2000, description="One or two sentences for the person who watches.")


class IterationPlanOutput(StepOutput):
    """Plan of one iteration."""

    mode: IterationMode = Field(description="baseline (iteration 0), explore (a combination never tried) or refine.")
    combination: str = Field(
        min_length=1, description="Representation and model family in a few words, e.g. 'k-mers + extra trees'."
    )
    change: str = Field(min_length=1, description="The one thing that this iteration changes.")
    reason: str = Field(min_length=1, description="Which earlier evidence speaks for it.")
    expectation: str = Field(min_length=1, description="What result is expected, so that it can be proved wrong.")
    data_exploration_instructions: str = Field(description="What to look at.")
    data_split_instructions: str | None = Field(
        None, description="Only where this iteration may make a new split; else null."
    )
    data_representation_instructions: str = Field(description="How to turn inputs into features.")
    model_architecture_instructions: str = Field(description="Which model and which hyper-parameters.")
    model_training_instructions: str = Field(description="How to train.")
    model_inference_instructions: str = Field(description="What the inference script has to mind.")
    prediction_exploration_instructions: str = Field(description="Which errors to look at.")


class DataExplorationOutput(StepOutput):
    """What the data look like."""

    data_description: str = Field(min_length=1, description="Rows, columns, kinds of input.")
    feature_analysis: str = Field(min_length=1, description="Distributions, missing values, what carries signal.")
    quality_findings: list[str] = Field(description="Problems that matter for the model, each with its evidence.")
    domain_insights: str = Field(description="What the biology suggests.")


class DataSplitOutput(StepOutput):
    """Folders of the split, each with input/ and labels.csv (id,numeric_label)."""

    train: str = Field(description="Folder of the training split.")
    validation: str = Field(description="Folder of the validation split.")
    mini_train: str = Field(description="Folder with a small sample of train, for quick runs.")
    strategy: str = Field(min_length=1, description="How rows were assigned, and why.")


class DataRepresentationOutput(StepOutput):
    """How inputs become features."""

    representation: str = Field(min_length=1, description="Each block of features and how it is computed.")
    fitted_on_train_only: list[str] = Field(
        description="Everything that learns from data (scalers, selections); fitted on train only."
    )


class ModelArchitectureOutput(StepOutput):
    """The model."""

    combination: str = Field(
        min_length=1, description="Representation and model family as they are built now, e.g. 'k-mers + extra trees'."
    )
    architecture: str = Field(min_length=1, description="Model family and structure.")
    hyperparameters: dict[str, str | int | float | bool | None] = Field(description="Name to value.")
    regularisation: str = Field(description="What keeps it from overfitting.")


class ModelTrainingOutput(StepOutput):
    """The training script. Its artifacts stand beside it in training_artifacts/."""

    train_script: str = Field(description="Path of train.py; normally model_training/train.py.")
    unresolved_issues: list[str] = Field(
        default_factory=list, description="What you know to be wrong and could not mend."
    )


class ModelInferenceOutput(StepOutput):
    """The inference script."""

    inference_script: str = Field(description="Path of inference.py; normally model_inference/inference.py.")


class PredictionExplorationOutput(StepOutput):
    """What the predictions on validation tell."""

    statistics: dict[str, float | int | str | None] = Field(description="Figures that you computed; name to value.")
    successes: str = Field(min_length=1, description="Where the model is right.")
    failures: str = Field(min_length=1, description="Where it is wrong, with examples or groups.")
    insights: str = Field(min_length=1, description="What the next iteration should learn from this.")


class ValidationEvaluationOutput(StepOutput):
    """Result of the engine's own evaluation; no model writes this."""

    metric: str
    train: dict[str, float | None] = Field(description="Metric to value on the training split; None where undefined.")
    validation: dict[str, float | None]
    split_version: int
    is_new_best: bool


OUTPUT_OF: Final[dict[StepName, type[StepOutput]]] = {
    StepName.ITERATION_PLAN: IterationPlanOutput,
    StepName.DATA_EXPLORATION: DataExplorationOutput,
    StepName.DATA_SPLIT: DataSplitOutput,
    StepName.DATA_REPRESENTATION: DataRepresentationOutput,
    StepName.MODEL_ARCHITECTURE: ModelArchitectureOutput,
    StepName.MODEL_TRAINING: ModelTrainingOutput,
    StepName.MODEL_INFERENCE: ModelInferenceOutput,
    StepName.PREDICTION_EXPLORATION: PredictionExplorationOutput,
    StepName.VALIDATION_EVALUATION: ValidationEvaluationOutput,
}
"""The output model of each step."""
