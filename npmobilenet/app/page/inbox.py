"""Addresses to which the components of an open page send pictures and files."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, Request
from nicegui import Client

from npmobilenet.app.failures import RequestError

Reply = Mapping[str, object]
Handler = Callable[[bytes], Awaitable[Reply]]

PATH = "/page/inbox"


class Inboxes:
    """Every inbox of every open page.

    An inbox has an address that nobody can guess, and it is gone with its page.

    Parameters
    ----------
    app : FastAPI
        Gets the endpoint; its middleware bounds the size of what is sent.
    receive_seconds : float
        How long a body may take to arrive.
    """

    def __init__(self, app: FastAPI, receive_seconds: float) -> None:
        self._handlers: dict[str, Handler] = {}
        self._seconds = receive_seconds
        app.post(PATH + "/{token}", include_in_schema=False)(self._receive)

    def __len__(self) -> int:
        return len(self._handlers)

    def open(self, handler: Handler, client: Client) -> str:
        """A new inbox of a client's page; gives its address. The reply is sent back as JSON."""
        token = secrets.token_urlsafe(16)
        self._handlers[token] = handler

        def close() -> None:
            self._handlers.pop(token, None)

        client.on_delete(close)
        return f"{PATH}/{token}"

    async def _receive(self, token: str, request: Request) -> Reply:
        handler = self._handlers.get(token)
        if handler is None:
            raise RequestError(404, "the page is no longer known to the server: load it again")
        try:
            async with asyncio.timeout(self._seconds):
                body = await request.body()
        except TimeoutError:
            raise RequestError(408, f"it did not arrive within {self._seconds:g} s") from None
        return await handler(body)
