"""The line that says whether the running call gets on."""

from pathlib import Path
from typing import Any

import pytest

from agents.fold import fold
from agents.pulse import Pulse
from screens.stuck import current, standing_words, strip
from tests.support import journals
from tests.support.watching import opened, settled, text_of, until, with_pulse

GB = 1_000_000_000


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tool(silent: float, idle: float, seconds: float = 192, **more: Any) -> Pulse:
    measured = {"cpu_percent": 98.2, "processes": 3, "memory": GB, **more}
    return Pulse(time=0, kind="tool", call=19, seconds=seconds, silent=silent, idle=idle, **measured)


def model(silent: float) -> Pulse:
    return Pulse(time=0, kind="model", call=21, seconds=100, silent=silent, silence_limit=180)


def line(pulse: Pulse, run: journals.StagedRun, width: int = 120, waiting: str = "") -> str:
    state = fold(run.written)
    pulse = pulse.model_copy(update={"call": run.tools if pulse.kind == "tool" else run.models})
    return strip(pulse, state, waiting, width).plain


def test_a_tool_tells_age_output_and_what_its_processes_use() -> None:
    shown = line(tool(4, 1), journals.running_run(Path("runs")))
    assert " ".join(shown.split()) == "● working tool for 3m12s output 4s ago CPU 98% 1.0 GB 3 processes"


def test_the_line_keeps_its_width_from_beat_to_beat() -> None:
    run = journals.running_run(Path("runs"))
    beats = [
        tool(4, 1),
        tool(61, 2, cpu_percent=1_600.0, processes=1, memory=812),
        tool(7_500, 9, 90_000, cpu_percent=None, processes=112),
    ]
    assert len({len(line(pulse, run)) for pulse in beats}) == 1
    assert len({len(line(pulse, run, 70)) for pulse in beats}) == 1


@pytest.mark.parametrize("width", [40, 60, 70, 74, 100])
def test_what_has_no_room_is_left_out_from_the_end(width: int) -> None:
    shown = line(tool(500, 500, gpu_percent=0), journals.running_run(Path("runs")), width)
    assert len(shown) <= width
    assert shown.startswith("! probably hung")
    assert width < 70 or "s skips the step" in shown


def test_a_model_that_sends_nothing_can_be_asked_again() -> None:
    run = journals.asking_run(Path("runs"))
    assert line(model(3), run, waiting="asks for 3s") == "● working · asks for 3s"
    assert line(model(60), run, waiting="asks for 60s") == "○ quiet · no byte for 1m00s of 3m00s · asks for 60s"
    assert line(model(95), run, waiting="w") == "! probably hung · no byte for 1m35s of 3m00s · a asks again"


def test_a_measurement_of_another_call_is_not_shown() -> None:
    state = fold(journals.running_run(Path("runs")).written)
    assert strip(tool(1, 1), state, "asks for 3s", 80).plain == "asks for 3s"
    assert current(model(1), state) is None


def test_status_names_the_command_that_ends_what_hangs() -> None:
    assert standing_words(tool(4, 1), "r") == (
        "working: tool call 19 for 3m12s, last byte 4s ago, CPU 98%, 3 processes with 1.0 GB"
    )
    assert standing_words(tool(500, 500), "r").endswith("end it with: agentomics-tui skip r --step")
    assert standing_words(model(95), "r").endswith("end it with: agentomics-tui ask-again r")


async def test_the_dashboard_shows_what_the_engine_measured() -> None:
    run = with_pulse(journals.running_run(Path("runs")), "tool", 192, 4, idle=1, cpu_percent=98, processes=3)
    async with opened(run) as pilot:
        await settled(pilot)
        await until(pilot, lambda: "● working" in text_of(pilot), "the verdict")
        assert "output 4s ago" in text_of(pilot)
        run.folder.pulse.unlink()
        await until(pilot, lambda: "● working" not in text_of(pilot), "no measurement, no verdict")
