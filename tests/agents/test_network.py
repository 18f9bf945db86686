"""Whether processes wait for somebody elsewhere, seen from real connections."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from agents.network import is_connected

TALK = "import socket, sys; one = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); print(flush=True); input()"
LISTEN = """\
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
one, _ = server.accept()
input()
"""


@contextmanager
def process(code: str, *arguments: str) -> Iterator[tuple[int, str]]:
    """A process that has said a line, and that line."""
    argv = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout is not None
            yield started.pid, started.stdout.readline().strip()
        finally:
            started.kill()


def test_who_is_connected_to_somebody_else_waits_for_the_network() -> None:
    with process(LISTEN) as (server, port):
        assert not is_connected([server]), "it only listens"
        with process(TALK, port) as (client, _):
            assert is_connected([client])
            assert not is_connected([client, server]), "they wait for each other"


def test_processes_that_are_gone_or_without_connections_wait_for_nobody() -> None:
    with process("print(); input()") as (pid, _):
        assert not is_connected([pid])
    assert not is_connected([pid])
    assert not is_connected([])
