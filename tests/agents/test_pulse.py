"""What a measurement says of the call that runs."""

import json
import time
from pathlib import Path

import pytest

from agents.lock import EngineLock
from agents.pulse import STALE_SECONDS, Pulse, Verdict, read_pulse, verdict, verdict_words
from agents.run_folder import RunFolder


def tool(silent: float, idle: float | None, *, connected: bool = False) -> Pulse:
    return Pulse(time=0.0, kind="tool", call=1, seconds=900.0, silent=silent, idle=idle, connected=connected)


def model(silent: float, limit: float | None = 180.0) -> Pulse:
    return Pulse(time=0.0, kind="model", call=1, seconds=900.0, silent=silent, silence_limit=limit)


@pytest.mark.parametrize(
    ("pulse", "says", "words"),
    [
        (tool(2, 2), Verdict.WORKING, "working"),
        (tool(59, 500), Verdict.WORKING, "working"),
        (tool(3_600, 1), Verdict.QUIET, "quiet but busy"),
        (tool(90, 90), Verdict.QUIET, "quiet"),
        (tool(120, 119), Verdict.QUIET, "quiet"),
        (tool(120, 500), Verdict.HUNG, "probably hung"),
        (tool(500, 120), Verdict.HUNG, "probably hung"),
        (tool(119, None), Verdict.QUIET, "quiet"),
        (tool(120, None), Verdict.HUNG, "probably hung"),
        (tool(500, 500, connected=True), Verdict.QUIET, "awaits network"),
        (tool(500, 1, connected=True), Verdict.QUIET, "quiet but busy"),
        (tool(5, 500, connected=True), Verdict.WORKING, "working"),
        (tool(1_800, 1_800, connected=True), Verdict.HUNG, "probably hung"),
        (model(20), Verdict.WORKING, "working"),
        (model(30), Verdict.QUIET, "quiet"),
        (model(90), Verdict.HUNG, "probably hung"),
        (model(89, 600), Verdict.WORKING, "working"),
        (model(5_000, None), Verdict.WORKING, "working"),
    ],
)
def test_a_verdict_follows_from_output_and_use_of_processors(pulse: Pulse, says: Verdict, words: str) -> None:
    assert (verdict(pulse), verdict_words(pulse)) == (says, words)


def test_a_pulse_counts_as_long_as_the_engine_beats_with_it(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert read_pulse(run) is None
    pulse = Pulse(time=time.time(), kind="tool", call=1, seconds=3, silent=1)
    run.pulse.write_text(pulse.model_dump_json())
    assert read_pulse(run) is None, "no engine holds the lock"
    EngineLock.acquire(run.lock)
    assert read_pulse(run) == pulse
    lock = json.loads(run.lock.read_text())
    run.lock.write_text(json.dumps(lock | {"heartbeat": pulse.time + STALE_SECONDS + 1}))
    assert read_pulse(run) is None, "the engine lives, but its measurement is old"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "dance"}'])
def test_a_pulse_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    run = RunFolder(tmp_path)
    EngineLock.acquire(run.lock)
    run.pulse.write_text(text)
    assert read_pulse(run) is None
