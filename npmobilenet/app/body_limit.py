"""A bound on the bodies of requests, announced or not."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Middleware that refuses a request whose body is larger than allowed: status 413.

    A length in the headers is judged before anything is read; without one, bytes are counted as
    they arrive, and reading on raises.

    Parameters
    ----------
    app : ASGI application
    most : int
        Bytes.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

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
            arrived += len(message.get("body", b""))
            if arrived > self.most:
                raise self._refusal(f"found more than {self.most} bytes")
            return message

        await self.app(scope, counted, send)

    def _refusal(self, found: str) -> HTTPException:
        return HTTPException(413, f"body: {found}, expected at most {self.most}")
