"""Runs one command and sees to it that nothing of the command outlives the call.

``agents.guard_server`` starts this file once as a script. It then is a server that forks a guard for each command: a
fork of this small process takes a tenth of the time that an interpreter takes to start. One guard is always forked
ahead and waits for its command, so that no command waits for a fork of its guard.

The guard stands between the engine and the command. On Linux it is a child subreaper (prctl(2),
PR_SET_CHILD_SUBREAPER): a descendant that daemonises or calls ``setsid`` becomes a child of the guard instead of
getting away, and "no children left" (ECHILD) is proof that all have ended. Elsewhere only the command's own process
group can be ended. The guard's standard input is its leash: when the engine closes it, or dies in any way, everything
is ended. On Linux a second process stands above the guard, a subreaper as well: it ends the guard's descendants where
the guard itself is killed. The server guards nobody: who kills it ends no command, and the engine starts another.

The server reads one byte with four open files for each command from the socket that is its standard input:

    leash    nothing is ever written to it; end of file means "end it all"
    status   lines: ``guard PID``, ``started PID``, ``failed REASON``, ``exited STATUS``, ``ended LEFT STUCK``
    output   where the command writes both of its outputs
    request  a file, NUL-separated: working folder, limits (``RLIMIT_NAME=value`` with blanks between), number of
             arguments, arguments, ``NAME=value`` pairs

Only the standard library is imported, and little of it (no pathlib), because a fork copies what is there.
"""

import ctypes
import os
import resource
import select
import signal
import socket
import sys
import time

GRACE_SECONDS = 2.0
"""Between SIGTERM and SIGKILL."""
LINGER_SECONDS = 0.5
"""What the command left behind may finish by itself in this time, such as ``tee`` in a process substitution."""
KILL_SECONDS = 5.0
"""A process that has not gone this long after SIGKILL hangs in the kernel (a dead network disk) and is given up."""

_FILES = 4
_STATUS = 1
"""Which of the files is the status."""
_PR_SET_CHILD_SUBREAPER = 36
_HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> None:
    """Hand each command that is asked for to a guard, until the engine is gone."""
    with socket.socket(fileno=0) as engine:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel then keeps no guard as a zombie
        guard = Waiting()
        while True:
            asked, files, _, _ = socket.recv_fds(engine, 1, _FILES)
            if not asked:
                return
            while not guard.take(files):
                guard = Waiting()  # somebody killed the one that waited
            for file in files:
                os.close(file)
            guard = Waiting()


class Waiting:
    """A guard, and on Linux the process above it, that waits for its command; it ends with the server."""

    def __init__(self) -> None:
        self._above, above = socket.socketpair()
        self._guard, guard = socket.socketpair()
        if os.fork():
            above.close()
            guard.close()
            return
        try:
            self._close()
            _lead(above, guard)
        except BaseException:  # noqa: BLE001 - told as the interpreter would, which os._exit keeps from telling
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(0)  # at once: tidying up a copy of the interpreter would take longer than all the rest

    def take(self, files: list[int]) -> bool:
        """Give it a command; False where it is dead."""
        try:
            socket.send_fds(self._above, [b"1"], [files[_STATUS]])
            socket.send_fds(self._guard, [b"1"], files)
        except OSError:
            return False
        finally:
            self._close()
        return True

    def _close(self) -> None:
        self._above.close()
        self._guard.close()


