"""What a person may want to approve: the plan of an iteration, and each script that its training step runs."""

import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from agents.approvals import Subject
from agents.context import RunContext
from agents.files import write_atomically
from agents.steps.agent import Approved, CallVerdict, schema_problems
from agents.steps.checks import plan_problems
from agents.steps.facts import StepFacts
from agents.steps.outputs import IterationPlanOutput
from agents.tools.registry import title_of
from agents.tools.run_python import RunPython, RunPythonArguments
from agents.vocabulary import Gate, StepName

_PLAN: Final = "plan.yaml"
_WIDTH: Final = 68
"""Characters of a line of the plan, so that the smallest screen breaks none of them again."""
_SHORT: Final = 40
"""A text that is longer stands below its name."""


class Approving:
    """The questions of one step of iteration ``index``; it remembers what a person saw last, to show what changed."""

    def __init__(self, context: RunContext, index: int, facts: StepFacts) -> None:
        self._context = context
        self._facts = facts
        self._step_dir = context.run.step(index, facts.step)
        self._iteration_dir = context.run.iteration(index)
        self._seen: tuple[str, str] | None = None

    async def plan(self, output: IterationPlanOutput) -> Approved[IterationPlanOutput]:
        """What a person makes of a plan that passed the engine's checks."""
        approvals = self._context.steering.approvals
        if not approvals.wanted(Gate.PLAN):
            return Approved(output)
        text = as_yaml(output)
        answer = await approvals.ask(Subject(Gate.PLAN, output.change, _PLAN, text, self._problems_of_plan, self._seen))
        self._seen = (f"rejected {_PLAN}", text)
        match answer.verdict:
            case "reject":
                return Approved(None, answer.reason)
            case "edit":
                return Approved(_plan_of(answer.text))
            case _:
                return Approved(output)

    async def call(self, name: str, arguments: str) -> CallVerdict:
        """What a person makes of a tool call of the training step."""
        approvals = self._context.steering.approvals
        if name != RunPython.name or self._facts.step is not StepName.MODEL_TRAINING:
            return CallVerdict()
        script = self._script_of(arguments)
        if script is None or not approvals.wanted(Gate.TRAINING):
            return CallVerdict()
        text = script.read_text(encoding="utf-8", errors="replace")
        before = self._seen or self._best_script()
        subject = Subject(
            Gate.TRAINING,
            title_of(name, self._context.run.shown(arguments)),
            script.name,
            text,
            lambda edited: self._problems_of_script(script, edited),
            before,
        )
        answer = await approvals.ask(subject)
        self._seen = (f"{script.name} as it was shown before", text)
        match answer.verdict:
            case "reject":
                return CallVerdict(refused=f"The person who watches did not let this run: {answer.reason}")
            case "edit":
                write_atomically(script, answer.text)
                self._seen = (f"{script.name} as it was edited", answer.text)
                changed = replace(subject, text=answer.text, before=(script.name, text)).change
                return CallVerdict(remark=f"Before this ran, the person who watches edited {script.name}:\n{changed}")
            case _:
                return CallVerdict()

    def _problems_of_plan(self, text: str) -> Sequence[str]:
        try:
            plan = _plan_of(text)
        except yaml.YAMLError as error:
            return [f"this is no YAML: {' '.join(str(error).split())}"]
        except ValidationError as error:
            return schema_problems(error, IterationPlanOutput)
        return plan_problems(plan, self._facts)

    def _problems_of_script(self, script: Path, text: str) -> Sequence[str]:
        if not script.is_relative_to(self._step_dir.resolve()):
            return [f"{script.name} belongs to another step and cannot be edited; reject it with a reason"]
        try:
            ast.parse(text)
        except (SyntaxError, ValueError) as error:
            return [f"this is no Python: {error}"]
        return ()

    def _script_of(self, arguments: str) -> Path | None:
        """The script that a call names; None where the tool will refuse it anyway."""
        try:
            path = RunPythonArguments.model_validate_json(arguments).path
            script = (self._step_dir / path).resolve()
            inside = script.is_relative_to(self._iteration_dir.resolve()) and script.is_file()
        except (ValidationError, OSError, ValueError, RuntimeError):
            return None
        return script if inside else None

    def _best_script(self) -> tuple[str, str] | None:
        best = self._context.recorder.state.best
        if best is None:
            return None
        path = self._context.run.step(best.iteration, StepName.MODEL_TRAINING) / "train.py"
        if not path.is_file():
            return None
        return f"train.py of iteration {best.iteration}", path.read_text(encoding="utf-8", errors="replace")


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks, as a person would."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else ">" if len(text) > _SHORT else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(plan: IterationPlanOutput) -> str:
    """The plan as a person reads and edits it."""
    fields: dict[str, Any] = plan.model_dump(mode="json")
    return yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _plan_of(text: str) -> IterationPlanOutput:
    """Raises ``yaml.YAMLError`` or ``pydantic.ValidationError``."""
    return IterationPlanOutput.model_validate(yaml.safe_load(text))
