"""Reports in Markdown, one of each iteration as it ends and one of the run, from the state and the outputs."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents.excerpt import clean
from agents.files import write_atomically
from agents.history import outputs_of
from agents.run_folder import RunFolder
from agents.state import RunState
from agents.vocabulary import RunStatus, SplitName

_CELL: Final = 160


def write_iteration_report(run: RunFolder, state: RunState, index: int) -> Path:
    """``iterations/NNN/report.md`` of an iteration that ended."""
    iteration = state.iterations[index]
    calls = [call for call in state.tool_calls if call.iteration == index]
    text = _render("iteration.md.j2", state=state, iteration=iteration, outputs=outputs_of(run, iteration), calls=calls)
    path = run.iteration(index) / "report.md"
    write_atomically(path, text)
    return path


def write_run_report(run: RunFolder, state: RunState, status: RunStatus, reason: str) -> Path:
    """``report/report.md`` of a run that ends with ``status``."""
    version = state.best.split_version if state.best else None
    scored = sum(
        1
        for iteration in state.iterations
        if iteration.split_version == version and iteration.score(SplitName.VALIDATION, state.metric) is not None
    )
    text = _render("run.md.j2", state=state, status=status, reason=reason, scored=scored)
    run.report.mkdir(exist_ok=True)
    path = run.report / "report.md"
    write_atomically(path, text)
    return path


def duration(seconds: float) -> str:
    """Seconds as a person reads them: ``4.2 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def _render(template: str, **values: object) -> str:
    text = _templates().get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _templates() -> Environment:
    environment = Environment(  # noqa: S701 - Markdown, read by people
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,  # each text by itself, so that no escape sequence begins in one and ends in another
    )
    environment.filters.update(
        duration=duration, score=_score, inline=_inline, cell=_cell, quoted=_quoted, readable=_readable
    )
    return environment


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


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
            return "\n".join(f"- {_inline(str(item))}" for item in value)
        case dict():
            return "\n".join(
                f"- {_inline(key)}: {_inline(json.dumps(item, ensure_ascii=False))}" for key, item in value.items()
            )
        case _:
            return str(value)
