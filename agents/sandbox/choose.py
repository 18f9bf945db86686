"""Which sandbox this machine can have: tried, not guessed from what is installed."""

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from agents.errors import UserError
from agents.sandbox.bubblewrap import Bubblewrap
from agents.sandbox.fence import Fence, Plain, Sandbox, SandboxKind, Start
from agents.sandbox.landlock import Landlock

_SECONDS: Final = 20.0
_TEST: Final = """
import os, socket, sys
secret, given, place, port = sys.argv[1:]
def can(work):
    try:
        work()
    except OSError:
        return False
    return True
print("reads what it may" if can(lambda: open(given).read()) else "cannot read")
print("writes where it may" if can(lambda: open(os.path.join(place, "made"), "w").close()) else "cannot write")
print("reads a secret" if can(lambda: open(secret).read()) else "no secret")
can(lambda: open(secret, "w").close())
print("reaches the network" if can(lambda: socket.create_connection(("127.0.0.1", int(port)), 2)) else "no network")
"""
_PASSED: Final = ["reads what it may", "writes where it may", "no secret", "no network"]


@dataclass(frozen=True)
class Choice:
    """A sandbox that held, and why a stronger one did not."""

    sandbox: Sandbox
    weaker_because: str = ""


def describe(sandbox: Sandbox) -> str:
    """What a sandbox does, in one line for people."""
    match sandbox:
        case Bubblewrap():
            return "bubblewrap: sees only its step, its data and its packages; no network, no other processes"
        case Landlock(namespaces=True):
            return "Landlock and namespaces: opens only its step, its data and its packages; no network"
        case Landlock():
            return "Landlock: opens only its step, its data and its packages; no TCP"
        case _:
            return "no sandbox: own process group, environment without keys; files and network are open to it"


@cache
def strongest() -> Choice:
    """The strongest sandbox that holds on this machine."""
    reasons: list[str] = []
    for sandbox in _candidates():
        problem = problem_with(sandbox)
        if not problem:
            return Choice(sandbox, "; ".join(reasons))
        reasons.append(f"{sandbox.kind}: {problem}")
    return Choice(Plain(), "; ".join(reasons) or "this system has neither bubblewrap nor Landlock")


def _candidates() -> Iterator[Sandbox]:
    if sys.platform != "linux":
        return
    if program := shutil.which("bwrap"):
        yield Bubblewrap(program)
    yield Landlock()
    yield Landlock(namespaces=False)


def sandbox_for(setting: str) -> Sandbox:
    """The one for the setting ``sandbox``: ``strongest``, or ``none``.

    Raises :class:`UserError` where the strongest is none at all: nothing is run with less than was asked for.
    """
    if setting != "strongest":
        return Plain()
    choice = strongest()
    if choice.sandbox.kind is SandboxKind.PLAIN:
        why = choice.weaker_because
        raise UserError(f"sandbox strongest: none holds here ({why}); install bubblewrap, or give --sandbox none")
    return choice.sandbox


def sandbox_of(kind: SandboxKind) -> Sandbox:
    """The one that is asked for, whether or not it holds here."""
    if kind is SandboxKind.BUBBLEWRAP:
        return Bubblewrap(shutil.which("bwrap") or "bwrap")
    return Landlock() if kind is SandboxKind.LANDLOCK else Plain()


def problem_with(sandbox: Sandbox) -> str:
    """Why ``sandbox`` does not hold what it promises here; empty where it does."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        root = Path(folder).resolve()
        secret, given, place = root / "secret", root / "given", root / "place"
        secret.write_text("secret")
        given.write_text("given")
        place.mkdir()
        port = str(server.getsockname()[1])
        argv = [sys.executable, "-I", "-S", "-c", _TEST, str(secret), str(given), str(place), port]
        interpreter = {Path(path) for path in (sys.executable, sys.prefix, sys.base_prefix)}
        fence = Fence(read=(given, *interpreter), write=(place,))
        start = sandbox.confined(Start(argv, {"PATH": "/usr/bin:/bin"}, place), fence)
        try:
            done = subprocess.run(
                start.argv,
                env=dict(start.environment),
                cwd=start.cwd,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        if not secret.read_text():
            return "writes outside"
    if done.returncode != 0:
        return done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"
    wrong = [line for line in done.stdout.splitlines() if line not in _PASSED]
    return ", ".join(wrong)
