"""bubblewrap (bwrap(1)): a command in namespaces of its own, which sees only what is bound into them.

Its own environment is empty, since it stays as process 1 and ``/proc/1/environ`` shows what it was started with; the
command's variables are set by arguments. It does not die with its parent: the guard above it ends it and all below, and
lets what a command left behind finish first, as everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from agents.sandbox.fence import Fence, SandboxKind, Start
from agents.sandbox.system import graphics_cards, system_folders

_NAMESPACES: Final = ("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
_TMP_BYTES: Final = str(1 << 30)
"""Of a fresh /tmp, which lies in memory."""


@dataclass(frozen=True)
class Bubblewrap:
    """Builds the command line of ``program``."""

    kind: ClassVar[SandboxKind] = SandboxKind.BUBBLEWRAP
    program: str

    def confined(self, start: Start, fence: Fence) -> Start:
        """The command line of bwrap around ``start``; nothing of the machine but its programs and ``fence`` is seen."""
        argv = [self.program, *_NAMESPACES, *(() if fence.network else ("--unshare-net",)), "--cap-drop", "ALL"]
        argv += ["--hostname", "sandbox", "--clearenv"]
        for name, value in start.environment.items():
            argv += ["--setenv", name, value]
        argv += ["--proc", "/proc", "--dev", "/dev", "--size", _TMP_BYTES, "--tmpfs", "/tmp", *_system()]  # noqa: S108
        for way, path, place in _binds(fence):
            argv += [way, str(path), str(place)]
        argv += ["--remount-ro", "/", "--chdir", str(start.cwd), "--", *start.argv]
        return Start(argv, {}, Path("/"))


def _system() -> Iterator[str]:
    for folder in system_folders():
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        else:
            yield from ("--ro-bind", str(folder), str(folder))
    for device in graphics_cards():
        yield from ("--dev-bind", str(device), str(device))


def _binds(fence: Fence) -> Iterator[tuple[str, Path, Path]]:
    """What is bound where, the outer folders first, so that the inner ones lie over them.

    A path is bound where it is named and where it really is, because programs resolve links.
    """
    found: dict[Path, tuple[str, Path]] = {}
    for way, paths in (("--ro-bind", fence.read), ("--bind", fence.write)):
        for path in paths:
            real = path.resolve()
            if real.exists():
                found[path] = found[real] = (way, real)
    placed: dict[Path, str] = {}
    for place, (way, real) in sorted(found.items(), key=lambda item: len(item[0].parts)):
        around = next((folder for folder in place.parents if folder in placed), None)
        if around is not None and (place != real or placed[around] == way):
            continue  # it is seen there already, a link as a link
        placed[place] = way
        yield way, real, place
