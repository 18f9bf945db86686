"""News of a run that somebody may want to hear of: what they are, and the person's command that carries them on.

The engine runs ``notify_command`` after an event stands in the journal, so it works for a run that nobody watches. The
command reads one JSON object from standard input (:class:`Note`). Whatever it does, the run does not wait for it.
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from agents.events import BestChanged, EventBase, Held, RunFinished
from agents.program import to_type
from agents.run_folder import RunFolder
from agents.secrets import is_secret_name
from agents.state import RunState
from agents.vocabulary import RunStatus
from agents.wording import first_line

News = Literal["best", "held", "failed", "stopped", "finished"]
HOOK_SECONDS: Final = 10.0
"""After which the command is ended."""
END_SECONDS: Final = 15.0
"""How long an engine that has ended waits for commands that still run."""
_KEPT: Final = 20
"""News that wait while an earlier command runs; what comes beyond is not told."""


class Note(BaseModel):
    """What the command reads: one line of JSON. Scores are on validation."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")

    event: News
    text: str
    """The news as a sentence."""
    time: str
    """UTC, ISO 8601."""
    run_id: str
    host: str
    folder: str
    dataset: str
    model: str
    iteration: int | None
    """Of the news; counted from 0."""
    metric: str
    best: float | None
    """The best so far."""
    previous: float | None
    """The best before, where the news is a new one."""
    reason: str
    cost_usd: float
    attach: str
    """Command that opens the run on ``host``."""


def news_of(event: EventBase) -> News | None:
    """Which news an event is; None for nearly all."""
    match event:
        case BestChanged():
            return "best"
        case Held():
            return "held"
        case RunFinished(status=RunStatus.REFUSED):
            return None  # the one who gave the dataset is told at once
        case RunFinished(status=RunStatus.FAILED):
            return "failed"
        case RunFinished(status=RunStatus.STOPPED):
            return "stopped"
        case RunFinished():
            return "finished"
        case _:
            return None


def sentence_of(event: EventBase, state: RunState) -> str:
    """The news in one sentence, without the run's name; empty where it is none."""
    reason = first_line(str(getattr(event, "reason", "")))
    best = f"best {state.metric} {state.best.value:.4g}" if state.best else ""
    match news_of(event):
        case "best":
            previous = getattr(event, "previous", None)
            gain = state.best.certainty.gain if state.best and state.best.certainty else ""
            before = "" if previous is None else f", before {previous:.4g}{f' ({gain})' if gain else ''}"
            return f"new {best}{before}"
        case "held":
            return f"waits for you: {reason}"
        case "failed":
            return f"failed: {reason}"
        case "stopped":
            return ", ".join(part for part in (f"stopped: {reason}", best) if part)
        case "finished":
            return ", ".join(part for part in ("finished", best) if part)
        case None:
            return ""


def note_of(run: RunFolder, state: RunState, event: EventBase) -> Note | None:
    """What the command is told of ``event``, which ``state`` holds already; None where it is no news."""
    news = news_of(event)
    if news is None:
        return None
    return Note(
        event=news,
        text=f"{run.run_id}: {sentence_of(event, state)}",
        time=event.time.isoformat(timespec="seconds"),
        run_id=run.run_id,
        host=socket.gethostname(),
        folder=str(run.root),
        dataset=state.dataset,
        model=state.model,
        iteration=event.iteration,
        metric=state.metric,
        best=state.best.value if state.best else None,
        previous=event.previous if isinstance(event, BestChanged) else None,
        reason=str(getattr(event, "reason", "")),
        cost_usd=state.usage.cost_usd,
        attach=to_type("watch", run.run_id, "--runs-dir", str(run.root.parent)),
    )


def environment_of_hook(environ: Mapping[str, str]) -> dict[str, str]:
    """The engine's environment without keys: what the command needs of them it reads from a place of its own."""
    return {name: value for name, value in environ.items() if not is_secret_name(name)}


class Nudges:
    """Runs the command for one news after the other, in a thread; its failures are lines in ``engine.log``."""

    def __init__(
        self,
        command: str,
        run: RunFolder,
        tell: Callable[[str], None],
        limit: float = HOOK_SECONDS,
    ) -> None:
        self._command = command
        self._run = run
        self._tell = tell
        self._limit = limit
        self._notes: queue.Queue[Note | None] = queue.Queue(_KEPT)
        self._thread = threading.Thread(target=self._work, name="nudges", daemon=True)
        self._thread.start()

    def heard(self, event: EventBase, state: RunState) -> None:
        """Take an event that stands in the journal. Returns at once."""
        note = note_of(self._run, state, event)
        if note is None:
            return
        try:
            self._notes.put_nowait(note)
        except queue.Full:
            self._tell(f"notify_command: too slow, so nobody was told: {note.text}")

    def close(self, wait: float = END_SECONDS) -> None:
        """Let the news that wait be told, for at most ``wait`` seconds."""
        deadline = time.monotonic() + wait
        try:
            self._notes.put(None, timeout=wait)
        except queue.Full:
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while (note := self._notes.get()) is not None:
            try:
                if problem := run_hook(self._command, note, self._run, self._limit):
                    self._tell(f"notify_command: {problem}")
            except Exception as error:  # noqa: BLE001 - a person's command must not end what tells of it
                self._tell(f"notify_command: {type(error).__name__}: {error}")


def run_hook(command: str, note: Note, run: RunFolder, limit: float = HOOK_SECONDS) -> str:
    """Run the command by the shell, in the run's folder; why it did not do its work, or nothing.

    It has a session of its own, so that what ends the engine does not end it; after ``limit`` seconds it is ended with
    all that it started there.
    """
    with tempfile.TemporaryFile() as output:  # no pipe: what the command leaves in the background may hold it open
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=run.root,
                env=environment_of_hook(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            return f"could not be started: {error.strerror or error}"
        try:
            process.communicate(f"{note.model_dump_json()}\n".encode(), timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"ended after {limit:g} s ({note.event})"
        if process.returncode == 0:
            return ""
        output.seek(0)
        words = first_line(output.read(500).decode(errors="replace"))
    return f"exit status {process.returncode} ({note.event}){f': {words}' if words else ''}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def to_stderr(line: str) -> None:
    """Of the engine that is ``engine.log``."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
