"""Landlock, with namespaces where they can be had: no package needed, but a kernel from 5.13 on.

It forbids to open, not to see: names, sizes and times of files outside the fence can be told by ``stat``.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from agents.sandbox import confine
from agents.sandbox.fence import Fence, SandboxKind, Start
from agents.sandbox.system import graphics_cards, system_folders


@dataclass(frozen=True)
class Landlock:
    """Starts a command by :mod:`agents.sandbox.confine`."""

    kind: ClassVar[SandboxKind] = SandboxKind.LANDLOCK
    namespaces: bool = True
    """Whether the command gets processes, network and shared memory of its own too."""

    def confined(self, start: Start, fence: Fence) -> Start:
        """The command line around ``start``."""
        specification = {
            "read": _real((*system_folders(), *fence.read)),
            "write": _real((*graphics_cards(), *fence.write)),
            "network": fence.network,
            "namespaces": self.namespaces,
        }
        argv = [sys.executable, "-I", "-S", confine.__file__, json.dumps(specification), *start.argv]
        return Start(argv, start.environment, start.cwd)


def _real(paths: Iterable[Path]) -> list[str]:
    return [str(path.resolve()) for path in paths]
