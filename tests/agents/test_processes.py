"""Running a command: what it writes is kept, and nothing of it outlives the call."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agents import guard_server
from agents.guard_server import GuardServer
from agents.processes import LINE_LIMIT, ProcessNotStarted, ProcessResult, run_process

LINUX = sys.platform == "linux"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}


async def run(
    tmp_path: Path, *argv: str, timeout: float = 60, on_line: Callable[[str], None] | None = None, **more: int
) -> ProcessResult:
    return await run_process(
        argv, cwd=tmp_path, environment=ENVIRONMENT, log=tmp_path / "log", timeout=timeout, on_line=on_line, **more
    )


async def shell(tmp_path: Path, script: str, timeout: float = 60, **more: int) -> ProcessResult:
    return await run(tmp_path, "/bin/sh", "-c", script, timeout=timeout, **more)


async def python(tmp_path: Path, script: str, timeout: float = 60, **more: object) -> ProcessResult:
    return await run(tmp_path, sys.executable, "-c", script, timeout=timeout, **more)  # type: ignore[arg-type]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children_of(pid: int) -> set[int]:
    """Their pids, those of zombies too; none where there is no /proc."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = stat.read_text().rpartition(")")[2]
        except OSError:
            continue
        if int(rest.split()[1]) == pid:
            found.add(int(stat.parent.name))
    return found


def descendants(pid: int) -> list[int]:
    """The nearest first."""
    near = sorted(children_of(pid))
    return near + [pid for child in near for pid in descendants(child)]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def pid_in(path: Path) -> int:
    await until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


# --- what comes back --------------------------------------------------------------------------------------------------


async def test_status_output_and_size_are_told(tmp_path: Path) -> None:
    result = await shell(tmp_path, "echo out; echo err >&2; exit 3")
    assert (result.exit_status, result.timed_out, result.bytes) == (3, False, 8)
    assert result.excerpt == "out\nerr\n"
    assert (tmp_path / "log").read_bytes() == b"out\nerr\n"
    assert result.left_running == 0


async def test_exit_by_a_signal_is_a_negative_status(tmp_path: Path) -> None:
    assert (await shell(tmp_path, "kill -SEGV $$")).exit_status == -signal.SIGSEGV


async def test_a_command_starts_in_its_folder_without_input(tmp_path: Path) -> None:
    folder = tmp_path / "some folder"
    folder.mkdir()
    result = await run_process(
        ["/bin/sh", "-c", "pwd; cat; echo end"], cwd=folder, environment=ENVIRONMENT, log=tmp_path / "log", timeout=60
    )
    assert result.excerpt == f"{folder}\nend\n"


async def test_arguments_arrive_as_they_are(tmp_path: Path) -> None:
    wanted = ["a b", "", "$HOME", "*", "ünï", "'\"\n", "x" * 100_000]
    result = await run(tmp_path, sys.executable, "-c", "import sys; print(sys.argv[1:])", *wanted)
    assert (tmp_path / "log").read_text() == f"{wanted}\n"
    assert result.exit_status == 0


async def test_the_environment_is_exactly_what_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-4711")
    script = "import os; print(dict(os.environ))"
    result = await run_process(
        [sys.executable, "-S", "-c", script],
        cwd=tmp_path,
        environment={"ONE": "1", "LC_ALL": "C.UTF-8"},
        log=tmp_path / "log",
        timeout=60,
    )
    assert result.excerpt == "{'ONE': '1', 'LC_ALL': 'C.UTF-8'}\n"


@pytest.mark.skipif(not LINUX, reason="needs /proc")
async def test_no_ancestor_below_the_engine_shows_the_engines_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-4711")
    result = await shell(tmp_path, "tr '\\0' '\\n' < /proc/$PPID/environ; tr '\\0' '\\n' < /proc/$PPID/cmdline")
    assert "guard.py" in result.excerpt
    assert "API_KEY" not in result.excerpt


@pytest.mark.skipif(not LINUX, reason="needs /proc")
async def test_a_command_has_no_file_of_the_engine_open(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    with secret.open():
        result = await shell(tmp_path, "ls -l /proc/self/fd")
    names = [line.partition(" -> ")[2].partition(":")[0] for line in result.excerpt.splitlines() if "->" in line]
    assert sorted(names) == sorted(["/dev/null", "pipe", "pipe", *(n for n in names if n.startswith("/proc"))])


async def test_signals_that_python_ignores_work_in_a_command(tmp_path: Path) -> None:
    result = await shell(tmp_path, "yes | head -n 1")
    assert result.excerpt == "y\n"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["/no/such/program"], "/no/such/program: No such file or directory"),
        (["/etc"], "/etc: Permission denied"),
        (["sh", "-c", "a\0b"], "NUL character"),
        (["sh", "-c", "\ud800"], "cannot be encoded"),
        (["sh", "-c", "x" * 3_000_000], "Argument list too long"),
        ([""], "empty"),
    ],
)
async def test_what_cannot_be_started_says_why(tmp_path: Path, argv: list[str], message: str) -> None:
    with pytest.raises(ProcessNotStarted, match=message):
        await run(tmp_path, *argv)


