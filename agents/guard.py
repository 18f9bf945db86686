"""Runs one command and sees to it that nothing of the command outlives the call.

``agents.guard_server`` starts this file once as a script. It then is a server that forks a guard for each command: a
fork of this small process takes a tenth of the time that an interpreter takes to start.

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
    request  a file, NUL-separated: working folder, number of arguments, arguments, ``NAME=value`` pairs

Only the standard library is imported, and little of it (no pathlib), because a fork copies what is there.
"""

import ctypes
import os
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
_PR_SET_CHILD_SUBREAPER = 36
_HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> None:
    """Fork a guard for each command that is asked for, until the engine is gone."""
    with socket.socket(fileno=0) as engine:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel then keeps no guard as a zombie
        while True:
            asked, files, _, _ = socket.recv_fds(engine, 1, _FILES)
            if not asked:
                return
            if os.fork() == 0:
                break
            for file in files:
                os.close(file)
    try:
        _lead(files)
    except BaseException:  # noqa: BLE001 - told as the interpreter would, which os._exit keeps from telling
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(0)  # at once: tidying up a copy of the interpreter would take longer than all the rest


def _lead(files: list[int]) -> None:
    """Become the guard of one command, and on Linux the process above it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    *standard, request = files
    with open(request, "rb") as file:  # noqa: PTH123
        file.seek(0)
        asked = file.read()
    for number, copy in enumerate(standard):
        os.dup2(copy, number)
        os.close(copy)  # never 0, 1 or 2, which the server had open when it got them
    os.write(1, b"guard %d\n" % os.getpid())
    subreaper = _become_subreaper()
    guard = os.fork() if subreaper else 0
    if guard:
        _outlive(guard)
    else:
        _guard(asked)


def _outlive(guard: int) -> None:
    """Wait for the guard; where somebody killed it, its descendants are this process's now and are ended."""
    wake = _wake_on_children()
    _, how = os.waitpid(guard, 0)
    if os.WIFSIGNALED(how):
        family = Family(guard, -1, subreaper=True)
        family.leader_alive = False
        _end(family, wake)


def _guard(request: bytes) -> None:
    status = os.dup(1)  # os.dup makes it close-on-exec: the command never sees it
    folder, arguments, environment = _parsed(request)
    subreaper = _become_subreaper()
    wake = _wake_on_children()
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


def _parsed(request: bytes) -> tuple[bytes, list[bytes], dict[bytes, bytes]]:
    folder, count, *rest = request.split(b"\0")
    arguments = rest[: int(count)]
    pairs = (pair.partition(b"=") for pair in rest[int(count) :])
    return folder, arguments, {name: value for name, _, value in pairs}


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
    # A signal that comes between fork and exec must wait, or the handler copied from here would swallow it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
        return pid
    try:
        os.setsid()
        for number in (*_HANDLED, signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores the last two
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.chdir(folder)
        os.execvpe(arguments[0], arguments, environment)  # noqa: S606
    except OSError as error:
        name = os.fsdecode(error.filename or arguments[0])
        os.write(status, f"failed {name}: {error.strerror}\n".encode(errors="replace"))
    finally:
        os._exit(127)


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
