"""What models are told: one short Jinja2 file a step, and the frame around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.steps.facts import StepFacts
from agents.templating import templates_in

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class Prompt:
    """The two messages that open a step's conversation."""

    system: str
    user: str


def prompt_for(
    facts: StepFacts, description: str, start_note: str | None, notes: Sequence[str], instructions: str | None
) -> Prompt:
    """The prompt of ``facts.step``.

    ``description`` is the dataset's own text, ``start_note`` and ``notes`` are a person's, ``instructions`` the plan's.
    """
    values = {
        "facts": facts,
        "description": description.strip(),
        "start_note": start_note,
        "notes": notes,
        "instructions": instructions,
    }
    templates = templates_in(_FOLDER)
    return Prompt(
        system=templates.get_template("system.md.j2").render(values).strip(),
        user=templates.get_template("task.md.j2").render(values).strip(),
    )


def step_files() -> Sequence[str]:
    """Names of the steps that have a prompt."""
    return sorted(path.name.removesuffix(".md.j2") for path in (_FOLDER / "steps").glob("*.md.j2"))
