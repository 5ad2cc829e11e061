"""What a connection may take before it has said what it wants, and after.

uvicorn waits for the head of a request for ever, counts connections that say nothing as requests,
and bounds neither heads (with httptools) nor what is sent around a body. This protocol does.
"""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from npmobilenet.app.limits import Limits

MOST_HEAD_BYTES = 64 << 10
"""Address and headers of a request; h11 has the same bound."""

_DRAINED = 4
"""So many times the largest body is taken in for one request, chunks' framing and what comes after
an early answer included, because who is still sending does not read answers."""


def guarded_protocol(
    limits: Limits, protocol: type[asyncio.Protocol] = AutoHTTPProtocol
) -> type[asyncio.Protocol]:
    """A class for ``uvicorn.Config(http=...)``.

    Parameters
    ----------
    limits : Limits
        ``connections``, ``idle_seconds``, ``receive_seconds`` and ``upload_bytes`` count here.
    protocol : type
        uvicorn's, on h11 or httptools.
    """
    return type("GuardedProtocol", (Guard, protocol), {"bounds": limits})


class Guard(asyncio.Protocol):
    """What stands before uvicorn's protocol.

    - If there are too many connections, the one that has kept the server waiting for longest makes
      room: one without a request first, then one whose body has not arrived.
    - A connection without a request is closed after ``idle_seconds``, whether it says nothing or
      little; so is one whose client does not take its answer, after ``receive_seconds``, and one
      whose body nobody has read to its end in much longer.
    - Heads, and all that comes with one request, are bounded. Trailers are dropped.
    """

    bounds: Limits
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    connections: set[asyncio.Protocol]
    cycle: Any  # the request that is under way, or the last one

    _timer: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _since = 0.0  # when it began to keep the server waiting
    _bytes = 0  # arrived for the request that is awaited or under way
    _request: object = None  # the request that these bytes belong to
    _head_is_read = False  # httptools: what comes now as headers are trailers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look_again()
        if len(self.connections) > self.bounds.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._stuck):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not self._request:
            self._request, self._bytes = self.cycle, 0
        self._bytes += len(data)
        if self.waits_for_head and not (self.cycle and self.cycle.more_body):
            if self._bytes > MOST_HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")
        elif self._bytes > _DRAINED * self.bounds.upload_bytes + MOST_HEAD_BYTES:
            self.transport.abort()

    def on_response_complete(self) -> None:
        self._since, self._bytes = self.loop.time(), 0
        super().on_response_complete()  # type: ignore[misc]

    def pause_writing(self) -> None:
        self._stuck = self.loop.call_later(self.bounds.receive_seconds, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
        super().resume_writing()

    # What httptools calls.

    def on_message_begin(self) -> None:
        self._head_is_read = False
        super().on_message_begin()  # type: ignore[misc]

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_is_read:
            super().on_header(name, value)  # type: ignore[misc]

    def on_headers_complete(self) -> None:
        self._head_is_read = True
        super().on_headers_complete()  # type: ignore[misc]

    # Inside.

    @property
    def waits_for_head(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def waits_for_body(self) -> bool:
        """Whether a request is under way that has not arrived as a whole."""
        return not self.waits_for_head and self.cycle.more_body

    def _look_again(self) -> None:
        self._timer = self.loop.call_later(self.bounds.idle_seconds / 4, self._look)

    def _look(self) -> None:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # gone, or a web socket by now
        waited, most = self.loop.time() - self._since, self.bounds.idle_seconds
        if self.waits_for_body:  # the endpoint has answered long before; who else reads may not
            most += 2 * self.bounds.receive_seconds
        if (self.waits_for_head or self.waits_for_body) and waited >= most:
            self.transport.abort()
        else:
            self._look_again()

    def _make_room(self) -> None:
        others = [one for one in self.connections if isinstance(one, Guard) and one is not self]
        slow = [one for one in others if one.waits_for_head or one.waits_for_body]
        if slow:
            min(slow, key=lambda one: (one.waits_for_body, one._since)).transport.abort()
        else:
            self._refuse(b"503 Service Unavailable")

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()


class SocketLimit:
    """Middleware that refuses web sockets beyond a number: they hold connections for long.

    Parameters
    ----------
    app : ASGI application
    most : int
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most
        self.open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
        elif self.open >= self.most:
            await WebSocketClose(1013, "too many pages are open")(scope, receive, send)
        else:
            self.open += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self.open -= 1
