"""The app starts light, opens the right screen and lets a person move between them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agentomics_tui.app import AgentomicsApp, farewell
from agents.state import RunState
from agents.vocabulary import RunStatus
from screens.dashboard import DashboardScreen
from screens.run_library import RunLibraryScreen
from tests.support import journals
from tests.support.watching import settled, until

_HEAVY = {"litellm", "pandas", "sklearn", "numpy", "scipy"}

_PAINT = """
import asyncio, json, sys
from pathlib import Path
from agents.run_folder import RunFolder
from agentomics_tui.app import AgentomicsApp
from tests.support.watching import settled

async def paint(run):
    app = AgentomicsApp(run, Path(sys.argv[1]))
    async with app.run_test(size=(120, 40)) as pilot:
        if run:
            await settled(pilot)
        await pilot.pause()

asyncio.run(paint(RunFolder(Path(sys.argv[1]) / "peptides-demo")))
asyncio.run(paint(None))
print(json.dumps(sorted(sys.modules)))
"""


def test_no_model_or_data_library_is_loaded_by_an_app_that_has_painted(tmp_path: Path) -> None:
    journals.finished_run(tmp_path)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _PAINT, str(tmp_path)], cwd=root, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "textual" in loaded
    assert not loaded & _HEAVY


async def test_without_a_run_the_library_opens(tmp_path: Path) -> None:
    app = AgentomicsApp(None, tmp_path)
    async with app.run_test() as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunLibraryScreen))
        await pilot.press("q")
    assert (app.return_value, app.return_code) == (None, 0)


async def test_l_shows_all_runs_and_enter_watches_one(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    journals.failed_run(tmp_path, "another")
    app = AgentomicsApp(run.folder, tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, RunLibraryScreen))
        await until(pilot, lambda: app.screen.focused is not None)
        await pilot.pause(0.1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        dashboard = await settled(pilot)
        assert dashboard.state.status.is_over
        assert len(app.screen_stack) == 2


async def test_the_app_ends_its_workers_when_it_ends(tmp_path: Path) -> None:
    app = AgentomicsApp(journals.running_run(tmp_path).folder, tmp_path)
    async with app.run_test() as pilot:
        await settled(pilot)
        workers = list(app.workers)
        assert workers
    assert all(worker.is_finished for worker in workers)


@pytest.mark.parametrize("key", ["ctrl+q", "q"])
async def test_leaving_touches_nothing_of_the_run(tmp_path: Path, key: str) -> None:
    run = journals.running_run(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in run.folder.root.rglob("*")}
    app = AgentomicsApp(run.folder, tmp_path)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press(key)
        await pilot.pause()
    assert {path: path.stat().st_mtime_ns for path in run.folder.root.rglob("*")} == before
    assert app.return_value == "The run goes on. Watch it again with: agentomics-tui watch peptides-demo"


def test_a_run_id_cannot_break_out_of_the_farewell() -> None:
    assert "\x1b" not in farewell(RunState(status=RunStatus.RUNNING), "a\x1b[31m\nb")
