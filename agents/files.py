"""Writing files so that a reader, or a crash, never meets half of one."""

import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_CHUNK: Final = 1 << 30
_NO_SYNC: Final = (errno.EINVAL, errno.ENOTSUP)
"""How a file system says that it cannot flush a folder."""


def write_atomically(path: Path, text: str | bytes, *, durable: bool = True) -> None:
    """Write ``text`` beside ``path``, flush it to disk, rename it into place and flush that too.

    Without ``durable`` it may be missing after a power cut: for what nothing relies upon.
    """
    data = text.encode() if isinstance(text, str) else text
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        with suppress(OSError):  # a disk that takes nothing has its own error, and that is the one to tell
            beside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Flush the names in ``folder`` to disk: a file that was flushed is lost with its name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Flush all files below ``folder``, and its own name, to disk: before an event says that they are there.

    What vanishes or cannot be opened is passed over: an agent's folder holds all sorts of things.
    """
    for parent, _, names in os.walk(folder):
        _sync_files(Path(parent, name) for name in names)
        with suppress(PermissionError, FileNotFoundError):
            sync_folder(Path(parent))
    sync_folder(folder.parent)


def _sync_files(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                continue  # opening a pipe would wait for its writer
            descriptor = os.open(path, os.O_RDONLY)
        except (PermissionError, FileNotFoundError):
            continue
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_result(path: Path, text: str) -> None:
    """Write ``text`` where a person named ``path``: through a link to its target, and straight into a device or pipe.

    Only what is, or becomes, a regular file is replaced, atomically; the link, the device and the pipe stay.
    """
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        is_file = True
    if is_file:
        write_atomically(path.resolve(), text)
        return
    with path.open("wb") as file:
        file.write(text.encode())


def clone_file(source: Path, target: Path) -> None:
    """Copy bytes and permissions. Where the file system can, both share their blocks until one is written."""
    with source.open("rb") as read, target.open("wb") as write:
        with suppress(OSError, AttributeError):  # other file systems, or a platform that has no such call
            while os.copy_file_range(read.fileno(), write.fileno(), _CHUNK):
                pass
        read.seek(write.seek(0, os.SEEK_END))
        shutil.copyfileobj(read, write)
    shutil.copymode(source, target)


def remove_tree(folder: Path) -> None:
    """Remove ``folder`` and all in it, read-only folders too. What somebody else owns stays, without an error."""
    with suppress(OSError):
        folder.chmod(0o700)
    for parent, names, _ in os.walk(folder):
        for name in names:
            below = Path(parent, name)
            if not below.is_symlink():
                with suppress(OSError):
                    below.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON, atomically."""
    write_atomically(path, json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(folder: Path) -> str:
    """Hex digest over the names and bytes of all files below ``folder``."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{sha256_of(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def size_of(folder: Path) -> int:
    """Bytes of the files below a folder; links count as nothing."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
