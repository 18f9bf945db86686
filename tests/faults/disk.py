"""A disk that fails where a plan says so: the functions through which the engine's process changes files, wrapped."""

import builtins
import errno
import io
import os
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.faults.plan import Broken, Operation, Place

_WRITES = set("wax+")


def name_of(path: object, root: Path) -> str | None:
    """What a path within the run is called: relative, its numbers as N, without the dress of a temporary file."""
    if isinstance(path, int):
        try:
            path = os.readlink(f"/proc/self/fd/{path}")  # noqa: PTH115
        except OSError:
            return None
    try:
        relative = Path(os.path.abspath(os.fsdecode(path))).relative_to(root).as_posix()  # type: ignore[arg-type]  # noqa: PTH100
    except (ValueError, TypeError):
        return None
    relative = re.sub(r"\.\d+\.part\b", "", relative)
    relative = re.sub(r"(^|/)\.(?=[^/]*)", r"\1", relative)
    relative = re.sub(r"scratch/[^/]+", "scratch/X", relative)
    relative = re.sub(r"^control/(done/)?[^/]+\.json$", r"control/\1N.json", relative)
    return re.sub(r"\d+", "N", relative)


class Disk:
    """Fails as told. ``kill`` ends the process at once."""

    def __init__(self, root: Path, broken: Sequence[Broken], log: str) -> None:
        self._root = root
        self._broken = dict(enumerate(broken))
        self._met = dict.fromkeys(self._broken, 0)
        self._armed = {index for index, rule in self._broken.items() if rule.after is None}
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if log else None
        self._write = os.write
        self._seen: set[str] = set()

    def written(self, event: Any, matches: Callable[[Place, Any], bool]) -> None:
        """An event reached the journal."""
        self._armed |= {index for index, rule in self._broken.items() if rule.after and matches(rule.after, event)}

    def meet(self, operation: Operation, path: object, *, done: bool = False) -> None:
        """Raise, or kill, where a rule says so. A rule that kills does so when the operation is ``done``."""
        name = name_of(path, self._root)
        if name is None:
            return
        if self._log is not None and not done and (line := f"{operation} {name}\n") not in self._seen:
            self._seen.add(line)
            self._write(self._log, line.encode())
        for index in sorted(self._armed):
            rule = self._broken[index]
            if done is not (rule.error == "KILL") or rule.operation not in (None, operation):
                continue
            if not re.fullmatch(rule.pattern, name):
                continue
            self._met[index] += 1
            met = self._met[index] - rule.skip
            if met <= 0 or (rule.times and met > rule.times):
                continue
            if rule.error == "KILL":
                os.kill(os.getpid(), signal.SIGKILL)
            number = getattr(errno, rule.error)
            raise OSError(number, os.strerror(number), os.fsdecode(path) if not isinstance(path, int) else None)

    def install(self) -> None:
        """Put the wrappers in the place of the functions."""
        self._wrap_open()
        for name, operation, which in (
            ("replace", "rename", 1),
            ("rename", "rename", 1),
            ("mkdir", "mkdir", 0),
            ("symlink", "symlink", 1),
            ("fsync", "fsync", 0),
            ("sendfile", "write", 0),
            ("write", "write", 0),
        ):
            setattr(os, name, self._wrapped(getattr(os, name), operation, which))  # type: ignore[arg-type]
        self._wrap_os_open()

    def _wrapped(self, original: Callable[..., Any], operation: Operation, which: int) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **options: Any) -> Any:
            self.meet(operation, arguments[which])
            result = original(*arguments, **options)
            self.meet(operation, arguments[which], done=True)
            return result

        return wrapper

    def _wrap_os_open(self) -> None:
        original = os.open

        def opened(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
            changes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and "dir_fd" not in options
            if changes:
                self.meet("open", path)
            descriptor = original(path, flags, *arguments, **options)
            if changes:
                self.meet("open", path, done=True)
            return descriptor

        os.open = opened

    def _wrap_open(self) -> None:
        original, disk = io.open, self

        class _File(io.FileIO):
            """A file whose writes may fail."""

            def write(self, data: Any) -> int:
                disk.meet("write", self.fileno())
                written = super().write(data)
                disk.meet("write", self.fileno(), done=True)
                return written or 0

        def opened(
            file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None,
            newline: Any = None, closefd: bool = True, opener: Any = None,
        ) -> Any:  # fmt: skip
            if not _WRITES & set(mode) or name_of(file, disk._root) is None:
                return original(file, mode, buffering, encoding, errors, newline, closefd, opener)
            if not isinstance(file, int):
                disk.meet("open", file)
            raw = _File(file, mode.replace("b", "").replace("t", ""), closefd=closefd, opener=opener)
            if not isinstance(file, int):
                disk.meet("open", file, done=True)
            if buffering == 0:
                return raw
            buffered: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            if "b" in mode:
                return buffered
            return io.TextIOWrapper(buffered, io.text_encoding(encoding), errors, newline)

        io.open = opened
        builtins.open = opened
