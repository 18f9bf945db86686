"""The server in a thread of the test that needs it."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from tests.llm_server.app import COMPLETIONS, App, Request
from tests.llm_server.brain import Brain
from tests.llm_server.exchange import OpenProtocol
from tests.llm_server.scenario import Scenario

_PATIENCE = 30
"""Seconds after which a server that does not start or end is a failure of the test."""


@dataclass
class Served:
    """A server that runs."""

    address: str
    """What a client calls its base address: …/v1."""
    app: App

    @property
    def requests(self) -> list[Request]:
        """Requests for a completion, in the order in which they came."""
        return [request for request in self.app.seen if request.path == COMPLETIONS]

    @property
    def disconnects(self) -> list[Request]:
        """Those whose client closed the connection before the response had ended."""
        return [request for request in self.requests if request.hung_up]

    def wait(self, reached: Callable[["Served"], object]) -> None:
        """Wait until it is so; a client knows earlier than the server that it has left."""
        deadline = time.monotonic() + _PATIENCE
        while not reached(self):
            assert time.monotonic() < deadline, f"not reached: {self.requests}"
            time.sleep(0.005)


@contextmanager
def serve(
    brain: Brain, scenario: Scenario | None = None, models: Sequence[str] | None = None, port: int = 0
) -> Iterator[Served]:
    """A server on loopback, until the block ends. Connections that hang are closed then.

    Raises what the brain raised while it was asked, unless the block raises something itself. Unless ``models`` are
    given, the server has those of the scenario, or ``expert``.
    """
    app = App(brain, scenario, models or (scenario.models if scenario else ("expert",)))
    listener = socket.create_server(("127.0.0.1", port))
    # asyncio sets this for a listener that it made itself; without it each reply waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="llm-server", daemon=True)
    thread.start()
    try:
        assert server.ready.wait(_PATIENCE), "the server did not start"
        yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", app)
        failures = list(app.failures)
    finally:
        server.end()
        thread.join(_PATIENCE)
        assert not thread.is_alive(), "the server did not end"
    if failures:
        raise failures[0]


class _Server(uvicorn.Server):
    """uvicorn, but it ends when it is told to and does not look for that ten times a second."""

    def __init__(self, app: App) -> None:
        super().__init__(
            uvicorn.Config(
                app,  # type: ignore[arg-type]
                http=OpenProtocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=3600,
                timeout_graceful_shutdown=_PATIENCE // 2,
            )
        )
        self.ready = threading.Event()
        self._app = app
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Called from another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._ending.wait()
        self._app.is_closing = True
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # a hanging one would never end by itself
