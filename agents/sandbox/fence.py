"""What a command may see and change, whoever enforces it."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final, Protocol

_GIGABYTE: Final = 1 << 30
_OF_MEMORY: Final = 0.9
"""Share of this machine's memory that one process may ask for: a script that wants more gets a MemoryError."""


class SandboxKind(StrEnum):
    """Ways to confine a command, the strongest first."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    PLAIN = "plain"


@dataclass(frozen=True)
class Limits:
    """What a command may use, beside its time. None: as much as there is."""

    memory: int | None = None
    """Bytes of data of one process."""
    all_memory: int | None = None
    """Bytes that all of its processes have in memory together."""
    file: int | None = 64 * _GIGABYTE
    """Bytes of one file."""
    processes: int | None = 1_000
    """Processes at a time."""
    free: int | None = _GIGABYTE // 2
    """Bytes that it has to leave free on the disk of its folder; at most half of what is free at its start."""

    @classmethod
    def of_this_machine(cls) -> "Limits":
        """Limits that no honest training meets before the machine itself is at its end."""
        whole = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _OF_MEMORY)
        return cls(memory=whole, all_memory=whole)

    def to_set(self) -> dict[str, int]:
        """Those that the kernel enforces on each process, by the names of ``setrlimit(2)``; no core is dumped."""
        data = {"RLIMIT_DATA": self.memory, "RLIMIT_FSIZE": self.file, "RLIMIT_CORE": 0}
        return {name: value for name, value in data.items() if value is not None and sys.platform == "linux"}


@dataclass(frozen=True)
class Fence:
    """Files and folders, each with all that is below it. What is not named is neither read nor written."""

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    network: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Start:
    """A command as it is really started."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    cwd: Path


class Sandbox(Protocol):
    """One way to hold a fence."""

    @property
    def kind(self) -> SandboxKind:
        """Which one it is."""
        ...

    def confined(self, start: Start, fence: Fence) -> Start:
        """The command that runs ``start`` behind ``fence``."""
        ...


@dataclass(frozen=True)
class Cell:
    """A sandbox and the fence that it holds around one command."""

    sandbox: Sandbox
    fence: Fence

    def confined(self, argv: Sequence[str], environment: Mapping[str, str], cwd: Path) -> Start:
        """How to start ``argv`` in it."""
        return self.sandbox.confined(Start(argv, environment, cwd), self.fence)


@dataclass(frozen=True)
class Plain:
    """No fence: a process group of its own, an environment without keys, and limits."""

    kind: ClassVar[SandboxKind] = SandboxKind.PLAIN

    def confined(self, start: Start, fence: Fence) -> Start:
        """``start`` itself."""
        return start


OPEN: Final = Cell(Plain(), Fence())
"""Where nothing has been set up: what the engine itself starts, and tests."""
