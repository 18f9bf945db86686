"""A small stand-in for the engine: leads the built-in policy through a step with real processes and real files."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("LITELLM_LOG", "ERROR")

import litellm
import numpy as np
import pandas as pd

from agents.policy.provider import register
from agents.steps.facts import IterationFacts, PathFacts, StepFacts, TaskFacts
from agents.steps.outputs import OUTPUT_OF, StepOutput
from agents.vocabulary import BUILTIN_MODEL, IterationMode, IterationStatus, SplitName, StepName, TaskType
from tests.support.scripts import minimal_environment, run_script

TOOLS = ("write_python", "run_python", "bash", "replace", "foundation_models_info", "final_result")
MODEL_STEPS = tuple(OUTPUT_OF)[:-1]


def tool_schemas() -> list[dict[str, Any]]:
    return [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in TOOLS]


@dataclass
class Talk:
    """One step's conversation as it went."""

    messages: list[dict[str, Any]]
    output: StepOutput | None = None
    last_words: str = ""

    @property
    def called(self) -> list[str]:
        calls = [call for message in self.messages for call in message.get("tool_calls") or ()]
        return [str(call["function"]["name"]) for call in calls]

    @property
    def said(self) -> str:
        return "\n".join(str(message["content"]) for message in self.messages if message["role"] == "assistant")


@dataclass
class World:
    """A run's folders, with the facts that a step's prompt would have."""

    root: Path
    task: TaskFacts
    iterations: int = 3
    seed: int = 0
    split_version: int | None = None
    history: list[IterationFacts] = field(default_factory=list)
    outputs: dict[StepName, dict[str, Any]] = field(default_factory=dict)

    @property
    def iteration(self) -> int:
        return len(self.history)

    @property
    def folder(self) -> Path:
        return self.root / "iterations" / f"{self.iteration:03d}"

    @property
    def split(self) -> dict[SplitName, str] | None:
        if self.split_version is None:
            return None
        return {name: str(self.root / "splits" / "v1" / name) for name in SplitName}

    def facts(self, step: StepName) -> StepFacts:
        folder = self.folder / step
        folder.mkdir(parents=True, exist_ok=True)
        return StepFacts(
            step=step,
            iteration=self.iteration,
            iterations=self.iterations,
            exploring=self.iteration == 1,
            may_split=self.split_version is None,
            split_version=self.split_version,
            seed=self.seed,
            cpus=1,
            time_left=None,
            task=self.task,
            paths=PathFacts(
                data=str(self.root / "data"), iteration=str(self.folder), step=str(folder), split=self.split
            ),
            plan=self.outputs.get(StepName.ITERATION_PLAN),
            outputs=self.outputs,
            history=self.history,
        )

    def step(
        self, step: StepName, judge: Callable[[StepOutput], str] = lambda _: "", notes: tuple[str, ...] = ()
    ) -> Talk:
        """Lead one step to its end; ``judge`` returns why an output is rejected, or nothing."""
        facts = self.facts(step)
        talk = Talk([{"role": "system", "content": "s"}, {"role": "user", "content": f"# Facts\n\n{facts.block()}"}])
        talk.messages += [{"role": "user", "content": note} for note in notes]
        for _ in range(60):
            message = asyncio.run(ask(talk.messages))
            talk.messages.append(message)
            if not message.get("tool_calls"):
                talk.last_words = message["content"]
                return talk
            (call,) = message["tool_calls"]
            arguments = json.loads(call["function"]["arguments"])
            if call["function"]["name"] == "final_result":
                output = OUTPUT_OF[step].model_validate(arguments)
                answer = judge(output)
                if not answer:
                    talk.output = output
                    self.outputs[step] = output.model_dump(mode="json")
                    return talk
            else:
                answer = execute(call["function"]["name"], arguments, Path(facts.paths.step))
            talk.messages.append({"role": "tool", "tool_call_id": call["id"], "content": answer})
        raise AssertionError("the step did not end")

    def install_split(self) -> None:
        """Archive the split that data_split handed over."""
        for name in SplitName:
            source = self.folder / self.outputs[StepName.DATA_SPLIT][name]
            shutil.copytree(source, self.root / "splits" / "v1" / name)
        self.split_version = 1

    def end_iteration(self, train: float, validation: float) -> None:
        plan = self.outputs[StepName.ITERATION_PLAN]
        self.history.append(
            IterationFacts(
                iteration=self.iteration,
                status=IterationStatus.DONE,
                mode=IterationMode(plan["mode"]),
                combination=plan["combination"],
                split_version=self.split_version,
                train={self.task.metric: train},
                validation={self.task.metric: validation},
                is_best=True,
                seconds=1.0,
                outputs=self.outputs,
            )
        )
        self.outputs = {}


