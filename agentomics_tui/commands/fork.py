"""``fork``: a new run that shares what another has finished, and goes on from there with other settings."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from agentomics_tui.commands.paths import find_run
from agentomics_tui.commands.run import lead, opens_screen, replaying_path
from agentomics_tui.keys import keys_of_files
from agentomics_tui.user_settings import FIELDS, changed
from agents.errors import UserError
from agents.files import remove_tree
from agents.fork_request import ForkRequest
from agents.outcome import BAD_INPUT
from agents.run_folder import RunFolder
from agents.secrets import Redactor
from agents.settings import RunSettings
from agents.version import software_version
from agents.wording import last_line


def fork(options: argparse.Namespace) -> int:
    """Make the fork, then lead it as ``run`` leads a run. What cannot be forked leaves nothing on the disk."""
    parent = find_run(options.run, options.runs_dir)
    keys = keys_of_files().values
    redact = Redactor.of({**os.environ, **keys})
    if options.note:  # what a person types may hold a key; a run's folder may not
        options.note = redact(options.note)
    request = ForkRequest(
        parent=parent.root,
        runs_dir=options.runs_dir,
        settings=forked_settings(parent.record().settings, options),
        version=software_version(),
        run_id=options.run_id,
        iteration=options.iteration,
        step=options.step,
    )
    return lead(options, _made_elsewhere(request), keys)


def forked_settings(parent: RunSettings, options: argparse.Namespace) -> RunSettings:
    """The parent's settings with the flags that were given; no settings file and no variable has a say here.

    A fork at whose limit nobody would be asked does not wait there, unless a flag wants it.
    """
    given: dict[str, Any] = {
        name: value for name, value in vars(options).items() if name in FIELDS and value is not None
    }
    for role in ("model", "iteration_plan_model"):
        if role in given:
            given[role] = replaying_path(given[role], options.runs_dir)
    if "at_limit" not in given and not opens_screen(options):
        given["at_limit"] = "finish"
    return changed(parent, given)


def _made_elsewhere(request: ForkRequest) -> RunFolder:
    """Make the fork in a process of its own: reading a dataset loads libraries that would slow a screen down.

    Ctrl-C does not reach that process; it is told to end, and cleans up.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "agents.fork"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        made, complaint = process.communicate(request.model_dump_json())
    except BaseException:
        process.terminate()
        made, _ = process.communicate()
        if process.returncode == 0:  # it was faster
            remove_tree(Path(made.removesuffix("\n")))
        raise
    if process.returncode == 0:
        return RunFolder(Path(made.removesuffix("\n")))
    if process.returncode == BAD_INPUT:
        raise UserError(complaint.strip())
    raise UserError(f"run {request.parent.name} could not be forked: {last_line(complaint)}")
