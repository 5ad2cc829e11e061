"""Bounds on the bodies of requests, announced or not, and on all of them together."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from npmobilenet.app.failures import BusyError


class BodyLimit:
    """Middleware that refuses a request whose body is larger than allowed: status 413.

    A length in the headers is judged before anything is read; without one, bytes are counted as
    they arrive, and reading on raises. If too much of other requests is held already: status 503.

    Parameters
    ----------
    app : ASGI application
    most : int
        Bytes.
    held : int
        Bytes of all requests that are not answered.
    """

    def __init__(self, app: ASGIApp, most: int, held: int) -> None:
        self.app = app
        self.most = most
        self.most_held = max(most, held)
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        announced = int(length) if length.isascii() and length.isdigit() else 0
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            if announced > self.most:
                raise self._refusal(f"announced {announced} bytes")
            message = await receive()
            size = len(message.get("body", b""))
            arrived += size
            self.held += size
            if arrived > self.most:
                raise self._refusal(f"found more than {self.most} bytes")
            if self.held > self.most_held:
                raise BusyError("other requests take all room there is, come back later")
            return message

        try:
            await self.app(scope, counted, send)
        finally:
            self.held -= arrived

    def _refusal(self, found: str) -> HTTPException:
        return HTTPException(413, f"body: {found}, expected at most {self.most}")
