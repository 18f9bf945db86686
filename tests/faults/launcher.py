"""Starts engines that meet with an accident: ``python -m tests.faults.launcher``.

It reads a line ``{"run": FOLDER, "plan": {…}}`` on stdin for each, writes the engine's pid and, when it has ended,
its exit status. What an engine imports is loaded once, and each engine is a copy of this process in a session of its
own; in all else it is what ``agents/launch.py`` starts.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from agents import control, engine
from agents.journal import JournalWriter
from agents.run_folder import RunFolder
from tests.faults.disk import Disk
from tests.faults.plan import Command, Kill, Place, Plan


class _Torn:
    """The journal's file, of which the process lives to write but half a line."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def fileno(self) -> int:
        return int(self._file.fileno())

    def write(self, line: memoryview) -> int:
        self._file.write(line[: len(line) // 2])
        _die()
        return 0


class _Accidents:
    """Watches the events of this engine and lets happen what the plan says."""

    def __init__(self, run: RunFolder, plan: Plan) -> None:
        self._run = run
        self._plan = plan
        self._disk = Disk(run.root, plan.broken, plan.log)
        self._met: dict[int, int] = {}

    def install(self) -> None:
        original, accidents = JournalWriter.write, self

        def write(writer: Any, event: Any, *, durable: bool = False) -> Any:
            kills = [kill for kill in accidents._plan.kills if accidents._reached(kill, event)]
            if any(kill.moment == "before" for kill in kills):
                _die()
            if any(kill.moment == "torn" for kill in kills):
                writer._file = _Torn(writer._file)
            stamped = original(writer, event, durable=durable)
            if kills:
                _die()
            accidents._disk.written(event, _matches)
            for command in accidents._plan.commands:
                if accidents._reached(command, event):
                    control.submit(accidents._run, control.COMMAND.validate_python(command.fields))
            return stamped

        JournalWriter.write = write  # type: ignore[method-assign]
        self._disk.install()

    def _reached(self, what: Kill | Command, event: Any) -> bool:
        if not _matches(what.place, event):
            return False
        self._met[id(what)] = met = self._met.get(id(what), 0) + 1
        return met == what.place.skip + 1


def _matches(place: Place, event: Any) -> bool:
    return place.type == event.type and place.iteration in (None, event.iteration) and place.step in (None, event.step)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _become_engine(run: RunFolder, plan: Plan) -> None:
    """What ``start_engine`` sets up for its child, then the engine."""
    os.setsid()
    os.chdir(run.root)
    log = os.open(run.engine_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    status = 1
    try:
        _Accidents(run, plan).install()
        status = engine.main([str(run.root)])
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def _load() -> None:
    """Import what every engine imports sooner or later."""
    import sklearn.metrics  # noqa: F401

    import agents.loop
    import agents.models.library as library
    import agents.models.litellm_gateway
    import agents.steering  # noqa: F401

    library.problem_with("openai/expert", "http://127.0.0.1:9/v1")


def main() -> None:
    _load()
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _become_engine(RunFolder(Path(order["run"])), Plan.of_json(order["plan"]))
        print(pid, flush=True)
        _, ended = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


if __name__ == "__main__":
    main()
