"""The one process of the engine that forks a guard for each command."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Final

from agents import guard

_LOADER_VARIABLES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""All that it inherits: some installations of Python do not start without them."""


class GuardServer:
    """Starts ``agents/guard.py`` at the first call and again where it was killed; it ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """The server's process, once it was started."""
        return self._process.pid if self._process else None

    def hand_over(self, files: Sequence[int]) -> None:
        """Have a guard forked that owns copies of ``files``, which are those that ``agents.guard`` names.

        Does not wait for the guard. Raises ``OSError`` where no server can be started.
        """
        with self._lock:
            for _ in range(2):
                connection = self._connected()
                try:
                    socket.send_fds(connection, [b"1"], files)
                except OSError:  # it was killed, or does not read what it is sent
                    self._end()
                else:
                    return
            raise ChildProcessError("the server of its guards does not stay alive")

    def kill(self) -> None:
        """End a server that does not answer; guards and commands go on."""
        with self._lock:
            self._end()

    def _connected(self) -> socket.socket:
        if self._socket is None or self._process is None or self._process.poll() is not None:
            self._end()
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", guard.__file__],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={name: os.environ[name] for name in _LOADER_VARIABLES if name in os.environ},
                    cwd="/",
                    start_new_session=True,
                )
            self._socket = ours
        return self._socket

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = None


SERVER: Final = GuardServer()
