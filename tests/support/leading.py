"""Leading a whole run inside the test: a scripted model, everything else real."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from agents.engine import announce
from agents.fold import fold
from agents.journal import JournalReader
from agents.loop import run_loop
from agents.models.gateway import Gateway
from agents.recorder import Recorder
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.state import RunState
from agents.steering import Steering
from tests.support.expert import Expert
from tests.support.shell import write_dataset


@dataclass
class Ended:
    """A run after its end."""

    run: RunFolder
    state: RunState
    expert: Expert
    """Who answered; one who was never asked where another gateway did."""


async def lead(
    folder: Path,
    expert: Expert | None = None,
    run: RunFolder | None = None,
    gateway: Gateway | None = None,
    **settings: object,
) -> Ended:
    """Lead a run to its end, or on from where an earlier engine left it. ``gateway`` answers in the expert's place."""
    expert = expert or Expert()
    if run is None:
        dataset = folder / "toxicity"
        if not dataset.exists():
            write_dataset(dataset)
        values = {"iterations": 2, "max_validation_retries": 1, **settings}
        run = create_run(folder / "runs", RunSettings(dataset=dataset, **values), "1.0")  # type: ignore[arg-type]
    recorder = Recorder(run.journal, run.run_id)
    announce(run, recorder, run.record())
    steering = Steering(run, recorder)
    watching = asyncio.create_task(steering.watch())
    try:
        await run_loop(run, run.record().settings, recorder, steering, gateway or expert)
    finally:
        watching.cancel()
        recorder.close()
    return Ended(run, fold(JournalReader(run.journal).read_all()), expert)
