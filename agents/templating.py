"""Text from Jinja2 templates: prompts for a model, Markdown for people."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agents.certainty import gain_in_words
from agents.excerpt import clean
from agents.wording import MISSING, counted, duration, fork_words, score

if TYPE_CHECKING:
    from jinja2 import Environment

_DOCUMENTS: Final = Path(__file__).parent / "templates"
_CELL: Final = 160
_LISTED: Final = 12
_OBJECT: Final = re.compile(r"([a-z]+): (\{.*\})")


@cache
def templates_in(folder: Path, finalize: Callable[[Any], Any] | None = None) -> "Environment":
    """The templates of a folder; a name that a template does not know is an error.

    ``finalize`` sees every value before it is put in.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # whoever renders nothing does not wait for it

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
        autoescape=False,  # noqa: S701 - plain text and Markdown, no markup
    )


def markdown(template: str, **values: object) -> str:
    """A Markdown document from ``agents/templates/``, harmless in a terminal whatever text went into it."""
    text = _documents().get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _documents() -> "Environment":
    # Each text by itself, so that no escape sequence begins in one and ends in another.
    environment = templates_in(_DOCUMENTS, _harmless)
    environment.filters.update(
        duration=duration,
        score=score,
        counted=counted,
        fork=fork_words,
        gain=gain_in_words,
        inline=_inline,
        cell=_cell,
        quoted=_quoted,
        readable=_readable,
    )
    return environment


def _harmless(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _inline(text: str) -> str:
    """Text that stays inside its paragraph, whatever the Markdown of its further lines would mean."""
    return " ".join(clean(text).split())


def _cell(text: str) -> str:
    """Text that stays inside one cell of a table."""
    line = _inline(text)
    return (line if len(line) <= _CELL else f"{line[: _CELL - 1]}…").replace("|", "\\|")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in clean(text).splitlines())


def _readable(value: Any) -> str:
    match value:
        case list():
            return "\n".join(f"- {_inline(_words(item))}" for item in value)
        case dict():
            return "\n".join(f"- {_inline(key)}: {_inline(_words(item))}" for key, item in value.items())
        case str():
            return "\n".join(map(_said, value.splitlines()))
        case _:
            return _words(value)


def _said(line: str) -> str:
    """``line``; what the built-in policy writes for itself, ``name: {JSON}``, in words."""
    if found := _OBJECT.fullmatch(line):
        with suppress(ValueError):
            return f"{found[1].capitalize()}: {_words(json.loads(found[2]))}"
    return line


def _words(value: Any) -> str:
    """A value of JSON without its brackets and quotes."""
    match value:
        case None:
            return MISSING
        case bool():
            return "yes" if value else "no"
        case float():
            return score(value)
        case list() | dict() if not value:
            return "none"
        case list():
            more = len(value) - _LISTED
            return ", ".join(map(_words, value[:_LISTED])) + (f" and {more} more" if more > 0 else "")
        case dict():
            return "; ".join(f"{key.replace('_', ' ')} {_words(item)}" for key, item in value.items())
        case _:
            return str(value)
