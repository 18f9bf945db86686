"""What a person names on the command line: files, folders and runs."""

import contextlib
import os
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
    """The folder of the runs: the one ``named``, else that of the environment or a settings file, else the default."""
    with _known_home("the folder of the runs"):
        if named:
            return absolute(named)
        settled = None if os.environ.get(RUNS_DIR_VARIABLE) else runs_dir_of_files()
        return settled or default_runs_dir()


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
