"""Hostile code behind each sandbox. With ``-s`` a table tells, for each attempt and sandbox, what came of it."""

import sys
from pathlib import Path

import pytest

from agents.errors import UserError
from agents.sandbox import choose, watch
from agents.sandbox.choose import problem_with, sandbox_of
from agents.sandbox.fence import Limits, Plain, Sandbox, SandboxKind
from tests.agents.sandbox.hostile import ATTEMPTS
from tests.agents.sandbox.world import World, world
from tests.support.processes import processes_of
from tests.support.waiting import until_true

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sandboxes need Linux")
CONFINED = (SandboxKind.BUBBLEWRAP, SandboxKind.LANDLOCK)


def held(kind: SandboxKind) -> Sandbox:
    """That sandbox; the test is skipped where it does not hold on this machine."""
    sandbox = sandbox_of(kind)
    if kind is not SandboxKind.PLAIN and (problem := problem_with(sandbox)):
        pytest.skip(f"{kind} does not hold here: {problem}")
    return sandbox


@pytest.mark.slow
@pytest.mark.parametrize("kind", SandboxKind)
async def test_no_hostile_code_gets_or_changes_anything(kind: SandboxKind, tmp_path: Path) -> None:
    sandbox, possible, succeeded = held(kind), [], 0
    for number, attempt in enumerate(ATTEMPTS):
        (root := tmp_path / f"{number:02d}").mkdir()
        with world(root) as place:
            before = place.state()
            done = await place.run(sandbox, attempt.code)
            (root / "log").unlink()
            got = any(line.startswith("GOT") for line in done.excerpt.splitlines())
            changed = place.state() != before
        verdict = "possible" if got or changed else "blocked"
        succeeded += verdict == "possible"
        print(f"{kind:<12} {verdict:<9} {attempt.name}")
        if (got or changed) and kind not in attempt.open_to:
            possible.append(attempt.name)
    if kind in CONFINED:
        assert possible == []
    else:
        assert succeeded > len(ATTEMPTS) / 3, "attempts that never succeed prove nothing"


@pytest.fixture(params=SandboxKind)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return held(request.param)


@pytest.fixture
def place(tmp_path: Path) -> "World":
    with world(tmp_path) as made:
        yield made  # type: ignore[misc]


async def test_what_a_step_needs_works(sandbox: Sandbox, place: World) -> None:
    done = await place.run(
        sandbox,
        "import multiprocessing.synchronize, tempfile, threading\n"
        "open('made', 'w').write(open(P['data']).read())\n"
        "tempfile.TemporaryFile(); multiprocessing.Lock(); threading.Thread(target=print).start()\n"
        "print(subprocess.run(['/bin/sh', '-c', 'exit 7']).returncode); sys.exit(3)",
    )
    assert (done.exit_status, done.excerpt.strip()) == (3, "7")
    assert (place.step / "made").read_text()


async def test_a_signal_that_ends_it_is_told(sandbox: Sandbox, place: World) -> None:
    done = await place.run(sandbox, "os.abort()")
    assert done.exit_status in (-6, 134), "bubblewrap tells it as a shell does"


async def test_many_processes_are_ended(sandbox: Sandbox, place: World) -> None:
    code = "for _ in range(10**6):\n    if not os.fork(): time.sleep(1000)\n    time.sleep(0.004)"
    done = await place.run(sandbox, code, Limits(processes=40))
    assert done.stopped_because == "it ran more than 40 processes at a time"
    await until_true(lambda: processes_of(place.step) == {})


async def test_one_process_cannot_take_all_memory(sandbox: Sandbox, place: World) -> None:
    done = await place.run(sandbox, "bytearray(1 << 30)", Limits(memory=1 << 29))
    assert done.exit_status == 1
    assert "MemoryError" in done.excerpt


async def test_many_processes_cannot_take_all_memory(sandbox: Sandbox, place: World) -> None:
    code = "for _ in range(4): os.fork()\nb = bytearray(os.urandom(1 << 20) * 40); time.sleep(1000)"
    done = await place.run(sandbox, code, Limits(all_memory=300 << 20))
    assert done.stopped_because == "its processes used more than 0.3 GB of memory together"
    await until_true(lambda: processes_of(place.step) == {})


async def test_a_file_grows_up_to_its_limit(sandbox: Sandbox, place: World) -> None:
    done = await place.run(sandbox, "open('big', 'wb').write(bytes(1 << 24))", Limits(file=1 << 20))
    assert done.exit_status != 0
    assert (place.step / "big").stat().st_size <= 1 << 20


async def test_a_disk_that_fills_ends_the_call(sandbox: Sandbox, place: World, monkeypatch: pytest.MonkeyPatch) -> None:
    room = iter([10e9, 10e9])
    monkeypatch.setattr(watch, "_free", lambda _: next(room, 4e8))
    done = await place.run(sandbox, "time.sleep(1000)", Limits(free=500_000_000))
    assert done.stopped_because == "it left less than 500 MB free on the disk"


async def test_a_disk_that_is_nearly_full_ends_nothing_that_hardly_writes(tmp_path: Path) -> None:
    with world(tmp_path) as place:
        done = await place.run(sandbox_of(SandboxKind.PLAIN), "time.sleep(1.2); print('done')", Limits(free=1 << 60))
    assert (done.exit_status, done.excerpt) == (0, "done\n")


def test_a_sandbox_that_is_asked_for_and_not_to_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "strongest", lambda: choose.Choice(Plain(), "landlock: not in this kernel"))
    with pytest.raises(UserError, match=r"sandbox strongest: none holds here \(landlock: not in this kernel\)"):
        choose.sandbox_for("strongest")
    assert choose.sandbox_for("none") == Plain()


async def test_a_daemon_does_not_outlive_its_call(sandbox: Sandbox, place: World) -> None:
    code = "if not os.fork():\n    os.setsid()\n    if not os.fork(): time.sleep(1000)\n    os._exit(0)\nos.wait()"
    done = await place.run(sandbox, code)
    assert (done.exit_status, done.left_running > 0) == (0, True)
    await until_true(lambda: processes_of(place.step) == {})
