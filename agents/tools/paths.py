"""Where a path from a model really leads, and whether the agent may write or run what is there."""

from pathlib import Path

from agents.tools.base import ToolContext


class PathRefused(Exception):
    """A path may not be used; the message tells the model why and what to use instead."""


def writable_file(path: str, context: ToolContext) -> Path:
    """The resolved path of a file inside the step's folder, which need not exist; raises :class:`PathRefused`."""
    target = _resolved(path, context.step_dir)
    if target == context.step_dir or not target.is_relative_to(context.step_dir):
        raise PathRefused(
            f"{path!r} leads to {target}, outside this step's folder. Files may be written only inside "
            f"{context.step_dir}; relative paths start there"
        )
    if _exists(target) and not target.is_file():
        raise PathRefused(f"{path!r} is not a file but a {'folder' if target.is_dir() else 'special file'}")
    return target


def existing_file(path: str, context: ToolContext) -> Path:
    """Like :func:`writable_file`, for a file that must exist."""
    target = writable_file(path, context)
    if not _exists(target):
        raise PathRefused(f"there is no file {path!r}; relative paths start in {context.step_dir}")
    return target


def script_file(path: str, context: ToolContext) -> Path:
    """The resolved path of an existing script inside the iteration's folder; raises :class:`PathRefused`."""
    target = _resolved(path, context.step_dir)
    if not target.is_relative_to(context.iteration_dir):
        raise PathRefused(
            f"{path!r} leads to {target}, outside this iteration. "
            f"Only scripts inside {context.iteration_dir} may be run"
        )
    if not _exists(target):
        elsewhere = _resolved(path, context.iteration_dir)
        hint = f"; did you mean {str(elsewhere)!r}?" if _exists(elsewhere) and elsewhere.is_file() else ""
        raise PathRefused(f"there is no file {path!r}; relative paths start in {context.step_dir}{hint}")
    if not target.is_file():
        raise PathRefused(f"{path!r} is not a file")
    return target


def _resolved(path: str, base: Path) -> Path:
    if not path.strip():
        raise PathRefused("the path is empty")
    try:
        return (base / path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a NUL or a lone surrogate
        raise PathRefused(f"{path!r} is no usable path: {error}") from None


def _exists(target: Path) -> bool:
    try:
        return target.exists()
    except OSError as error:
        raise PathRefused(f"{target.name[:80]!r}… is no usable path: {error.strerror}") from None
