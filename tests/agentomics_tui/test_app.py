"""The app starts light, opens the right screen and lets a person move between them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agentomics_tui import worker
from agentomics_tui.app import AgentomicsApp, farewell
from agents.state import RunState
from agents.vocabulary import RunStatus, StepName, ToolOutcome
from screens.dashboard import DashboardScreen
from screens.run_library import RunLibraryScreen
from screens.tool_inspector import ToolInspectorScreen
from tests.support import journals
from tests.support.watching import settled, text_of, until, with_engine

_HEAVY = {"litellm", "pandas", "sklearn", "numpy", "scipy"}

_PAINT = """
import asyncio, json, sys
from pathlib import Path
from agents.run_folder import RunFolder
from agentomics_tui import worker
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


async def test_escape_goes_back_from_all_runs_to_the_one_that_was_watched(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    journals.failed_run(tmp_path, "another")
    app = AgentomicsApp(run.folder, tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, RunLibraryScreen) and "another" in text_of(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        assert (await settled(pilot)).folder == run.folder


async def test_the_app_ends_its_workers_when_it_ends(tmp_path: Path) -> None:
    app = AgentomicsApp(journals.running_run(tmp_path).folder, tmp_path)
    async with app.run_test() as pilot:
        await settled(pilot)
        workers = list(app.workers)
        assert workers
    assert all(worker.is_finished for worker in workers)


@pytest.mark.parametrize("key", ["ctrl+q", "q"])
async def test_leaving_touches_nothing_of_the_run(tmp_path: Path, key: str) -> None:
    run = with_engine(journals.running_run(tmp_path))
    before = {path: path.stat().st_mtime_ns for path in run.folder.root.rglob("*")}
    app = AgentomicsApp(run.folder, tmp_path, steers=False)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press(key)
        await pilot.pause()
    assert {path: path.stat().st_mtime_ns for path in run.folder.root.rglob("*")} == before
    assert app.return_value == "The run goes on. Watch it again with: agentomics-tui watch peptides-demo"


def test_a_run_id_cannot_break_out_of_the_farewell() -> None:
    assert "\x1b" not in farewell(RunState(status=RunStatus.RUNNING), "a\x1b[31m\nb", None)


async def test_an_old_refused_run_is_looked_at_from_the_library_without_ending_the_app(tmp_path: Path) -> None:
    run = with_engine(journals.running_run(tmp_path))
    journals.refused_run(tmp_path, "refused", "train.csv: row 7: no label")
    app = AgentomicsApp(run.folder, tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, RunLibraryScreen) and "refused" in text_of(pilot))
        await pilot.press("slash", *"refused", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, DashboardScreen))
        dashboard = await settled(pilot)
        await pilot.pause(0.1)
        assert dashboard.state.status is RunStatus.REFUSED
        assert app.return_value is None
        assert "row 7: no label" in text_of(pilot)


@pytest.mark.parametrize("key", ["ctrl+p", "f1"])
async def test_the_inspector_learns_of_the_end_of_its_call_below_whatever_lies_over_it(
    tmp_path: Path, key: str
) -> None:
    run = with_engine(journals.running_run(tmp_path))
    app = AgentomicsApp(run.folder, tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ToolInspectorScreen))
        inspector = app.screen
        await pilot.press(key)
        await pilot.pause()
        run.end_tool(3, StepName.MODEL_TRAINING, "run_python")
        await until(pilot, lambda: inspector.call.outcome is ToolOutcome.OK, "the inspector knows")
        await pilot.press("escape")
        await until(pilot, lambda: "✓ ok" in text_of(pilot), "and shows it")


async def test_a_fault_in_a_worker_is_shown_and_does_not_end_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = with_engine(journals.running_run(tmp_path))
    faults = iter(range(3))

    def faulty(path: Path) -> None:
        if next(faults, None) is not None:
            raise RuntimeError("a fault [/ of the program")

    app = AgentomicsApp(run.folder, tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        read_lock = worker.read_lock
        monkeypatch.setattr(worker, "read_lock", lambda path: faulty(path) or read_lock(path))
        await until(pilot, lambda: "RuntimeError: a fault [/ of the program" in text_of(pilot), "the fault")
        await until(pilot, lambda: "RuntimeError" not in text_of(pilot), "it works again")
        run.finish(RunStatus.STOPPED, "enough")
        await until(pilot, lambda: "The run was stopped" in text_of(pilot), "it goes on")


_LATE = {
    "screens.tool_inspector",
    "screens.run_library",
    "screens.questions",
    "screens.limit_question",
    "screens.key_card",
    "agentomics_tui.log_source",
    "agentomics_tui.lines",
    "agents.log_file",
    "agents.data.layout",
    "agents.steps.facts",
    "plotext",
    "textual.highlight",
}


def test_what_a_first_picture_does_not_show_is_not_loaded_for_it() -> None:
    root = Path(__file__).parents[2]
    code = "import json, sys, agentomics_tui.app, agentomics_tui.commands.look; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert not set(json.loads(done.stdout)) & _LATE
