"""Confines itself by Landlock and namespaces, and becomes a command. Started as a script, with no package around it.

    python -I -S confine.py SPECIFICATION COMMAND [ARGUMENT ...]

The specification is JSON: ``read`` and ``write``, lists of absolute paths; ``network``, whether it may be reached;
``namespaces``, whether to have namespaces of its own beside Landlock. Exit status 126 and one line on standard error
where that cannot be had: a command is never run with less than was asked for.

Three processes with namespaces: this one waits outside for the command's end and ends as it did; the first one in the
new process namespace collects orphans, as process 1 has to; its child becomes the command.

Contracts: landlock(7), namespaces(7), capabilities(7). Numbers are those of the kernel's headers.
"""

import ctypes
import json
import os
import signal
import struct
import sys

_REFUSED = 126
_NEW_USER, _NEW_PID, _NEW_NET, _NEW_IPC, _NEW_UTS, _NEW_MOUNT = (
    0x10000000,
    0x20000000,
    0x40000000,
    0x08000000,
    0x04000000,
    0x00020000,
)
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x8, 0x4000, 0x40000
_MS_BIND, _MOUNT_SETATTR, _HERE, _RECURSIVE, _READ_ONLY = 0x1000, 442, -100, 0x8000, 1
_NO_NEW_PRIVILEGES, _DROP_FROM_BOUNDING_SET = 38, 24
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1
_EXECUTE, _WRITE, _READ, _READ_FOLDER = 1, 2, 4, 8
_MAKE_CHARACTER_DEVICE, _MAKE_BLOCK_DEVICE = 1 << 6, 1 << 11
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
_TCP = 3
"""Binding and connecting."""
_SCOPES = 3
"""Abstract sockets and signals."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/shm")  # noqa: S108
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Do what the arguments say; never returns."""
    specification, command = json.loads(sys.argv[1]), sys.argv[2:]
    try:
        if specification["namespaces"]:
            _enter_namespaces(specification["write"], network=specification["network"])
        _restrict(specification)
        os.execvpe(command[0], command, os.environ)  # noqa: S606
    except FileNotFoundError as error:
        _refuse(f"{error.filename or command[0]}: {error.strerror}", 127)
    except OSError as error:
        _refuse(str(error))


def _refuse(reason: str, status: int = _REFUSED) -> None:
    os.write(2, f"sandbox: {reason}\n".encode(errors="replace"))
    os._exit(status)


def _enter_namespaces(changed: "list[str]", *, network: bool) -> None:
    """Return in the process that becomes the command; the others stay behind until it ends."""
    user, group = os.getuid(), os.getgid()
    flags = _NEW_USER | _NEW_PID | _NEW_IPC | _NEW_UTS | _NEW_MOUNT | (0 if network else _NEW_NET)
    _demand(_libc.unshare(flags), "namespaces")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
            file.write(text)
    _demand(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "mounts of its own")
    _let_nothing_else_be_changed(changed)
    readable, writable = os.pipe()
    if os.fork():
        os.close(writable)
        _end_as(readable)
    os.close(readable)
    _demand(_libc.mount(b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, None), "/proc")
    _libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=1777")
    command = os.fork()
    if command:
        _be_first(command, writable)
    os.close(writable)


def _let_nothing_else_be_changed(changed: "list[str]") -> None:
    """Mount all but ``changed`` read-only: Landlock lets modes, owners and times be changed."""
    paths = [os.fsencode(path) for path in changed if os.path.exists(path)]  # noqa: PTH110
    for path in paths:
        _demand(_libc.mount(path, path, None, _MS_BIND | _MS_REC, None), os.fsdecode(path))
    for path, put, taken in ((b"/", _READ_ONLY, 0), *((path, 0, _READ_ONLY) for path in paths)):
        attributes = struct.pack("4Q", put, taken, 0, 0)
        done = _libc.syscall(_MOUNT_SETATTR, _HERE, path, _RECURSIVE, attributes, len(attributes))
        _demand(done, os.fsdecode(path))
    os.chdir(os.getcwd())  # noqa: PTH109 - from the old mount to the one that lies over it


def _end_as(readable: int) -> None:
    """Wait for the command's end, and end as it did."""
    told = os.read(readable, 8)
    status = struct.unpack("i", told)[0] if told else -signal.SIGKILL
    if status < 0:
        signal.signal(-status, signal.SIG_DFL) if -status not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -status)
    os._exit(status)


def _be_first(command: int, writable: int) -> None:
    """What process 1 does: tell how the command ended, collect orphans, and go when nobody is left."""
    os.closerange(0, writable)
    while True:
        try:
            pid, how = os.wait()
        except InterruptedError:
            continue
        except ChildProcessError:
            os._exit(0)
        if pid == command:
            os.write(writable, struct.pack("i", os.waitstatus_to_exitcode(how)))
            os.close(writable)


def _restrict(specification: "dict[str, list[str]]") -> None:
    """Landlock, as much as this kernel knows of it, without a way back."""
    version = _libc.syscall(_CREATE_RULESET, None, 0, 1)
    _demand(version, "Landlock")
    handled = (1 << 13) - 1
    for since, right in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL)):
        handled |= right if version >= since else 0
    rights = [handled]
    if version >= 4:
        rights.append(0 if specification["network"] else _TCP)
    if version >= 6:
        rights.append(_SCOPES)
    attributes = struct.pack(f"{len(rights)}Q", *rights)
    ruleset = _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    _demand(ruleset, "Landlock")
    reading = _EXECUTE | _READ | _READ_FOLDER
    changing = handled & ~(_MAKE_CHARACTER_DEVICE | _MAKE_BLOCK_DEVICE)
    for path in (*specification["read"], "/proc"):
        _allow(ruleset, path, reading)
    for path in (*specification["write"], *_DEVICES):
        _allow(ruleset, path, changing)
    for capability in range(64):
        _libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    _demand(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no new privileges")
    _demand(_libc.syscall(_RESTRICT_SELF, ruleset, 0), "Landlock")
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):  # noqa: PTH112
        rights &= _OF_FILES
    rule = struct.pack("=Qi", rights, place)
    _demand(_libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), path)
    os.close(place)


def _demand(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