async def test_a_guard_that_does_not_work_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_server, "SERVER", GuardServer())
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ProcessNotStarted, match="guard process failed"):
        await shell(tmp_path, "true")


async def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProcessNotStarted, match="nowhere: No such file"):
        await run_process(["true"], cwd=tmp_path / "nowhere", environment=ENVIRONMENT, log=tmp_path / "log", timeout=60)


# --- output -----------------------------------------------------------------------------------------------------------


async def test_output_is_in_the_log_while_the_command_still_runs(tmp_path: Path) -> None:
    task = asyncio.create_task(python(tmp_path, "import time; print('first'); time.sleep(1000)", timeout=1000))
    await until(lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text() == "first\n")
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_invalid_utf8_nuls_and_escapes_stay_in_the_log_and_out_of_the_excerpt(tmp_path: Path) -> None:
    raw = b"a\xff\xc3\x28 \0b\x1b[31mred\x1b[0m \x1b]0;title\x07c \xe2\x80\n"
    result = await python(tmp_path, f"import sys; sys.stdout.buffer.write({raw!r})")
    assert (tmp_path / "log").read_bytes() == raw
    assert result.excerpt == "a\ufffd\ufffd( bred c \ufffd\n"


async def test_lines_arrive_whole_however_they_were_written(tmp_path: Path) -> None:
    lines: list[str] = []
    script = """
import os, time
for byte in "erste Zeile é\\n\\nlast without newline".encode():
    os.write(1, bytes([byte])); time.sleep(0.001)
"""
    await python(tmp_path, script, on_line=lines.append)
    assert lines == ["erste Zeile é", "", "last without newline"]


async def test_a_line_without_end_is_bounded(tmp_path: Path) -> None:
    lines: list[str] = []
    await python(tmp_path, "print('x' * 1_000_000); print('y')", on_line=lines.append)
    assert [len(line) for line in lines] == [LINE_LIMIT, 1]


async def test_an_error_of_the_watcher_does_not_disturb_the_run(tmp_path: Path) -> None:
    seen: list[str] = []

    def watch(line: str) -> None:
        seen.append(line)
        raise RuntimeError("watcher")

    result = await python(tmp_path, "print('a'); print('b')", on_line=watch)
    assert seen == ["a", "b"]
    assert result.exit_status == 0


async def test_too_much_output_ends_the_command_and_bounds_the_log(tmp_path: Path) -> None:
    result = await shell(tmp_path, "yes", log_limit=100_001)
    assert (tmp_path / "log").stat().st_size == 100_001
    assert result.stopped_because == "it wrote more than 100,001 bytes"
    assert not result.timed_out
    assert result.exit_status == -signal.SIGTERM


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_ends_the_command_with_that_reason(tmp_path: Path) -> None:
    result = await run_process(["yes"], cwd=tmp_path, environment=ENVIRONMENT, log=Path("/dev/full"), timeout=60)
    assert result.stopped_because == "its output could not be written to the log: No space left on device"


