"""One engine a run: the lock tells who it is, and a dead holder frees it."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.lock import STALE_SECONDS, EngineLock, LockHeld, LockRecord, is_alive, read_lock


def record(pid: int, *, host: str | None = None, heartbeat: float | None = None) -> LockRecord:
    now = time.time()
    return LockRecord(
        host=socket.gethostname() if host is None else host,
        pid=pid,
        started=now,
        heartbeat=now if heartbeat is None else heartbeat,
    )


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_lock_is_held_by_one_engine_at_a_time(tmp_path: Path) -> None:
    lock = EngineLock.acquire(tmp_path / "engine.lock")
    with pytest.raises(LockHeld):
        EngineLock.acquire(tmp_path / "engine.lock")
    lock.release()
    EngineLock.acquire(tmp_path / "engine.lock").release()
    assert not (tmp_path / "engine.lock").exists()


def test_the_lock_of_a_process_that_died_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "engine.lock"
    path.write_text(record(dead_pid()).model_dump_json())
    assert not is_alive(read_lock(path))
    EngineLock.acquire(path).release()


def test_a_process_that_ended_but_was_not_reaped_counts_as_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie from here on
        assert not is_alive(record(process.pid))
    finally:
        process.wait()


def test_an_engine_on_another_host_is_judged_by_its_heartbeat() -> None:
    now = time.time()
    fresh = record(1, host="elsewhere.example", heartbeat=now - 1)
    stale = record(1, host="elsewhere.example", heartbeat=now - STALE_SECONDS - 1)
    assert is_alive(fresh, now)
    assert not is_alive(stale, now)


def test_a_heartbeat_renews_the_time_and_notices_a_thief(tmp_path: Path) -> None:
    path = tmp_path / "engine.lock"
    lock = EngineLock.acquire(path)
    path.write_text(record(os.getpid(), heartbeat=0.0).model_dump_json())
    assert lock.beat()
    renewed = read_lock(path)
    assert renewed is not None
    assert renewed.heartbeat > 0
    path.write_text(record(1, host="elsewhere.example").model_dump_json())
    assert not lock.beat()
    lock.release()
    assert path.exists(), "a lock of somebody else is not taken away"


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"host": "a"})])
def test_a_spoilt_lock_belongs_to_nobody(tmp_path: Path, text: str) -> None:
    path = tmp_path / "engine.lock"
    path.write_text(text)
    assert read_lock(path) is None
    EngineLock.acquire(path).release()


_RACE = """
import sys, time
from pathlib import Path
from agents.lock import EngineLock, LockHeld
start = Path(sys.argv[2])
while not start.exists():
    pass
try:
    EngineLock.acquire(Path(sys.argv[1]))
    print("got it", flush=True)
    time.sleep(30)
except LockHeld:
    print("held")
"""


def test_only_one_of_several_engines_takes_over_a_stale_lock(tmp_path: Path) -> None:
    path = tmp_path / "engine.lock"
    path.write_text(record(dead_pid()).model_dump_json())
    command = [sys.executable, "-c", _RACE, str(path), str(tmp_path / "start")]
    engines = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        (tmp_path / "start").touch()
        answers = [engine.stdout.readline().strip() for engine in engines if engine.stdout]
    finally:
        for engine in engines:
            engine.kill()
            engine.communicate()
    assert sorted(answers) == ["got it", "held", "held", "held"]


def test_a_suspended_engine_of_this_host_still_holds_its_run(tmp_path: Path) -> None:
    lock = EngineLock.acquire(tmp_path / "engine.lock")
    held = read_lock(tmp_path / "engine.lock")
    assert held is not None
    assert is_alive(held, held.heartbeat + 10 * STALE_SECONDS)
    assert not is_alive(held.model_copy(update={"birth": 1}), held.heartbeat), "another process has its pid by now"
    lock.release()
