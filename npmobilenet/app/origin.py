"""Who may call: browsers only by a name of this machine, and only pages that it served itself."""

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from npmobilenet.app.schema import problem


class OriginCheck:
    """Middleware against pages of other sites that call a server on the user's own machine.

    - DNS rebinding: a foreign name that suddenly stands for this machine is not in the list of
      names. Addresses cannot be rebound and pass.
    - Requests across sites, web sockets included: a browser says where a page came from, and that
      must be this server.

    Parameters
    ----------
    app : ASGI application
    names : iterable of str
        Besides ``localhost`` and the machine's own name.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()) -> None:
        self.app = app
        self.names = {"localhost", socket.gethostname().lower(), *map(str.lower, names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        reason = self._objection(Headers(scope=scope))
        if reason is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008, reason)(scope, receive, send)
        else:
            answer = JSONResponse(
                problem(403, "Forbidden", reason), 403, media_type="application/problem+json"
            )
            await answer(scope, receive, send)

    def _objection(self, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return f"host {host!r} is no name of this server; start it with --allow-host to add one"
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != host.lower():
            return f"a page of {origin!r} may not call {host!r}"
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self.names or _is_address(name)


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
