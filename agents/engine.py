"""The engine's process: ``python -m agents.engine RUN_DIR``. It takes the lock, leads the run and lets go.

It has a session of its own, so that neither a closing terminal nor a lost link reaches it.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from agents.errors import UserError, words_of
from agents.events import RunFinished, RunResumed, RunStarted
from agents.files import remove_tree
from agents.kept_replies import settle_open_calls
from agents.lock import HEARTBEAT_SECONDS, STALE_SECONDS, EngineLock, LockHeld
from agents.nudges import Nudges, to_stderr
from agents.outcome import nothing_left_to_do
from agents.recorder import Recorder
from agents.run_folder import RunFolder, RunRecord
from agents.secrets import Redacted, Redactor
from agents.vocabulary import RunStatus


def main(arguments: list[str]) -> int:
    """Run the engine of one run; exit status 2 where the run cannot be taken up."""
    if len(arguments) != 1:
        print("usage: python -m agents.engine RUN_DIR", file=sys.stderr)  # noqa: T201
        return 2
    run = RunFolder(Path(arguments[0]).resolve())  # tools compare real paths
    redact = Redactor.of(os.environ)
    sys.stdout, sys.stderr = Redacted(sys.stdout, redact), Redacted(sys.stderr, redact)
    try:
        record = run.record()
        with _telling(run, record) as nudges, _locked(run):
            _lead(run, record, redact, nudges)
    except (UserError, LockHeld) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except asyncio.CancelledError:
        return 130
    except OSError as error:
        print(f"run {run.run_id}: {_disk_words(error)}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


@contextlib.contextmanager
def _locked(run: RunFolder) -> Iterator[None]:
    """Hold the lock and beat its heart from a thread, which no busy event loop can delay."""
    lock = EngineLock.acquire(run.lock)
    over = threading.Event()

    def beat() -> None:
        last = time.monotonic()
        while not over.wait(HEARTBEAT_SECONDS):
            try:
                ours = lock.beat()
                last = time.monotonic()
            except OSError:  # a full or absent disk may come back; on other hosts the lock then still counts as ours
                ours = time.monotonic() - last < STALE_SECONDS
            if not ours:
                os.kill(os.getpid(), signal.SIGTERM)  # somebody else may write this run now; two writers would ruin it
                return

    heart = threading.Thread(target=beat, name="heartbeat", daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()
        lock.release()


@contextlib.contextmanager
def _telling(run: RunFolder, record: RunRecord) -> Iterator[Nudges | None]:
    """Let the person's command tell the last news too: the lock is free by then, and only this process waits."""
    command = record.settings.notify_command
    nudges = Nudges(command, run, to_stderr) if command else None
    try:
        yield nudges
    finally:
        if nudges is not None:
            nudges.close()


def _lead(run: RunFolder, record: RunRecord, redact: Redactor, nudges: Nudges | None = None) -> None:
    recorder = Recorder(run.journal, run.run_id, redact)
    if nudges is not None:
        recorder.listeners.append(nudges.heard)
    try:
        if reason := nothing_left_to_do(recorder.state):
            raise UserError(f"run {run.run_id}: {reason}")
        announce(run, recorder, record)
        asyncio.run(_with_steering(run, record, recorder))
    except (UserError, asyncio.CancelledError):
        raise
    except OSError as error:
        recorder.iteration = recorder.step = None
        with contextlib.suppress(OSError):  # the journal's disk may be the one that fails; engine.log says it as well
            recorder.emit(RunFinished(status=RunStatus.FAILED, reason=_disk_words(error), cut_off=True), durable=True)
        raise
    except Exception as error:
        # A defect of the engine itself: the trace goes to engine.log, the line to everyone who watches.
        recorder.iteration = recorder.step = None
        reason = f"internal error: {type(error).__name__}: {error} (see {run.engine_log.name})"
        recorder.emit(RunFinished(status=RunStatus.FAILED, reason=reason), durable=True)
        raise
    finally:
        with contextlib.suppress(OSError):  # what was announced as durable is on the disk already
            recorder.close()
        remove_tree(run.root / "work")


def _disk_words(error: OSError) -> str:
    return f"the run's files cannot be written or read: {words_of(error)}; when that is mended, resume the run"


def announce(run: RunFolder, recorder: Recorder, record: RunRecord) -> None:
    """Tell that an engine has taken the run up, for the first time or again."""
    if recorder.state.started is not None:
        recorder.emit(RunResumed(host=socket.gethostname(), pid=os.getpid()), durable=True)
        settle_open_calls(run, recorder)
        return
    recorder.emit(
        RunStarted(
            dataset=record.dataset,
            model=record.settings.model,
            iterations=record.settings.iterations,
            settings=record.settings.model_dump(mode="json", exclude={"dataset", "notify_command"}),
            version=record.version,
        ),
        durable=True,
    )


async def _with_steering(run: RunFolder, record: RunRecord, recorder: Recorder) -> None:
    # These pull in pandas, so they come after the first event is out for everybody to see.
    from agents.loop import run_loop
    from agents.models.routing import Gateways
    from agents.steering import Steering
    from agents.vitals import Vitals, published

    loop = asyncio.get_running_loop()
    this = asyncio.current_task()
    assert this is not None
    loop.add_signal_handler(signal.SIGTERM, this.cancel)
    loop.add_signal_handler(signal.SIGINT, this.cancel)
    settings = record.settings
    steering = Steering(run, recorder)
    gateway = Gateways(settings, run.root, recorder.redact)
    watching = asyncio.create_task(steering.watch())
    try:
        with published(run, Vitals(run, recorder.state, settings)):
            await run_loop(run, settings, recorder, steering, gateway)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        if recorder.state.status.is_over:
            steering.refuse_pending("the run is over")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
