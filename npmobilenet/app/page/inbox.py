"""Addresses to which the components of an open page send pictures and files."""

import secrets
from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, HTTPException, Request
from nicegui import Client

from npmobilenet.errors import NpMobileNetError

Reply = Mapping[str, object]
Handler = Callable[[bytes], Awaitable[Reply]]

PATH = "/page/inbox"


class Inboxes:
    """Every inbox of every open page.

    An inbox has an address that nobody can guess, so other sites in the same browser cannot send to
    it, and it is gone with its page.

    Parameters
    ----------
    app : FastAPI
        Gets the endpoint.
    max_bytes : int
        Larger bodies are refused without being read to their end.
    """

    def __init__(self, app: FastAPI, max_bytes: int) -> None:
        self._handlers: dict[str, Handler] = {}
        self._max_bytes = max_bytes
        app.post(PATH + "/{token}", include_in_schema=False)(self._receive)

    def __len__(self) -> int:
        return len(self._handlers)

    def open(self, handler: Handler, client: Client) -> str:
        """A new inbox of a client's page; gives its address.

        What the handler returns is sent back as JSON. Its ``NpMobileNetError`` and ``ValueError``
        become an answer with status 422 and their text.
        """
        token = secrets.token_urlsafe(16)
        self._handlers[token] = handler
        client.on_delete(lambda: self._handlers.pop(token, None))
        return f"{PATH}/{token}"

    async def _receive(self, token: str, request: Request) -> Reply:
        handler = self._handlers.get(token)
        if handler is None:
            raise HTTPException(404, "The page is no longer known here: load it again")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_bytes:
                raise HTTPException(413, f"The file has more than {self._max_bytes:,} bytes")
        try:
            return await handler(bytes(body))
        except (NpMobileNetError, ValueError) as error:
            raise HTTPException(422, str(error)) from error
