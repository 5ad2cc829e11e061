"""The page in the browser."""

from fastapi import FastAPI
from starlette.responses import RedirectResponse

from npmobilenet.app.documentation import DOCUMENTATION
from npmobilenet.app.limits import Settings
from npmobilenet.app.service import Service


def mount_page(app: FastAPI, service: Service, settings: Settings) -> None:
    """Add the page to the application."""

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse(DOCUMENTATION)