@pytest.mark.slow
async def test_200_megabytes_are_counted_exactly_in_constant_memory(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = "''.join(f'{i:019d}\\n' for i in range(start, start + 10_000))"
    script = f"import sys\nfor start in range(0, 10_000_000, 10_000): sys.stdout.write({lines})"
    result = await run_process(
        [sys.executable, "-c", script], cwd=tmp_path, environment={}, log=tmp_path / "log", timeout=600
    )
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert result.bytes == 200_000_000 == (tmp_path / "log").stat().st_size
    assert result.excerpt.startswith(f"{0:019d}\n{1:019d}\n")
    assert result.excerpt.endswith(f"{9_999_998:019d}\n{9_999_999:019d}\n")
    assert "… 199,988,000 bytes (9,999,400 lines) left out …" in result.excerpt
    assert grown < (8 * 1024 if LINUX else 8 * 1024**2)
    (tmp_path / "log").unlink()


# --- the end ----------------------------------------------------------------------------------------------------------

DAEMON = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.environ.clear()
open(sys.argv[1], "w").write(f"{os.getpid()}\\n")
time.sleep(1000)
"""


async def test_a_background_process_that_holds_the_output_open_does_not_hang_the_call(tmp_path: Path) -> None:
    result = await shell(tmp_path, "sleep 1000 & echo $! > pid; echo done")
    assert (result.exit_status, result.excerpt, result.left_running) == (0, "done\n", 1)
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_what_is_just_finishing_may_finish(tmp_path: Path) -> None:
    result = await shell(tmp_path, "(sleep 0.02; echo late) & exit 0")
    assert (result.excerpt, result.left_running) == ("late\n", 0)


async def test_time_out_ends_the_whole_group(tmp_path: Path) -> None:
    result = await shell(tmp_path, "echo hello; sleep 1000 & echo $! > pid; sleep 1000", timeout=1)
    assert result.timed_out
    assert (result.exit_status, result.excerpt) == (-signal.SIGTERM, "hello\n")
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_who_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    result = await shell(tmp_path, "trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done", timeout=1)
    assert (result.timed_out, result.exit_status) == (True, -signal.SIGKILL)
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_a_command_may_clean_up_when_its_time_is_over(tmp_path: Path) -> None:
    result = await shell(tmp_path, "trap 'echo saved; exit 7' TERM; while :; do sleep 0.05; done", timeout=1)
    assert (result.timed_out, result.exit_status) == (True, 7)
    assert result.excerpt.endswith("saved\n")


async def test_a_stopped_command_is_ended_too(tmp_path: Path) -> None:
    result = await shell(tmp_path, "kill -STOP $$", timeout=0.3)
    assert result.timed_out
    assert result.exit_status == -signal.SIGTERM


@pytest.mark.skipif(not LINUX, reason="escaped descendants are found on Linux only")
@pytest.mark.parametrize("how", ["end", "time-out", "cancellation"])
async def test_a_daemon_in_a_session_of_its_own_is_ended(tmp_path: Path, how: str) -> None:
    (tmp_path / "daemon.py").write_text(DAEMON)
    pid_file = tmp_path / "pid"
    wait = {"end": "while ! [ -s pid ]; do sleep 0.01; done"}.get(how, "sleep 1000")
    script = f"env -i {sys.executable} daemon.py {pid_file}; {wait}"
    task = asyncio.create_task(shell(tmp_path, script, timeout=2.5 if how == "time-out" else 1000))
    pid = await pid_in(pid_file)
    if how == "cancellation":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        assert (await task).timed_out == (how == "time-out")
    assert not is_running(pid)


async def test_cancellation_waits_until_everything_has_ended(tmp_path: Path) -> None:
    script = "trap 'echo ending; sleep 0.2; echo ended; exit' TERM; echo $$ > pid; while :; do sleep 0.01; done"
    task = asyncio.create_task(shell(tmp_path, script))
    pid = await pid_in(tmp_path / "pid")
    task.cancel()
    await until(lambda: "ending" in (tmp_path / "log").read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_running(pid)
    assert (tmp_path / "log").read_text().endswith("ending\nended\n")


async def test_cancellation_right_after_the_start_leaves_nothing(tmp_path: Path) -> None:
    before = children_of(os.getpid()) if LINUX else set()
    for moments in range(12):
        task = asyncio.create_task(shell(tmp_path, "sleep 1000"))
        for _ in range(moments):
            await asyncio.sleep(0.002)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    if LINUX:
        await until(lambda: children_of(os.getpid()) <= before)


async def test_a_timeout_of_the_caller_is_a_timeout_for_the_caller(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await shell(tmp_path, "sleep 1000")


@pytest.mark.skipif(not LINUX, reason="needs /proc")
async def test_no_process_and_no_zombie_is_left(tmp_path: Path) -> None:
    before = children_of(os.getpid())
    await shell(tmp_path, "for i in 1 2 3; do (sleep 1000 &) ; done; (setsid sleep 1000 &)")
    await shell(tmp_path, "sleep 1000", timeout=0.1)
    assert children_of(os.getpid()) <= before


async def test_no_file_descriptor_is_left(tmp_path: Path) -> None:
    await shell(tmp_path, "true")
    descriptors = Path("/proc/self/fd" if LINUX else "/dev/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(3):
        await shell(tmp_path, "sleep 1000 &")
        with pytest.raises(ProcessNotStarted):
            await run(tmp_path, "/no/such/program")
    assert len(list(descriptors.iterdir())) <= before


async def test_two_commands_at_once_do_not_end_each_other(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    long = asyncio.create_task(shell(tmp_path / "a", "sleep 1; echo survived"))
    short = await shell(tmp_path / "b", "sleep 1000 & exit 0")
    assert short.left_running == 1
    assert (await long).excerpt == "survived\n"


@pytest.mark.skipif(not LINUX, reason="the guard is found through /proc")
async def test_a_command_that_kills_its_guard_is_ended_and_told(tmp_path: Path) -> None:
    result = await shell(tmp_path, "echo $$ > pid; kill -KILL $PPID; sleep 1000")
    assert (result.exit_status, result.stopped_because) == (-signal.SIGKILL, "its guard process was killed")
    await until(lambda: not is_running(int((tmp_path / "pid").read_text())))


async def test_signals_to_the_guard_do_not_stop_it(tmp_path: Path) -> None:
    result = await shell(tmp_path, "kill -TERM $PPID; kill -INT $PPID; kill -HUP $PPID; echo unimpressed")
    assert (result.exit_status, result.excerpt) == (0, "unimpressed\n")


async def test_a_killed_engine_leaves_nothing_running(tmp_path: Path) -> None:
    engine = f"""
import asyncio, os
from pathlib import Path
from agents.processes import run_process
asyncio.run(run_process(["/bin/sh", "-c", "echo $$ > pid; sleep 1000"], cwd=Path({str(tmp_path)!r}),
            environment=dict(PATH=os.defpath), log=Path({str(tmp_path / "log")!r}), timeout=1000))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", engine)
    pid = await pid_in(tmp_path / "pid")
    process.kill()
    await process.wait()
    await until(lambda: not is_running(pid))


async def test_a_killed_guard_server_ends_no_command_and_is_replaced(tmp_path: Path) -> None:
    command = asyncio.create_task(shell(tmp_path, "echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; echo done"))
    await pid_in(tmp_path / "pid")
    server = guard_server.SERVER.pid
    assert server is not None
    os.kill(server, signal.SIGKILL)
    (tmp_path / "next").mkdir()
    assert (await shell(tmp_path / "next", "echo next")).excerpt == "next\n"
    assert guard_server.SERVER.pid != server
    (tmp_path / "go").touch()
    assert (await command).excerpt == "done\n"


@pytest.mark.skipif(not LINUX, reason="the waiting guard is found through /proc")
@pytest.mark.parametrize("which", ["the guard", "the process above it"])
async def test_a_guard_that_is_killed_while_it_waits_is_replaced(tmp_path: Path, which: str) -> None:
    await shell(tmp_path, "true")
    assert guard_server.SERVER.pid is not None
    await until(lambda: len(descendants(guard_server.SERVER.pid or 0)) == 2)
    above, guard = descendants(guard_server.SERVER.pid)
    os.kill(guard if which == "the guard" else above, signal.SIGKILL)
    assert (await shell(tmp_path, "echo all the same")).excerpt == "all the same\n"
    await until(lambda: not is_running(above) and not is_running(guard))


async def test_a_killed_engine_leaves_neither_the_server_nor_a_guard_that_waits(tmp_path: Path) -> None:
    engine = f"""
import asyncio, os, time
from pathlib import Path
from agents.guard_server import SERVER
from agents.processes import run_process
asyncio.run(run_process(["true"], cwd=Path("/"), environment=dict(PATH=os.defpath),
            log=Path({str(tmp_path / "log")!r}), timeout=1000))
Path({str(tmp_path / "pid")!r}).write_text(f"{{SERVER.pid}}\\n")
time.sleep(1000)
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", engine)
    server = await pid_in(tmp_path / "pid")
    await until(lambda: not LINUX or len(descendants(server)) == 2)
    guards = descendants(server)
    process.kill()
    await process.wait()
    await until(lambda: not any(is_running(pid) for pid in (server, *guards)))


@pytest.mark.skipif(not LINUX, reason="daemons are found through /proc")
async def test_a_daemon_of_a_command_that_kills_its_guard_is_ended_too(tmp_path: Path) -> None:
    script = "import os, sys, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0)\n"
    script += f"open({str(tmp_path / 'pid')!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(1000)"
    (tmp_path / "daemon.py").write_text(script)
    start = f"{sys.executable} daemon.py; while [ ! -s pid ]; do sleep 0.05; done; kill -KILL $PPID; sleep 1000"
    result = await shell(tmp_path, start)
    assert result.stopped_because == "its guard process was killed"
    assert not is_running(await pid_in(tmp_path / "pid"))
