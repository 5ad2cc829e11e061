"""Bounds on the bodies of requests, announced or not, and on all of them together."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from npmobilenet.app.answers import refused
from npmobilenet.app.failures import BusyError


class BodyLimit:
    """Middleware that refuses a request whose body is larger than allowed: status 413.

    A length in the headers is judged before anything is read; without one, bytes are counted as
    they arrive, and reading on raises. If too much of other requests is held already: status 503.
    An application below that makes something else of the exception is not asked for the answer.

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
        refusal: Exception | None = None
        started = False

        async def counted() -> Message:
            nonlocal arrived, refusal
            if announced > self.most:
                refusal = self._refusal(f"announced {announced} bytes")
                raise refusal
            message = await receive()
            size = len(message.get("body", b""))
            arrived += size
            self.held += size
            if arrived > self.most:
                refusal = self._refusal(f"found more than {self.most} bytes")
            elif self.held > self.most_held:
                refusal = BusyError("other requests take all room there is, come back later")
            if refusal is not None:
                raise refusal
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except Exception:
            if refusal is None or started:
                raise
            await refused(refusal)(scope, receive, send)
        finally:
            self.held -= arrived

    def _refusal(self, found: str) -> HTTPException:
        return HTTPException(413, f"body: {found}, expected at most {self.most}")