async def ask(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The policy's answer, through litellm, as the message that goes into the next request."""
    register()
    response = await litellm.acompletion(model=BUILTIN_MODEL, messages=messages, tools=tool_schemas())
    assert response.model == BUILTIN_MODEL
    assert litellm.completion_cost(response) == 0.0
    reply = response.choices[0].message
    message: dict[str, Any] = {"role": "assistant", "content": reply.content}
    if reply.tool_calls:
        message["tool_calls"] = [call.model_dump() for call in reply.tool_calls]
    return message


def execute(tool: str, arguments: dict[str, Any], step: Path) -> str:
    """What the tool gives back."""
    if tool == "write_python":
        (step / arguments["path"]).parent.mkdir(parents=True, exist_ok=True)
        (step / arguments["path"]).write_text(arguments["content"])
        return f"wrote {arguments['path']}: {len(arguments['content'].splitlines())} lines"
    if tool == "run_python":
        return _told(run_script(step / arguments["path"], *arguments["arguments"], cwd=step))
    if tool == "bash":
        command = ["/bin/sh", "-c", arguments["command"]]
        environment = minimal_environment()
        return _told(subprocess.run(command, cwd=step, env=environment, capture_output=True, text=True, check=False))
    raise AssertionError(f"unexpected tool {tool}")


def _told(done: subprocess.CompletedProcess[str]) -> str:
    output = done.stdout + done.stderr
    shown = output if len(output) <= 12_000 else f"{output[:8000]}\n[cut]\n{output[-4000:]}"
    return f"exit status {done.returncode}, 0.1 s, {len(output):,} bytes\n{shown}"


# --- small datasets --------------------------------------------------------------------------------------------------


def write_split(folder: Path, inputs: pd.DataFrame, labels: "np.ndarray", groups: "np.ndarray | None" = None) -> None:
    (folder / "input").mkdir(parents=True)
    ids = [f"train-{number}" for number in range(len(inputs))]
    inputs.assign(id=ids)[["id", *inputs.columns]].to_csv(folder / "input" / "data.csv", index=False)
    pd.DataFrame({"id": ids, "numeric_label": labels}).to_csv(folder / "labels.csv", index=False)
    if groups is not None:
        pd.DataFrame({"id": ids, "group": groups}).to_csv(folder / "groups.csv", index=False)


def peptides(rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Peptides; those of class 1 have more lysine and arginine."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(rows) % 2)
    letters = np.array(list("ACDEFGHIKLMNPQRSTVWY"))
    weights = np.ones((2, 20))
    weights[1, [8, 14]] = 4
    weights /= weights.sum(axis=1, keepdims=True)
    words = ["".join(random.choice(letters, size=random.integers(10, 30), p=weights[label])) for label in labels]
    return pd.DataFrame({"peptide": words}), labels


def measurements(rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A table with numbers, a category and gaps, and a label that depends on them."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(rows, 5)), columns=list("abcde"))
    table["tissue"] = random.choice(["liver", "lung", "skin"], rows)
    labels = 2 * table["a"] - table["b"] ** 2 + (table["tissue"] == "lung") + random.normal(0, 0.3, rows)
    table.loc[table.index[::17], "c"] = np.nan
    return table, labels.to_numpy()


def task(task_type: TaskType, rows: int, *, has_groups: bool = False, brings_validation: bool = False) -> TaskFacts:
    regression = task_type is TaskType.REGRESSION
    return TaskFacts(
        dataset="small",
        task_type=task_type,
        metric="RMSE" if regression else "AUROC",
        higher_is_better=not regression,
        classes=[] if regression else ["no", "yes"],
        rows={"train": rows},
        has_groups=has_groups,
        brings_validation=brings_validation,
    )
