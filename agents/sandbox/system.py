"""What of the machine itself every command may see: programs and libraries, nothing that belongs to a person."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

_FOLDERS: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt/rocm")
_SETTINGS: Final = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/mime.types",
    "/etc/fonts",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
"""Files that programs read to find libraries, names, the time zone and the processors; no passwords, no keys."""
_CARDS: Final = ("nvidia*", "kfd", "dri")


@cache
def system_folders() -> Sequence[Path]:
    """The folders and files of this machine that exist, links as they are."""
    return [path for name in (*_FOLDERS, *_SETTINGS) if (path := Path(name)).exists()]


@cache
def graphics_cards() -> Sequence[Path]:
    """The graphics cards of this machine."""
    return sorted(path for pattern in _CARDS for path in Path("/dev").glob(pattern))
