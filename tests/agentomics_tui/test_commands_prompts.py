"""Prompts can be read before a run as an example, and after it as they were."""

import json
from pathlib import Path

import pytest

from agents.prompts import step_files
from agents.vocabulary import StepName
from tests.support.command_line import Runs
from tests.support.journals import finished_run


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_without_a_step_the_steps_are_listed_in_their_order(runs: Runs) -> None:
    lines = runs("prompts").stdout.splitlines()
    assert [line.split()[0] for line in lines][:2] == ["iteration_plan", "data_exploration"]
    assert {line.split()[0] for line in lines} == set(step_files())
    listed = [json.loads(line)["step"] for line in runs("prompts", "--json").stdout.splitlines()]
    assert listed == [line.split()[0] for line in lines]


def test_an_example_says_that_it_is_one_but_not_where_the_prompt_goes(runs: Runs) -> None:
    done = runs("prompts", "model-training")
    assert done.returncode == 0
    assert done.stderr.startswith("agentomics-tui: the facts in this prompt are an example")
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith("# System message\n\nYou build machine-learning models")
    assert "<facts>" in done.stdout
    assert "python train.py --train-data DIR" in done.stdout


def test_json_has_what_the_model_gets_with_its_tools(runs: Runs) -> None:
    offered = {}
    for step in ("iteration_plan", "data_split"):
        told = json.loads(runs("prompts", step, "--json").stdout)
        assert set(told) == {"system", "user", "tools"}
        offered[step] = [tool["function"]["name"] for tool in told["tools"]]
    assert offered["iteration_plan"] == ["final_result"]
    assert {"bash", "run_python", "final_result"} <= set(offered["data_split"])


def test_a_run_is_read_as_it_was(runs: Runs) -> None:
    folder = finished_run(runs.folder).folder
    folder.model_calls.mkdir(exist_ok=True)

    def record(call: int, before: int, system: str, step: StepName = StepName.DATA_SPLIT, iteration: int = 1) -> None:
        messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": [{"type": "text", "text": "do"}]},
        ]
        value = {"call": call, "iteration": iteration, "step": step, "messages_before": before}
        value |= {"new_messages": messages, "tools": ["bash", "final_result"]}
        (folder.model_calls / f"{call:06d}.json").write_text(json.dumps(value))

    record(1, 0, "another iteration", iteration=0)
    record(2, 0, "another step", StepName.MODEL_TRAINING)
    (folder.model_calls / "000003.json").write_text('{"call": 3, "iter')
    (folder.model_calls / "000004.json").write_text("[]")
    record(5, 0, "you \x1b[2Jsplit")
    record(6, 2, "later")
    done = runs("prompts", "data_split", "--run", "last", "--iteration", 1)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "# System message\n\nyou split\n\n# User message\n\ndo\n"
    told = json.loads(runs("prompts", "data_split", "--run", "last", "--iteration", 1, "--json").stdout)
    assert [tool["function"]["name"] for tool in told["tools"]] == ["bash", "final_result"]
    assert "no recorded model call of the step data_split in iteration 7" in runs.error(
        "prompts", "data_split", "--run", "last", "--iteration", 7
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "nonsense: is no step; steps: iteration_plan, data_exploration, "),
        (["validation_evaluation"], "validation_evaluation: is done by the engine, without a model"),
        (["data_split", "--iteration", "1"], "prompts: --iteration goes with --run"),
        (["--run", "last"], "prompts: name a step as well"),
        (["data_split", "--run", "last"], "no runs in "),
    ],
)
def test_a_slip_is_told_in_one_line(runs: Runs, arguments: list[str], said: str) -> None:
    assert runs.error("prompts", *arguments).startswith(said)
