"""What a model is told in a step: as an example, or as it was in a run."""

import argparse
import json
from typing import Any

from agentomics_tui.commands.out import complain, say, say_json, say_text
from agentomics_tui.commands.paths import find_run
from agents.errors import UserError
from agents.program import to_type
from agents.prompts import Prompt, step_files
from agents.run_folder import RunFolder
from agents.vocabulary import STEPS, StepName


def prompts(options: argparse.Namespace) -> int:
    """Without a step list the steps; with one print what the model gets to read, and with ``--json`` its tools too."""
    if options.step is None:
        if options.run is not None or options.iteration is not None:
            raise UserError("prompts: name a step as well")
        _list(as_json=options.json)
        return 0
    step = _step(options.step)
    if options.run is None:
        if options.iteration is not None:
            raise UserError("prompts: --iteration goes with --run")
        complain(
            f"the facts in this prompt are an example; those of a run: {to_type('prompts', step, '--run', 'last')}"
        )
        prompt, offered = _example(step)
    else:
        prompt, offered = _recorded(find_run(options.run, options.runs_dir), options.iteration or 0, step)
    if options.json:
        say_json({"system": prompt.system, "user": prompt.user, "tools": offered})
        return 0
    say_text(f"# System message\n\n{prompt.system}\n\n# User message\n\n{prompt.user}")
    return 0


def _list(*, as_json: bool) -> None:
    with_prompt = set(step_files())
    for step in STEPS:
        if step.value not in with_prompt:
            continue
        if as_json:
            say_json({"step": step.value, "label": step.label})
        else:
            say(f"{step.value:<24} {step.label}")


def _step(name: str) -> StepName:
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted not in step_files():
        engine = wanted == StepName.VALIDATION_EVALUATION
        why = "is done by the engine, without a model" if engine else "is no step"
        raise UserError(f"{name}: {why}; steps: {', '.join(step for step in STEPS if step in step_files())}")
    return StepName(wanted)


def _example(step: StepName) -> tuple[Prompt, list[dict[str, Any]]]:
    from agents.prompts import prompt_for
    from agents.prompts.example import DESCRIPTION, example_facts, example_instructions
    from agents.prompts.offered import tools_of

    return prompt_for(example_facts(step), DESCRIPTION, None, (), example_instructions(step)), tools_of(step)


def _recorded(run: RunFolder, iteration: int, step: StepName) -> tuple[Prompt, list[dict[str, Any]]]:
    """The first request of the step that the run recorded. Of the tools it holds only the names."""
    from agents.prompts.offered import tools_of

    for path in sorted(run.model_calls.glob("*.json")):
        try:
            record = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue  # torn by a crash
        if not isinstance(record, dict) or (record.get("iteration"), record.get("step")) != (iteration, step):
            continue
        messages = [message for message in record.get("new_messages") or () if isinstance(message, dict)]
        texts = {role: _text_of(messages, role) for role in ("system", "user")}
        if record.get("messages_before") == 0 and all(texts.values()):
            names = record.get("tools") or ()
            offered = [tool for tool in tools_of(step) if tool["function"]["name"] in names]
            return Prompt(texts["system"], texts["user"]), offered
    raise UserError(f"run {run.run_id} has no recorded model call of the step {step} in iteration {iteration}")


def _text_of(messages: list[dict[str, Any]], role: str) -> str:
    """The first message of that role; its content is text, or parts of which some are text."""
    content = next((message.get("content") for message in messages if message.get("role") == role), "")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
