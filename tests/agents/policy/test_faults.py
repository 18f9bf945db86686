"""What is said of a model that treats a class, or an end of the labels, badly."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agents.figure_words import in_words, meaning
from agents.policy.faults import collapse, faults
from agents.policy.steps.prediction_exploration import explored
from agents.steps.outputs import PredictionExplorationOutput
from tests.agents.policy.driver import write_split
from tests.agents.policy.test_scripts import predicted, run

IDS = [f"train-{number}" for number in range(400)]


def classified(folder: Path, labels: "np.ndarray", probability: "np.ndarray") -> PredictionExplorationOutput:
    table = pd.DataFrame({"x": np.random.default_rng(5).normal(size=400)})
    write_split(folder / "validation", table, labels)
    predicted(IDS, probability).to_csv(folder / "p.csv", index=False)
    return explore(folder, '["control", "case"]')


def explore(folder: Path, classes: str) -> PredictionExplorationOutput:
    found: dict[str, Any] = run(
        "explore_errors.py",
        *("--split", folder / "validation", "--predictions", "p.csv"),
        *("--classes", classes, "--numeric", '["x"]'),
        cwd=folder,
    )
    return explored(found)


def test_a_class_that_is_never_predicted_is_the_first_thing_said(tmp_path: Path) -> None:
    labels = (np.arange(400) % 4 == 0).astype(int)
    output = classified(tmp_path, labels, np.full(400, 0.25))
    for text in (output.summary, output.failures, output.insights, output.successes):
        assert text.startswith("The classifier has collapsed: case is never predicted, MCC 0.00.")
    assert "spread evenly" not in output.summary
    assert "No figure stands out" not in output.insights
    assert (output.statistics["true_share_case"], output.statistics["predicted_share_case"]) == (0.25, 0.0)
    assert "Class weights or another kind of model" in output.insights


def test_a_threshold_at_fault_is_told_from_probabilities_that_know_nothing(tmp_path: Path) -> None:
    labels = (np.arange(400) % 4 == 0).astype(int)
    (tmp_path / "ranked").mkdir()
    ranked = classified(tmp_path / "ranked", labels, 0.1 + 0.2 * labels)
    assert "threshold of 0.5 is at fault" in ranked.failures
    random = np.random.default_rng(0)
    (tmp_path / "blind").mkdir()
    blind = classified(tmp_path / "blind", labels, random.random(400))
    assert blind.failures.startswith("The predicted classes hardly follow the true ones")
    assert "do not rank" in blind.failures


def test_a_class_that_is_found_seldom_is_named_with_its_shares() -> None:
    found = {"mcc": 0.4, "least_found": "case", "least_found_recall": 0.3, "least_found_true": 0.25}
    (said,) = faults({**found, "least_found_predicted": 0.08})
    assert said == "Of the rows of case 30% are found; 25.0% of the rows are case and 8.0% are predicted so."


def test_a_bias_at_an_end_of_the_labels_is_said(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels = random.normal(0, 1, 400)
    prediction = labels + random.normal(0, 0.2, 400) + np.where(labels <= np.quantile(labels, 0.1), 2.0, 0.0)
    write_split(tmp_path / "validation", pd.DataFrame({"x": random.normal(size=400)}), labels)
    pd.DataFrame({"id": IDS, "prediction": prediction}).to_csv(tmp_path / "p.csv", index=False)
    output = explore(tmp_path, "[]")
    for text in (output.summary, output.failures, output.insights):
        assert text.startswith("The tenth of the rows with the lowest labels is predicted too high by")
    assert collapse(output.statistics) is None
    assert all(meaning(name) != name for name in output.statistics)
    assert len(in_words(output.statistics)) == len(output.statistics)
    assert "5." in faults({"bias_lowest_tenth": 3826.0, "mean_absolute_error": 700.0})[0]


def test_constant_numbers_have_collapsed() -> None:
    assert "all but constant" in (collapse({"spread_of_predictions": 0.01}) or "")
    assert "no better than" in (collapse({"mean_absolute_error": 2.0, "error_of_the_median": 1.9}) or "")


@pytest.mark.parametrize(("low", "said"), [(0.42, False), (0.9, True)])
def test_evenly_is_not_said_beside_a_part_that_is_far_off(low: float, said: bool) -> None:
    statistics = {"rows": 400, "errors": 40, "error_rate": 0.1, "lowest_ratio": low, "highest_ratio": 1.2, "mcc": 0.8}
    output = explored({"statistics": statistics, "examples": [], "confusions": []})
    assert ("spread evenly" in output.failures) is said
    assert ("0.42" in output.failures) is not said


def test_unsure_probabilities_speak_for_no_regularisation() -> None:
    statistics = {"rows": 40, "errors": 4, "error_rate": 0.1, "mcc": 0.8, "overconfidence": -0.2}
    output = explored({"statistics": statistics, "examples": [], "confusions": []})
    assert "not sure enough by 0.20" in output.insights
    assert "less regularisation" not in output.insights


def test_a_few_errors_say_nothing_of_parts_and_successes_begin_with_what_is_right(tmp_path: Path) -> None:
    labels = np.arange(400) % 2
    probability = np.where(labels == 1, 0.9, 0.1)
    probability[7] = 0.2
    output = classified(tmp_path, labels, probability)
    assert output.successes == "399 of 400 validation rows are classified correctly (99.8%), 1 wrongly."
    assert output.failures.startswith("There are too few errors to say in which rows they gather.")
    assert not any("part" in name or "ratio" in name for name in output.statistics)
    assert "times the overall error" not in output.model_dump_json()


def test_errors_are_not_even_where_a_part_is_named_as_the_best_one() -> None:
    part = {"easy_part": "rows with x above 1, up to 2", "easy_part_ratio": 0.8}
    statistics = {"rows": 4000, "errors": 400, "error_rate": 0.1, "lowest_ratio": 0.8, "highest_ratio": 1.1, "mcc": 0.8}
    named = explored({"statistics": statistics | part, "examples": [], "confusions": []})
    assert named.successes.endswith("It does best on rows with x above 1, up to 2 (0.80 times the overall error).")
    assert "spread evenly" not in named.failures
    unnamed = explored({"statistics": statistics, "examples": [], "confusions": []})
    assert "best" not in unnamed.successes
    assert "spread evenly" in unnamed.failures
