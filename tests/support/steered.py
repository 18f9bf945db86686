"""A run whose commands are applied inside the test."""

from pathlib import Path

from agents.recorder import Recorder
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.steering import Steering


def steering_of(folder: Path) -> tuple[RunFolder, Recorder, Steering]:
    """A new run, the recorder of its journal, and what applies its commands."""
    run = create_run(folder, RunSettings(dataset=Path("/data/d")), "1.0")
    recorder = Recorder(run.journal, run.run_id)
    return run, recorder, Steering(run, recorder)
