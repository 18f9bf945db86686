"""What the engine runs itself is recorded so that a person can read, and repeat, what was run."""

import json
import sys
from pathlib import Path

from agents.budget import Budget
from agents.calls import ENGINE_TOOL, Calls
from agents.recorder import Recorder
from agents.run_folder import create_run
from agents.settings import RunSettings
from agents.steering import Steering


async def test_a_script_that_the_engine_runs_is_recorded_with_its_command_and_folder(tmp_path: Path) -> None:
    settings = RunSettings(dataset=tmp_path)
    run = create_run(tmp_path / "runs", settings, "1.0")
    recorder = Recorder(run.journal, run.run_id)
    steering = Steering(run, recorder)
    calls = Calls(run, recorder, settings, steering, Budget(settings, recorder, steering))
    argv = [sys.executable, "-c", "", "--input", "a folder"]
    await calls.engine("predict 3 rows", argv, tmp_path, {"PATH": "/usr/bin:/bin", "KEY": "sk-canary"})
    call = recorder.state.tool_calls[0]
    assert (call.tool, call.title, call.exit_status) == (ENGINE_TOOL, "predict 3 rows", 0)
    text = (run.root / call.arguments).read_text()
    assert json.loads(text) == {"command": argv, "folder": str(tmp_path)}
    assert "canary" not in text
