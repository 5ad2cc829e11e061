"""How failures look to a client: a status, one sentence, and never a traceback."""

from http import HTTPStatus

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from npmobilenet.app.failures import BusyError, RequestError
from npmobilenet.app.schema import problem
from npmobilenet.errors import (
    DownloadError,
    ImageError,
    ImageTooLargeError,
    LabelsError,
    PictureInputError,
    UnknownModelError,
)

PROBLEM = "application/problem+json"
RETRY_SECONDS = "1"

_STATUSES: dict[type[Exception], int] = {
    ImageTooLargeError: 413,
    ImageError: 400,
    LabelsError: 422,
    PictureInputError: 422,
    UnknownModelError: 404,
}


def add_handlers(app: FastAPI) -> None:
    """Turn every exception into an answer of type application/problem+json."""
    for kind in _STATUSES:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(RequestError, _request)
    app.add_exception_handler(BusyError, _refused)
    app.add_exception_handler(DownloadError, _no_weights)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


def answer(
    status: int,
    detail: str,
    errors: list[tuple[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """A problem as an HTTP response."""
    title = HTTPStatus(status).phrase
    return JSONResponse(problem(status, title, detail, errors), status, headers, PROBLEM)


def refused(error: Exception) -> Response:
    """The answer to a request that was not read: an HTTPException or a BusyError."""
    if isinstance(error, BusyError):
        return answer(503, str(error), headers={"Retry-After": RETRY_SECONDS})
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = dict(error.headers) if error.headers else None
    return answer(error.status_code, str(error.detail), headers=headers)


def _known(request: Request, error: Exception) -> Response:
    status = next(code for kind, code in _STATUSES.items() if isinstance(error, kind))
    return answer(status, str(error))


def _request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)  # noqa: S101
    return answer(error.status, str(error), error.problems)


def _refused(request: Request, error: Exception) -> Response:
    return refused(error)


def _no_weights(request: Request, error: Exception) -> Response:
    # The message speaks of this machine's folders, which are no client's concern.
    return answer(503, "the weights of this model cannot be had at the moment")


def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


def _unexpected(request: Request, error: Exception) -> Response:
    return answer(500, "something went wrong in the server; its log says what")
