"""The tool ``foundation_models_info`` and the catalogue that it reads."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import Field

from agents.excerpt import one_line
from agents.tools.base import Tool, ToolArguments, ToolContext, ToolResult
from agents.vocabulary import ToolOutcome

CATALOGUE: Final = Path(__file__).parent.parent / "foundation_models"
_FIELDS: Final = ("name", "input", "sizes", "licence")
_NOTICE: Final = (
    "Nothing is downloaded while a run goes on. A family is usable only where its package and its weights are "
    "present already: try the import and a load from the local files first, and use something else if they fail."
)


@dataclass(frozen=True)
class Family:
    """One family of pre-trained models. ``page`` is Markdown without the front matter."""

    name: str
    input: str
    sizes: str
    licence: str
    page: str

    @property
    def key(self) -> str:
        """The name without case and punctuation."""
        return _key(self.name)


class FoundationModelsInfoArguments(ToolArguments):
    """Arguments of ``foundation_models_info``."""

    family: str | None = Field(None, description="A family's name from the list; leave out to get the list.")


class FoundationModelsInfo(Tool[FoundationModelsInfoArguments]):
    """Look up pre-trained models for proteins, DNA, RNA and small molecules.

    Without argument: the families, one line each. With a family: what it is for, input format, sizes, how to load
    it, what to mind, licence and source. Nothing is downloaded: a family can be used only where its package and
    weights are already present in this environment.
    """

    name = "foundation_models_info"
    arguments = FoundationModelsInfoArguments

    async def run(self, arguments: FoundationModelsInfoArguments, context: ToolContext) -> ToolResult:
        families = {family.key: family for family in load_catalogue(CATALOGUE)}
        if arguments.family is None or not arguments.family.strip():
            text = "\n".join([_NOTICE, "", *map(_entry, families.values())])
        elif found := families.get(_key(arguments.family)):
            text = f"# {found.name}\n\n{_NOTICE}\n\n{_entry(found)}\n\n{found.page}"
        else:
            return ToolResult(_unknown(arguments.family, families), ToolOutcome.ERROR)
        context.log.write_text(text + "\n", encoding="utf-8")
        return ToolResult(text)

    def title(self, arguments: FoundationModelsInfoArguments) -> str:
        return one_line(arguments.family or "list of families")


@cache
def load_catalogue(folder: Path) -> tuple[Family, ...]:
    """All families of a folder of Markdown files, by name; raises ``ValueError`` where a front matter is wrong."""
    families = (_parse(path.read_text(encoding="utf-8"), path.name) for path in folder.glob("*.md"))
    return tuple(sorted(families, key=lambda family: family.name.lower()))


def _parse(text: str, source: str) -> Family:
    match = re.fullmatch(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL)
    if match is None:
        raise ValueError(f"{source}: it does not begin with a front matter between two lines of ---")
    fields = dict(line.split(": ", 1) for line in match[1].splitlines() if ": " in line)
    if tuple(fields) != _FIELDS:
        raise ValueError(f"{source}: its front matter has {', '.join(fields)} instead of {', '.join(_FIELDS)}")
    return Family(**fields, page=match[2].strip())


def _entry(family: Family) -> str:
    return f"- {family.name}: {family.input}; {family.sizes}; licence {family.licence}"


def _unknown(wanted: str, families: dict[str, Family]) -> str:
    key = _key(wanted)
    near = [name for name in families if key and (key in name or name in key)]
    near += [name for name in get_close_matches(key, families, n=3, cutoff=0.5) if name not in near]
    names = [families[name].name for name in near]
    hint = f"did you mean {' or '.join(names)}? " if names else ""
    known = ", ".join(family.name for family in families.values())
    return f"no family {one_line(wanted, 80)!r}; {hint}Known: {known}"


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
