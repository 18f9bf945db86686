"""``fork``: a new run that shares what another has finished, and goes on from there with other settings."""

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from agentomics_tui.commands.paths import find_run
from agentomics_tui.commands.run import lead, opens_screen, replaying_path
from agentomics_tui.keys import keys_of_files
from agentomics_tui.user_settings import FIELDS, changed
from agents.run_folder import RunFolder
from agents.secrets import Redactor
from agents.settings import RunSettings
from agents.version import software_version


def fork(options: argparse.Namespace) -> int:
    """Make the fork, then lead it as ``run`` leads a run. What cannot be forked leaves nothing on the disk."""
    parent = find_run(options.run, options.runs_dir)
    keys = keys_of_files().values
    redact = Redactor.of({**os.environ, **keys})
    if options.note:  # what a person types may hold a key; a run's folder may not
        options.note = redact(options.note)
    settings = forked_settings(parent.record().settings, options)
    place = {"run_id": options.run_id, "iteration": options.iteration, "step": options.step}
    return lead(options, _made_elsewhere(parent, options.runs_dir, settings, place), keys)


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


def _made_elsewhere(parent: RunFolder, runs_dir: Path, settings: RunSettings, place: dict[str, Any]) -> RunFolder:
    """Make the fork in a process of its own: reading a dataset loads libraries that would slow a screen down."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_make, parent, runs_dir, settings, place).result()


def _make(parent: RunFolder, runs_dir: Path, settings: RunSettings, place: dict[str, Any]) -> RunFolder:
    from agents.fork import fork_run

    return fork_run(parent, runs_dir, settings, software_version(), **place)
