"""One request and its response, down to the socket: what ASGI has no words for is done to the transport itself."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NoReturn

from uvicorn.protocols.http.h11_impl import H11Protocol

ASGIScope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER so that closing a socket resets its connection."""


class OpenProtocol(H11Protocol):
    """uvicorn's protocol, with the connection's transport in each request's scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: ASGIScope, receive: Receive, send: Send) -> None:
            await app({**scope, "transport": transport}, receive, send)  # type: ignore[arg-type]

        self.app = with_transport  # type: ignore[assignment]


class Exchange:
    """The response to one request, as it is sent."""

    def __init__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        self._transport: asyncio.Transport = scope["transport"]
        self._receive = receive
        self._send = send
        self.was_cut = False
        """The server itself ended the connection."""

    async def body(self) -> bytes:
        """The whole request body; raises ``ConnectionError`` where the client left before its end."""
        data = b""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError("the client left before its request was whole")
            data += message.get("body", b"")
            if not message.get("more_body"):
                return data

    async def left(self) -> None:
        """Returns once the connection has ended, or the response has."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def start(self, status: int, content_type: str, **headers: str) -> None:
        """Send status and headers at once."""
        given = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def piece(self, data: bytes) -> None:
        """Send a part of the body, as a chunk of its own."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        await asyncio.sleep(0)

    async def end(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def whole(self, status: int, content_type: str, data: bytes, **headers: str) -> None:
        await self.start(status, content_type, **headers)
        await self.end(data)

    def half(self, data: bytes) -> None:
        """Send the first half of a chunk that never becomes whole."""
        self._transport.write(b"%x\r\n" % len(data) + data[: len(data) // 2])

    async def cut(self, *, reset: bool) -> NoReturn:
        """End the connection; whoever watches it then cancels this."""
        self.was_cut = True
        if reset:
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self._transport.abort()
        else:
            self._transport.close()
        await self.for_ever()

    async def for_ever(self) -> NoReturn:
        """Do nothing, until whoever watches the connection cancels this."""
        while True:
            await asyncio.sleep(3600)
