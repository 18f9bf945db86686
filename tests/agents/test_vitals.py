"""Measuring real processes: what they compute, what they leave, what a card says of them."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents import events as ev
from agents.fold import fold
from agents.lock import EngineLock
from agents.processes import GUARDS, run_process
from agents.pulse import Pulse, read_pulse
from agents.run_folder import RunFolder
from agents.settings import RunSettings
from agents.state import RunState
from agents.vitals import Family, Gpus, Vitals, gpu_percent, published
from tests.support.waiting import until_true

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SPIN = "import time\nend = time.monotonic() + 120\nwhile time.monotonic() < end: pass"
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a subreaper")


@asynccontextmanager
async def command(folder: Path, *argv: str) -> AsyncIterator[None]:
    """A command that runs while the block does."""
    work = run_process(argv, cwd=folder, environment=dict(os.environ), log=folder / "log", timeout=120)
    task = asyncio.create_task(work)
    try:
        await until_true(lambda: bool(GUARDS), "a guard")
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def measured(family: Family, enough: Callable[[float, Family], bool]) -> Callable[[], bool]:
    def look() -> bool:
        cpu = family.look(frozenset(GUARDS))
        return cpu is not None and enough(cpu, family)

    return look


async def test_a_process_that_computes_uses_a_processor(tmp_path: Path) -> None:
    family = Family()
    async with command(tmp_path, sys.executable, "-c", SPIN):
        await until_true(measured(family, lambda cpu, it: cpu > 10 and len(it.pids) == 1 and it.memory > 1_000_000))
    assert not GUARDS
    family.look(frozenset(GUARDS))
    assert (family.pids, family.memory) == (frozenset(), 0)


async def test_a_process_that_waits_uses_none(tmp_path: Path) -> None:
    family = Family()
    async with command(tmp_path, "sleep", "120"):
        await until_true(measured(family, lambda cpu, it: cpu < 1 and len(it.pids) == 1))


@linux
async def test_a_descendant_in_a_session_of_its_own_counts(tmp_path: Path) -> None:
    family = Family()
    async with command(tmp_path, "sh", "-c", f"setsid {sys.executable} -c '{SPIN}' & exec sleep 120"):
        await until_true(measured(family, lambda cpu, it: cpu > 10 and len(it.pids) == 2))


@linux
async def test_commands_too_short_to_be_seen_count_too(tmp_path: Path) -> None:
    family = Family()
    burst = "while :; do head -c 3000000 /dev/zero | sha256sum > /dev/null; done"
    async with command(tmp_path, "sh", "-c", burst):
        family.look(frozenset(GUARDS))
        await asyncio.sleep(1.0)
        assert (family.look(frozenset(GUARDS)) or 0.0) > 10


# --- the GPU ---------------------------------------------------------------------------------------------------------


@contextmanager
def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Iterator[Path]:
    program = folder / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    yield program


CARDS = 'case "$1" in *apps*) echo "77, GPU-a"; echo "88, GPU-b";; *) echo "GPU-a, 61"; echo "GPU-b, [N/A]";; esac'


def test_the_card_on_which_a_process_computes_tells_how_busy_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nvidia_smi(tmp_path, monkeypatch, CARDS) as program:
        assert gpu_percent(str(program), {5, 77}) == 61
        assert gpu_percent(str(program), {88}) is None, "the card does not say"
        assert gpu_percent(str(program), {5}) is None, "somebody else computes there"


@pytest.mark.parametrize("body", ["exit 9", "echo no devices", "printf '\\377'"])
def test_a_card_that_cannot_be_asked_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    with nvidia_smi(tmp_path, monkeypatch, body) as program:
        assert gpu_percent(str(program), {77}) is None


def test_a_card_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nvidia_smi(tmp_path, monkeypatch, "exec sleep 120") as program:
        assert gpu_percent(str(program), {77}, limit=0.2) is None


async def test_asking_a_card_holds_nobody_up_and_is_done_at_most_every_ten_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    with nvidia_smi(
        tmp_path, monkeypatch, f"echo x >> {asked}; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; {CARDS}"
    ):
        clock = [100.0]
        gpus = Gpus(clock=lambda: clock[0])
        assert gpus.percent({77}) is None
        clock[0] += 1_000
        assert gpus.percent({77}) is None, "the first question has no answer yet, so no second one is asked"
        (tmp_path / "go").touch()
        await until_true(lambda: gpus._percent is not None, "an answer")
        questions = len(asked.read_text())
        assert gpus.percent({77}) == 61
        await until_true(lambda: gpus._asking is not None and not gpus._asking.is_alive(), "the second answer")
        clock[0] += 9
        gpus.percent({77})
        assert len(asked.read_text()) == 2 * questions


# --- one run ---------------------------------------------------------------------------------------------------------


def state_of(*events: ev.EventBase) -> RunState:
    started = ev.RunStarted(dataset="d", model="openai/gpt-5", iterations=1)
    return fold(event.model_copy(update={"seq": n, "time": NOW}) for n, event in enumerate((started, *events)))


class Time:
    def __init__(self) -> None:
        self.passed = 0.0

    def clock(self) -> float:
        return 1_000.0 + self.passed

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)


def vitals(run: RunFolder, state: RunState, passing: Time, silence: float = 180) -> Vitals:
    settings = RunSettings(dataset=Path("/d"), llm_silence_timeout=silence)
    return Vitals(run, state, settings, now=passing.now, clock=passing.clock)


TOOL = ev.ToolCallStarted(call=1, tool="bash", title="x", log="log", arguments="log.json")
MODEL = ev.ModelCallStarted(call=1, model="openai/gpt-5", stream="stream")


def test_output_ends_the_silence_of_a_tool(tmp_path: Path) -> None:
    passing = Time()
    of = vitals(RunFolder(tmp_path), state_of(TOOL), passing)
    passing.passed = 40
    first = of.look()
    assert first is not None
    assert (first.kind, first.call, first.seconds, first.silent, first.idle) == ("tool", 1, 40, 40, 40)
    (tmp_path / "log").write_text("epoch 1")
    passing.passed = 42
    second = of.look()
    assert second is not None
    assert (second.silent, second.idle, second.processes) == (0, 42, 0)
    passing.passed = 50
    third = of.look()
    assert third is not None
    assert third.silent == 8


def test_a_model_is_silent_since_the_last_byte_of_its_reply(tmp_path: Path) -> None:
    passing = Time()
    of = vitals(RunFolder(tmp_path), state_of(MODEL), passing, silence=60)
    passing.passed = 5
    (tmp_path / "stream").write_text("{}\n")
    of.look()
    passing.passed = 25
    pulse = of.look()
    assert pulse is not None
    assert (pulse.kind, pulse.seconds, pulse.silent, pulse.silence_limit, pulse.idle) == ("model", 25, 20, 60, None)


def test_waiting_for_a_retry_is_no_silence(tmp_path: Path) -> None:
    passing = Time()
    retry = ev.ModelCallRetried(call=1, model="openai/gpt-5", reason="429", retry=1, of=3, wait=300)
    of = vitals(RunFolder(tmp_path), state_of(MODEL, retry), passing)
    passing.passed = 290
    pulse = of.look()
    assert pulse is not None
    assert pulse.silent == 0
    passing.passed = 310
    pulse = of.look()
    assert pulse is not None
    assert pulse.silent == 20


def test_nothing_is_measured_between_calls_and_while_the_run_is_held(tmp_path: Path) -> None:
    passing = Time()
    assert vitals(RunFolder(tmp_path), state_of(), passing).look() is None
    assert vitals(RunFolder(tmp_path), state_of(MODEL, ev.Held(reason="paused")), passing).look() is None


@linux
async def test_a_tool_that_waits_for_a_server_in_silence_is_told_from_one_that_waits_for_nobody(tmp_path: Path) -> None:
    passing = Time()
    of = vitals(RunFolder(tmp_path), state_of(TOOL), passing)

    def connected() -> bool:
        passing.passed += 300
        pulse = of.look()
        assert pulse is not None
        return pulse.connected

    async with command(tmp_path, "sleep", "120"):
        await until_true(lambda: not connected() and bool(of._family.pids), "the process is seen")
    with socket.create_server(("127.0.0.1", 0)) as server:
        talk = f"import socket; socket.create_connection({server.getsockname()!r}).recv(1)"
        async with command(tmp_path, sys.executable, "-c", talk):
            await until_true(connected, "the connection is seen")
            passing.passed += 10
            (tmp_path / "log").write_text("it came")
            pulse = of.look()
            assert pulse is not None
            assert not pulse.connected, "what is not silent need not be explained"


async def test_the_pulse_lies_beside_the_lock_while_something_runs(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    EngineLock.acquire(run.lock)
    state = state_of(TOOL)
    pulses: list[Pulse] = []

    def seen() -> bool:
        pulse = read_pulse(run)
        if pulse is not None:
            pulses.append(pulse)
        return pulse is not None

    with published(run, Vitals(run, state, RunSettings(dataset=Path("/d")))):
        await until_true(seen, "a pulse")
    assert pulses[-1].call == 1
    assert abs(pulses[-1].time - time.time()) < 600
    assert not run.pulse.exists(), "nobody measures any more"
