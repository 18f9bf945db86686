"""The tool ``replace``."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher, unified_diff
from itertools import islice
from pathlib import Path
from stat import S_IMODE
from typing import Final

from pydantic import Field

from agents.errors import is_of_the_disk
from agents.excerpt import excerpt, one_line
from agents.files import write_atomically
from agents.tools.base import Tool, ToolArguments, ToolContext, ToolResult
from agents.tools.paths import PathRefused, existing_file
from agents.tools.python_source import syntax_error
from agents.vocabulary import ToolOutcome
from agents.wording import counted

_LIMIT: Final = 1_000_000
_COMPARED_LINES: Final = 5_000
_COMPARED_LENGTH: Final = 300
_SIMILAR: Final = 0.6


class Edit(ToolArguments):
    """One replacement."""

    old: str = Field(min_length=1, description="Text that occurs exactly once, with its indentation.")
    new: str = Field(description="What stands there afterwards; empty to delete.")


class ReplaceArguments(ToolArguments):
    """Arguments of ``replace``."""

    path: str = Field(description="File to change; a relative path starts in this step's folder.")
    edits: list[Edit] = Field(min_length=1, description="Applied in order, each to the result of those before it.")


class EditRefused(Exception):
    """An edit cannot be made; the message tells the model which and why."""


class Replace(Tool[ReplaceArguments]):
    """Change parts of a text file inside this step's folder: all edits or none.

    The old text of each edit must occur exactly once, character for character; give enough lines around it. Edits
    are applied in order, each to the result of those before it. A Python file must still compile. If anything is
    wrong, the file stays as it was. You get the difference. Files of at most 1,000,000 bytes.
    """

    name = "replace"
    arguments = ReplaceArguments

    async def run(self, arguments: ReplaceArguments, context: ToolContext) -> ToolResult:
        try:
            target = existing_file(arguments.path, context)
            before = _read(target)
            after = apply_edits(before, [(edit.old, edit.new) for edit in arguments.edits])
            if after == before:
                raise EditRefused("the edits leave the file as it is")
            if target.suffix == ".py" and (problem := syntax_error(after, target.name)):
                raise EditRefused(f"after the edits it would be no valid Python. {problem}")
            data = after.encode()
        except (PathRefused, EditRefused) as error:
            return ToolResult(f"nothing was changed: {error}", ToolOutcome.ERROR)
        except UnicodeEncodeError:
            return ToolResult("nothing was changed: an edit holds a lone surrogate, no character", ToolOutcome.ERROR)
        try:
            mode = S_IMODE(target.stat().st_mode)
            write_atomically(target, data)
            target.chmod(mode)
        except OSError as error:
            if is_of_the_disk(error):
                raise
            return ToolResult(f"{arguments.path!r} cannot be written: {error.strerror}", ToolOutcome.ERROR)
        difference = _difference(before, after, str(target.relative_to(context.step_dir)))
        context.log.write_text(difference, encoding="utf-8")
        return ToolResult(f"{counted(len(arguments.edits), 'edit')} made\n{excerpt(difference)}")

    def title(self, arguments: ReplaceArguments) -> str:
        return one_line(f"{arguments.path} ({counted(len(arguments.edits), 'edit')})")


def apply_edits(text: str, edits: Sequence[tuple[str, str]]) -> str:
    """``text`` after all edits (old, new), each applied to the result of those before it.

    Raises :class:`EditRefused` where an old text does not occur exactly once; occurrences may overlap.
    """
    for number, (old, new) in enumerate(edits, start=1):
        positions = list(islice(_occurrences(text, old), 11))
        if not positions:
            raise EditRefused(f"edit {number}: its old text does not occur.{_hint(text, old)}")
        if len(positions) > 1:
            lines = ", ".join(str(text.count("\n", 0, position) + 1) for position in positions[:10])
            many = "more than 10" if len(positions) > 10 else str(len(positions))
            raise EditRefused(
                f"edit {number}: its old text occurs {many} times, at lines {lines}; give more of the text around it"
            )
        start = positions[0]
        text = text[:start] + new + text[start + len(old) :]
    return text


def _occurrences(text: str, old: str) -> Iterator[int]:
    position = text.find(old)
    while position >= 0:
        yield position
        position = text.find(old, position + 1)


def _hint(text: str, old: str) -> str:
    """Where the old text may have been meant."""
    if "\r\n" in text and "\r" not in old and old in text.replace("\r\n", "\n"):
        return " The file ends its lines with CR LF (\\r\\n)"
    wanted = next((line for line in old.splitlines() if line.strip()), "")
    lines = text.splitlines()[:_COMPARED_LINES]
    for number, line in enumerate(lines, start=1):
        if wanted and line.strip() == wanted.strip():
            if line == wanted:
                return f" Its first line stands at line {number}, but what follows there differs"
            return f" Line {number} differs only in spaces: {line!r}"
    likeness, number = max(
        ((_similarity(line, wanted), -number) for number, line in enumerate(lines)), default=(0.0, 0)
    )
    if not wanted or likeness < _SIMILAR:
        return " No line is similar; look at the file"
    return f" Most similar is line {1 - number}: {lines[-number][:_COMPARED_LENGTH]!r}"


def _similarity(line: str, wanted: str) -> float:
    matcher = SequenceMatcher(None, line[:_COMPARED_LENGTH], wanted[:_COMPARED_LENGTH], autojunk=False)
    # The cheap upper bounds spare the real comparison for nearly all lines.
    if matcher.real_quick_ratio() < _SIMILAR or matcher.quick_ratio() < _SIMILAR:
        return 0.0
    return matcher.ratio()


def _read(target: Path) -> str:
    try:
        if target.stat().st_size > _LIMIT:
            raise EditRefused(f"{target.name} is larger than {_LIMIT:,} bytes; use bash")
        return target.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise EditRefused(f"{target.name} is no UTF-8 text (byte {error.start:,})") from None
    except OSError as error:
        raise EditRefused(f"{target.name} cannot be read: {error.strerror}") from None


def _difference(before: str, after: str, name: str) -> str:
    lines = unified_diff(before.split("\n"), after.split("\n"), name, name, lineterm="")
    return "\n".join(lines) + "\n"