def _lead(above: socket.socket, guard: socket.socket) -> None:
    """Become the guard of one command, and on Linux the process above it."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # a server that was killed must not seem alive because its socket is open here
    os.close(null)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    subreaper = _become_subreaper()
    child = os.fork() if subreaper else 0
    if child:
        guard.close()
        _outlive(child, above)
    else:
        if subreaper:
            above.close()
        _guard(guard)


def _outlive(guard: int, above: socket.socket) -> None:
    """Wait for the guard; where somebody killed it, its descendants are this process's now and are ended.

    The status file is kept open meanwhile: its end tells the engine that all have ended.
    """
    wake = _wake_on_children()
    socket.recv_fds(above, 1, 1)
    _, how = os.waitpid(guard, 0)
    if os.WIFSIGNALED(how):
        family = Family(guard, -1, subreaper=True)
        family.leader_alive = False
        _end(family, wake)


def _guard(server: socket.socket) -> None:
    subreaper = _become_subreaper()
    wake = _wake_on_children()
    asked, files, _, _ = socket.recv_fds(server, 1, _FILES)
    if not asked:
        return
    *standard, request = files
    for number, copy in enumerate(standard):
        os.dup2(copy, number)
        os.close(copy)  # never 0, 1 or 2, which are open
    status = os.dup(_STATUS)  # os.dup makes it close-on-exec: the command never sees it
    os.write(status, b"guard %d\n" % os.getpgrp())
    with open(request, "rb") as file:  # noqa: PTH123
        file.seek(0)
        folder, limits, arguments, environment = _parsed(file.read())
    _limit(limits)
    leader = _start(folder, arguments, environment, status)
    if leader is None:
        return
    os.write(status, b"started %d\n" % leader)
    family = Family(leader, status, subreaper)
    _wait(family, wake)
    if family.leader_alive:
        left = 0
        stuck = _end(family, wake)
    else:
        left = family.size() if _remains(family, wake, LINGER_SECONDS) else 0
        stuck = _end(family, wake) if left else 0
    os.close(2)  # the output is at its end only when nobody can write to it
    os.write(status, b"ended %d %d\n" % (left, stuck))


class Family:
    """The command's process and all of its descendants."""

    def __init__(self, leader: int, status: int, subreaper: bool) -> None:
        self.leader = leader
        self.leader_alive = True
        self._status = status
        self._subreaper = subreaper

    def reap(self) -> bool:
        """Collect the children that ended; False when nobody is left."""
        while True:
            try:
                pid, how = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return not self._subreaper and self._group_exists()
            if pid == 0:
                return True
            if pid == self.leader:
                self.leader_alive = False
                os.write(self._status, b"exited %d\n" % os.waitstatus_to_exitcode(how))

    def send(self, number: int) -> None:
        """Send a signal to the group, which the kernel does in one step, and to everyone who left it."""
        targets = [(os.kill, pid) for pid in self._descendants()]
        # The number of a reaped leader is still its group's as long as the group has members.
        if self.leader_alive or self._group_exists():
            targets.insert(0, (os.killpg, self.leader))
        for send, target in targets:
            try:
                send(target, number)
            except (ProcessLookupError, PermissionError):
                continue  # ended meanwhile, or runs as somebody else

    def size(self) -> int:
        """How many are left; 1 where only the group as a whole is known."""
        return len(self._descendants()) if self._subreaper else 1

    def _group_exists(self) -> bool:
        try:
            os.killpg(self.leader, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return False  # macOS answers so for a group of zombies
        return True

    def _descendants(self) -> list[int]:
        if not self._subreaper:
            return []
        children: dict[int, list[int]] = {}
        for name in os.listdir("/proc"):  # noqa: PTH208
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                        parent = int(file.read().rpartition(b")")[2].split()[1])
                except (OSError, IndexError, ValueError):
                    continue
                children.setdefault(parent, []).append(int(name))
        found: list[int] = []
        frontier = [os.getpid()]
        while frontier:
            frontier = [child for parent in frontier for child in children.get(parent, ())]
            found += frontier
        return found


def _parsed(request: bytes) -> tuple[bytes, bytes, list[bytes], dict[bytes, bytes]]:
    folder, limits, count, *rest = request.split(b"\0")
    arguments = rest[: int(count)]
    pairs = (pair.partition(b"=") for pair in rest[int(count) :])
    return folder, limits, arguments, {name: value for name, _, value in pairs}


def _limit(limits: bytes) -> None:
    """Limit this process, and so what it starts. A limit that is lower already stays."""
    for limit in limits.split():
        name, _, value = limit.decode().partition("=")
        kind = getattr(resource, name)
        _, most = resource.getrlimit(kind)
        allowed = int(value) if most == resource.RLIM_INFINITY else min(int(value), most)
        resource.setrlimit(kind, (allowed, allowed))


def _become_subreaper() -> bool:
    if sys.platform != "linux" or not os.path.isdir("/proc/self"):  # noqa: PTH112
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def _wake_on_children() -> int:
    """File descriptor that becomes readable when a child ends."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in _HANDLED:
        signal.signal(number, lambda *_: None)
    return readable


def _start(folder: bytes, arguments: list[bytes], environment: dict[bytes, bytes], status: int) -> int | None:
    """Start the command in a session of its own; None where it cannot be, which is told.

    By posix_spawn(3), which copies nothing of this process, unlike fork.
    """
    name = arguments[0]
    try:
        os.chdir(folder)
        null = os.open(os.devnull, os.O_RDONLY)
        for path in _candidates(name, environment):
            try:
                return os.posix_spawn(
                    path,
                    arguments,
                    environment,
                    file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
                    setsid=True,
                    setsigmask=(),
                    setsigdef=(*_HANDLED, signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores the last two
                )
            except (FileNotFoundError, NotADirectoryError) as error:
                missing = error
        raise missing
    except OSError as error:
        named = os.fsdecode(folder if error.filename == folder else name)
        os.write(status, f"failed {named}: {error.strerror}\n".encode(errors="replace"))
        return None


def _candidates(name: bytes, environment: dict[bytes, bytes]) -> list[bytes]:
    """Where a program of that name may be."""
    if b"/" in name:
        return [name]
    folders = environment.get(b"PATH", os.fsencode(os.defpath)).split(b":")
    return [os.path.join(folder, name) for folder in folders]  # noqa: PTH118


def _wait(family: Family, wake: int) -> None:
    """Until the command has ended or the engine lets go of the leash."""
    while True:
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            _drain(wake)
            family.reap()
            if not family.leader_alive:
                return
        if 0 in ready and not os.read(0, 4096):
            return


def _end(family: Family, wake: int) -> int:
    """End everyone; returns how many could not be ended."""
    family.send(signal.SIGTERM)
    family.send(signal.SIGCONT)  # a stopped process acts on SIGTERM only after this
    if not _remains(family, wake, GRACE_SECONDS):
        return 0
    deadline = time.monotonic() + KILL_SECONDS
    while time.monotonic() < deadline:
        family.send(signal.SIGKILL)  # again and again: whoever forks meanwhile is met in the next round
        if not _remains(family, wake, 0.02):
            return 0
    return family.size()


def _remains(family: Family, wake: int, seconds: float) -> bool:
    """Whether somebody is left after at most ``seconds``; returns as soon as nobody is."""
    deadline = time.monotonic() + seconds
    while family.reap():
        rest = deadline - time.monotonic()
        if rest <= 0:
            return True
        select.select([wake], [], [], min(rest, 0.05))  # outside Linux a group ends without a SIGCHLD to us
        _drain(wake)
    return False


def _drain(wake: int) -> None:
    try:
        while os.read(wake, 4096):
            pass
    except BlockingIOError:
        pass


if __name__ == "__main__":
    main()
