"""The tool ``run_python``."""

import asyncio

import pytest

from agents.events import TrainingProgress, TrainingWarned
from agents.tools.base import ToolResult
from agents.tools.run_python import RunPython, RunPythonArguments
from agents.vocabulary import ToolOutcome
from tests.agents.tools.place import Place

REPORTS = """
import json, sys
def report(**values):
    print("TRAINING_REPORT: " + json.dumps(values))
"""


async def run(
    place: Place,
    script: str,
    *arguments: str,
    path: str = "train.py",
    timeout: float = 60,
    tool: RunPython | None = None,
) -> ToolResult:
    (place.step / "train.py").write_text(script)
    return await (tool or RunPython()).run(
        RunPythonArguments(path=path, arguments=list(arguments)), place.context(run_python_timeout=timeout)
    )


def progress(place: Place) -> list[TrainingProgress]:
    return [event for event in place.events if isinstance(event, TrainingProgress)]


def warned(place: Place) -> list[TrainingWarned]:
    return [event for event in place.events if isinstance(event, TrainingWarned)]


async def test_arguments_reach_the_script_without_a_shell(place: Place) -> None:
    result = await run(place, "import sys, os; print(sys.argv[1:], os.getcwd())", "a b", "$HOME", "; ls", "--x=1")
    assert result.text.split("\n")[1] == f"['a b', '$HOME', '; ls', '--x=1'] {place.step}"
    assert (result.outcome, result.exit_status) == (ToolOutcome.OK, 0)


async def test_a_traceback_goes_back_to_the_model(place: Place) -> None:
    result = await run(place, "print('before')\n1/0\n")
    assert (result.outcome, result.exit_status) == (ToolOutcome.ERROR, 1)
    assert result.text.index("before") < result.text.index("ZeroDivisionError")


async def test_time_out(place: Place) -> None:
    result = await run(place, "import time; print('begin'); time.sleep(1000)", timeout=1.5)
    assert result.text == "timed out after 1.5 s; the whole process group was ended\nbegin"
    assert result.outcome is ToolOutcome.TIMEOUT


async def test_scripts_outside_the_iteration_or_missing_are_refused(place: Place) -> None:
    outside = place.root / "outside.py"
    outside.write_text("open('ran', 'w')")
    (place.step / "link.py").symlink_to(outside)
    for path in (str(outside), "link.py", "../../../outside.py", "missing.py", ".", "\0"):
        result = await run(place, "", path=path)
        assert result.outcome is ToolOutcome.ERROR
        assert result.exit_status is None
    assert not (place.step / "ran").exists()


async def test_only_python_files_are_run(place: Place) -> None:
    (place.step / "data.txt").write_text("print('no')")
    assert "does not end in .py" in (await run(place, "", path="data.txt")).text


async def test_reports_become_events_of_the_call(place: Place) -> None:
    await run(place, REPORTS + "report(epoch=1, of=2, train_loss=0.5, AUROC=float('nan'), message='forest')")
    assert progress(place) == [
        TrainingProgress(call=7, epoch=1, of=2, values={"train_loss": 0.5, "AUROC": None}, message="forest")
    ]


async def test_a_report_that_is_written_in_pieces_is_read_whole(place: Place) -> None:
    script = """
import os, time
for byte in b'TRAINING_REPORT: {"epoch": 1, "loss": 0.5, "message": "gr\\xc3\\xb6\\xc3\\x9fer"}\\n':
    os.write(1, bytes([byte])); time.sleep(0.001)
"""
    await run(place, script)
    assert [(event.epoch, event.message) for event in progress(place)] == [(1, "größer")]


async def test_a_report_without_newline_at_the_end_counts(place: Place) -> None:
    await run(place, """print('TRAINING_REPORT: {"epoch": 9}', end="")""")
    assert [event.epoch for event in progress(place)] == [9]


async def test_progress_is_seen_while_the_script_runs(place: Place) -> None:
    script = REPORTS + "import time\nreport(epoch=1)\nreport(epoch=2)\ntime.sleep(1000)"
    task = asyncio.create_task(run(place, script, timeout=1000))
    async with asyncio.timeout(60):
        while [event.epoch for event in progress(place)] != [1, 2]:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_flood_of_reports_is_thinned_and_the_last_one_kept(place: Place) -> None:
    result = await run(place, REPORTS + "for epoch in range(20_000): report(epoch=epoch, loss=1/(epoch + 1))")
    epochs = [event.epoch for event in progress(place)]
    assert epochs == sorted(epochs)
    assert (epochs[0], epochs[-1]) == (0, 19_999)
    seconds = float(result.text.split(" s,")[0].rpartition(" ")[2])
    assert len(epochs) <= 20 * (seconds + 1) + 2


async def test_findings_are_events_and_go_back_to_the_model(place: Place) -> None:
    result = await run(
        place, REPORTS + "for epoch in range(3): report(epoch=epoch, train_loss=float('nan'))\nprint('end')"
    )
    (event,) = warned(place)
    assert (event.call, event.rule) == (7, "not_finite")
    assert result.text.split("\n")[-2:] == [
        "end",
        "Watch: train_loss is nan at epoch 0; training on is pointless (not finite)",
    ]


async def test_what_only_the_end_shows_is_told_too(place: Place) -> None:
    result = await run(place, REPORTS + "for epoch in range(8): report(epoch=epoch, train_loss=0.693)")
    assert [event.rule for event in warned(place)] == ["not_converging"]
    assert "Watch: in 8 reports" in result.text


async def test_a_malformed_report_is_left_out_with_a_remark(place: Place) -> None:
    script = (
        "print('TRAINING_REPORT: {epoch: 1}'); print('TRAINING_REPORT: {}'); print('TRAINING_REPORT: {\"epoch\": 3}')"
    )
    result = await run(place, script)
    assert "Ignored: 2 TRAINING_REPORT lines: it is no valid JSON" in result.text
    assert [event.epoch for event in progress(place)] == [3]
    assert result.outcome is ToolOutcome.OK


async def test_a_report_imitated_by_printed_source_is_none(place: Place) -> None:
    result = await run(place, "print(open(__file__).read())  # TRAINING_REPORT: {epoch}")
    assert progress(place) == []
    assert "Ignored" not in result.text


async def test_silence_is_an_event_and_does_not_end_the_script(place: Place) -> None:
    script = "import time; print('a'); time.sleep(1.5); print('b')"
    result = await run(place, script, tool=RunPython(silence_seconds=0.4))
    assert [event.rule for event in warned(place)] == ["silent"]
    assert result.outcome is ToolOutcome.OK
    assert "Watch: nothing was printed" in result.text
    assert "b" in result.text.split("\n")


async def test_a_talking_script_is_not_silent(place: Place) -> None:
    script = "import time\nfor i in range(26): print('.', end=''); time.sleep(0.1)"
    await run(place, script, tool=RunPython(silence_seconds=2))
    assert warned(place) == []
