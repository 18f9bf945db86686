"""The policy through litellm with real scripts: from the plan to the exploration of its predictions."""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from agents.model_files import copy_scripts
from agents.policy.carried import find_candidate
from agents.policy.figures import figure
from agents.steps.outputs import DataSplitOutput, PredictionExplorationOutput
from agents.vocabulary import IterationMode, StepName, TaskType
from tests.agents.policy.driver import MODEL_STEPS, World, measurements, peptides, task, write_split

pytestmark = pytest.mark.slow


def run_iteration(world: World) -> dict[StepName, str]:
    """All steps that a model does; what was said in each."""
    said = {}
    for step in MODEL_STEPS:
        talk = world.step(step)
        assert talk.output is not None, f"{step}: {talk.last_words}\n{talk.messages[-2:]}"
        said[step] = talk.said
        if step is StepName.DATA_SPLIT and world.split_version is None:
            world.install_split()
    return said


def validation_predictions(world: World) -> tuple[pd.Series, pd.DataFrame]:
    labels = pd.read_csv(world.root / "splits" / "v1" / "validation" / "labels.csv").set_index("id")["numeric_label"]
    file = world.folder / "prediction_exploration" / "validation_predictions.csv"
    return labels, pd.read_csv(file).set_index("id").loc[labels.index]


def test_two_iterations_on_peptides_learn_and_differ_in_kind(tmp_path: Path) -> None:
    table, labels = peptides(240)
    write_split(tmp_path / "data" / "train", table, labels)
    world = World(tmp_path, task(TaskType.BINARY, 240))

    run_iteration(world)
    truth, predicted = validation_predictions(world)
    score = roc_auc_score(truth, predicted["probability_1"])
    assert score > 0.7
    first = world.outputs
    world.end_iteration(train=0.95, validation=score)

    said = run_iteration(world)
    second = world.outputs
    assert second[StepName.ITERATION_PLAN]["mode"] == IterationMode.EXPLORE
    assert second[StepName.ITERATION_PLAN]["combination"] != first[StepName.ITERATION_PLAN]["combination"]
    assert figure(score) in said[StepName.ITERATION_PLAN]
    assert "as explored before" in second[StepName.DATA_EXPLORATION]["feature_analysis"]
    assert "stays in force" in second[StepName.DATA_SPLIT]["summary"]
    planned = find_candidate(second[StepName.ITERATION_PLAN]["model_architecture_instructions"])
    assert planned is not None
    assert second[StepName.MODEL_ARCHITECTURE]["hyperparameters"] == dict(planned.hyperparameters)


def test_an_iteration_on_a_table_with_a_number_to_predict(tmp_path: Path) -> None:
    table, labels = measurements(200)
    write_split(tmp_path / "data" / "train", table, labels)
    world = World(tmp_path, task(TaskType.REGRESSION, 200))
    run_iteration(world)
    truth, predicted = validation_predictions(world)
    assert (predicted["prediction"] - truth).abs().mean() < (truth - truth.median()).abs().mean()
    explored = PredictionExplorationOutput.model_validate(world.outputs[StepName.PREDICTION_EXPLORATION])
    assert explored.statistics["rows"] == 40
    split = DataSplitOutput.model_validate(world.outputs[StepName.DATA_SPLIT])
    assert "quantiles" in split.strategy
    copy_scripts(world.folder / "model_inference", tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["inference.py"]


def test_a_skipped_exploration_is_made_up_for(tmp_path: Path) -> None:
    table, labels = peptides(120)
    write_split(tmp_path / "data" / "train", table, labels)
    world = World(tmp_path, task(TaskType.BINARY, 120))
    world.step(StepName.ITERATION_PLAN)
    world.step(StepName.DATA_SPLIT)
    world.install_split()
    represented = world.step(StepName.DATA_REPRESENTATION)
    assert represented.called.count("run_python") == 2
    assert world.step(StepName.MODEL_ARCHITECTURE).called == ["final_result"]
