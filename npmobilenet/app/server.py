"""From settings to a server that listens."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import ceil

import uvicorn
from fastapi import FastAPI
from starlette.responses import RedirectResponse

from npmobilenet import __version__
from npmobilenet.app.answers import add_handlers
from npmobilenet.app.api import api_router
from npmobilenet.app.body_limit import BodyLimit
from npmobilenet.app.connections import SocketLimit, guarded_protocol
from npmobilenet.app.documentation import DOCUMENTATION, add_documentation
from npmobilenet.app.limits import Settings
from npmobilenet.app.origin import OriginCheck
from npmobilenet.app.service import Service

_LONGEST_MESSAGE = 1 << 20  # from a page; pictures do not come this way
_GRACE_SECONDS = 5  # for answers that are under way when the server is stopped


def create_app(settings: Settings, service: Service | None = None) -> FastAPI:
    """The application: endpoint, its documentation, and the page.

    Parameters
    ----------
    settings : Settings
    service : Service, optional
        One that is prepared already.

    Raises
    ------
    UnknownModelError
        If a model of the settings is neither in the catalogue nor a file.
    """
    service = service or Service(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title="npmobilenet", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    add_handlers(app)
    app.include_router(api_router(service))
    add_documentation(app)
    if settings.api_only:

        @app.get("/", include_in_schema=False)
        async def root() -> RedirectResponse:
            return RedirectResponse(DOCUMENTATION)

    else:
        from npmobilenet.app.page import mount_page  # takes longer to import than all the rest

        mount_page(app, service, settings)
    limits = settings.limits
    app.add_middleware(BodyLimit, most=limits.upload_bytes, held=limits.held_bytes)
    app.add_middleware(SocketLimit, most=max(1, limits.connections // 2))
    app.add_middleware(OriginCheck, names=(settings.host, *settings.allowed_hosts))
    return app


def serve(settings: Settings, on_start: Callable[[str], None] = lambda url: None) -> None:
    """Listen until interrupted.

    Parameters
    ----------
    settings : Settings
    on_start : callable, optional
        Called with the address once the server accepts connections.

    Raises
    ------
    NpMobileNetError, OSError
        If a model cannot be had, or the port is taken.
    """
    service = Service(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family) as listener:
        service.prepare()
        config = uvicorn.Config(
            create_app(settings, service),
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            http=guarded_protocol(settings.limits),
            timeout_keep_alive=ceil(settings.limits.idle_seconds),
            ws_max_size=_LONGEST_MESSAGE,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        host = f"[{settings.host}]" if family == socket.AF_INET6 else settings.host
        on_start(f"http://{host}:{listener.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[listener])
