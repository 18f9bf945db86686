"""Datasets whose inputs are FASTA files, and those whose inputs are neither that nor a table."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from agents.steps.facts import IterationFacts
from agents.vocabulary import IterationStatus, SplitName, StepName, TaskType
from tests.agents.policy.driver import World, peptides, task
from tests.agents.policy.test_scripts import run
from tests.agents.policy.test_whole_iteration import run_iteration


def write_fasta(folder: Path, rows: int) -> None:
    """Two files, with one sequence that nobody has labelled."""
    table, labels = peptides(rows)
    (folder / "input").mkdir(parents=True)
    records = [f">p{number} source={number}\n{word[:8]}\n{word[8:]}\n" for number, word in enumerate(table["peptide"])]
    (folder / "input" / "one.fasta").write_text("".join(records[: rows // 2]))
    (folder / "input" / "two.fasta").write_text("".join([*records[rows // 2 :], ">unlabelled\nACDEFGHIKL\n"]))
    ids = [f"p{number}" for number in range(rows)]
    pd.DataFrame({"id": ids, "numeric_label": labels}).iloc[::-1].to_csv(folder / "labels.csv", index=False)


def fasta_ids(folder: Path) -> list[str]:
    lines = [line for file in (folder / "input").glob("*.fasta") for line in file.read_text().splitlines()]
    return [line[1:].split()[0] for line in lines if line.startswith(">")]


def test_fasta_is_explored_and_split_with_just_the_labelled_sequences(tmp_path: Path) -> None:
    write_fasta(tmp_path / "data" / "train", 120)
    data = ("--data", tmp_path / "data")
    found = run("explore.py", *data, "--task", "binary", "--classes", '["a", "b"]', cwd=tmp_path)
    assert found["profile"]["sequence_columns"] == ["sequence"]
    assert found["profile"]["alphabet"] == {"sequence": "protein"} and found["profile"]["rows"] == 120
    run("split.py", *data, "--output", ".", "--task", "binary", "--seed", 0, cwd=tmp_path)
    for name in SplitName:
        labelled = pd.read_csv(tmp_path / name / "labels.csv")["id"].tolist()
        assert sorted(fasta_ids(tmp_path / name)) == sorted(labelled)


@pytest.mark.slow
def test_a_whole_iteration_on_fasta(tmp_path: Path) -> None:
    write_fasta(tmp_path / "data" / "train", 160)
    world = World(tmp_path, task(TaskType.BINARY, 160))
    run_iteration(world)
    assert world.outputs[StepName.PREDICTION_EXPLORATION]["statistics"]["rows"] == 32


def test_inputs_that_cannot_be_read_are_named_once_and_not_tried_again(tmp_path: Path) -> None:
    write_fasta(tmp_path / "data" / "train", 20)
    inputs = tmp_path / "data" / "train" / "input"
    shutil.rmtree(inputs)
    inputs.mkdir()
    (inputs / "slide.png").write_bytes(b"\x89PNG")
    world = World(tmp_path, task(TaskType.BINARY, 20))
    first = world.step(StepName.DATA_EXPLORATION)
    assert first.output is None and first.called.count("run_python") == 1
    assert "The built-in policy cannot read these inputs" in first.last_words
    assert "slide.png" in first.last_words and "Traceback" not in str(first.messages)
    reason = f"data_exploration failed: 3 replies in a row called no tool; the last one said: {first.last_words}"
    world.history.append(IterationFacts(iteration=0, status=IterationStatus.FAILED, reason=reason))
    again = world.step(StepName.DATA_EXPLORATION)
    assert again.called == [] and again.last_words == first.last_words
