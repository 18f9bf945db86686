"""``status`` on a run that goes on."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from agentomics_tui.commands.look import status
from tests.support import journals
from tests.support.watching import with_engine, with_pulse


def lines(capsys: pytest.CaptureFixture[str], run: journals.StagedRun) -> dict[str, str]:
    assert status(Namespace(run=str(run.folder.root), runs_dir=run.folder.root.parent, json=False)) == 0
    return {line[:10].strip(): line[11:] for line in capsys.readouterr().out.splitlines()}


def object_of(capsys: pytest.CaptureFixture[str], run: journals.StagedRun) -> dict[str, object]:
    assert status(Namespace(run=str(run.folder.root), runs_dir=run.folder.root.parent, json=True)) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_it_says_whether_the_running_call_gets_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = with_pulse(journals.running_run(tmp_path), "tool", 512, 312, idle=298, cpu_percent=0.3, processes=4)
    assert lines(capsys, run)["now"].startswith("probably hung: tool call 36 for 8m32s, last byte 5m12s ago, CPU 0%")
    now = object_of(capsys, run)["now"]
    assert isinstance(now, dict)
    assert (now["verdict"], now["call"], now["silent"], now["gpu_percent"]) == ("hung", 36, 312, None)


def test_it_forecasts_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = with_engine(journals.running_run(tmp_path))
    assert lines(capsys, run)["forecast"].startswith("done about ")
    coming = object_of(capsys, run)["forecast"]
    assert isinstance(coming, dict)
    assert coming["seconds"]["low"] < coming["seconds"]["high"]
    assert len(coming["end"]) == 2


def test_it_tells_neither_of_a_run_that_is_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = journals.finished_run(tmp_path)
    assert not {"now", "forecast"} & set(lines(capsys, run))
    told = object_of(capsys, run)
    assert (told["now"], told["forecast"]) == (None, None)
