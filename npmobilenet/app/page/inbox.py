"""Addresses to which the components of an open page send pictures and files."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakValueDictionary

from fastapi import FastAPI, Request

from npmobilenet.app.failures import RequestError

Reply = Mapping[str, object]
Handler = Callable[[bytes], Awaitable[Reply]]

PATH = "/page/inbox"


class Owner(Protocol):
    """The element of a page that an inbox belongs to."""

    @property
    def is_deleted(self) -> bool:
        """Whether the element, or the whole page, is gone."""


@dataclass(eq=False)
class Inbox:
    """An address; its owner keeps it, and with the owner it is gone."""

    address: str
    owner: Owner
    handler: Handler


class Inboxes:
    """Every inbox of every open page. Addresses cannot be guessed.

    Parameters
    ----------
    app : FastAPI
        Gets the endpoint; its middleware bounds the size of what is sent.
    receive_seconds : float
        How long a body may take to arrive.
    """

    def __init__(self, app: FastAPI, receive_seconds: float) -> None:
        self._inboxes: WeakValueDictionary[str, Inbox] = WeakValueDictionary()
        self._seconds = receive_seconds
        app.post(PATH + "/{token}", include_in_schema=False)(self._receive)

    def __len__(self) -> int:
        return len(self._inboxes)

    def open(self, owner: Owner, handler: Handler) -> Inbox:
        """A new inbox, for its owner to keep. What the handler returns is sent back as JSON."""
        token = secrets.token_urlsafe(16)
        inbox = self._inboxes[token] = Inbox(f"{PATH}/{token}", owner, handler)
        return inbox

    async def _receive(self, token: str, request: Request) -> Reply:
        inbox = self._inboxes.get(token)
        if inbox is None or inbox.owner.is_deleted:
            raise RequestError(404, "the page is no longer known to the server: load it again")
        try:
            async with asyncio.timeout(self._seconds):
                body = await request.body()
        except TimeoutError:
            raise RequestError(408, f"it did not arrive within {self._seconds:g} s") from None
        return await inbox.handler(body)
