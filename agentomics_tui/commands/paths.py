"""What a person names on the command line: files, folders and runs."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from agentomics_tui.user_settings import runs_dir_of_files
from agents.errors import UserError
from agents.run_folder import RUNS_DIR_VARIABLE, RunFolder, default_runs_dir, resolve_run


def absolute(path: str | Path) -> Path:
    """``path`` from the root, ``~`` resolved; raises :class:`UserError` where that names nobody's home."""
    with _known_home(path):
        found = Path(path).expanduser().absolute()
    try:
        str(found).encode()
    except UnicodeEncodeError:
        raise UserError(f"{found}: the name is not UTF-8 text; rename the file or folder") from None
    return found


def runs_dir(named: str | None) -> Path:
    """The folder of the runs: the one ``named``, else that of the environment or a settings file, else the default.

    It need not exist yet. Raises :class:`UserError` where it cannot, because a file stands in its place or above it.
    """
    with _known_home("the folder of the runs"):
        folder, source = _runs_dir(named)
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if stat.S_ISDIR(_mode(nearest)):
        return folder
    where = "" if nearest == folder else f"{nearest} "
    raise UserError(f"{source} {folder}: {where}is no folder; name one that holds runs, or that can be made")


def _runs_dir(named: str | None) -> tuple[Path, str]:
    """The folder of the runs, and who names it."""
    if named:
        return absolute(named), "--runs-dir"
    if os.environ.get(RUNS_DIR_VARIABLE):
        return default_runs_dir(), RUNS_DIR_VARIABLE
    settled = runs_dir_of_files()
    return settled or default_runs_dir(), "runs_dir of a settings file:" if settled else "the user's runs folder"


def _mode(path: Path) -> int:
    """Kind of what ``path`` leads to; that of a folder where it may not be looked at, which is told when it is used."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0
    except OSError:
        return stat.S_IFDIR


def find_run(reference: str, folder: Path) -> RunFolder:
    """The run that ``reference`` means below ``folder``; raises :class:`UserError`."""
    with _known_home(reference):
        return resolve_run(reference, folder)


@contextlib.contextmanager
def _known_home(named: str | Path) -> Iterator[None]:
    try:
        yield
    except RuntimeError:  # of Path.expanduser
        raise UserError(f"{named}: '~' names the home folder of nobody known here") from None
