"""From the body of a request to pictures and options."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from npmobilenet.app.failures import RequestError
from npmobilenet.app.json_budget import MOST_VALUES, check_json
from npmobilenet.app.limits import Limits

JSON = "application/json"
MULTIPART = "multipart/form-data"
PICTURES = "images"
"""The name of the field with pictures, in JSON and in a form."""

_LISTS = ("allow", "deny")  # fields of a form that may come several times
_MOST_FIELDS = 4000
_LONGEST_FIELD = 1 << 12
_LONGEST_HEAD = 1 << 12  # of one part
_UNTYPED = ("", "application/octet-stream")

Options = TypeVar("Options", bound=BaseModel)


@dataclass(frozen=True)
class Asked(Generic[Options]):
    """A request, once understood: picture files as bytes, and the options."""

    pictures: list[bytes]
    options: Options


async def read_request(
    request: Request,
    limits: Limits,
    options: type[Options],
    document: type[BaseModel],
) -> Callable[[], Asked[Options]]:
    """Take in a body of JSON or a form.

    Parameters
    ----------
    request : Request
    limits : Limits
        ``pictures``, ``topk`` and ``receive_seconds`` count here.
    options, document : type
        The model of the options alone, and that of the whole JSON.

    Returns
    -------
    callable
        Gives what was asked; parsing JSON takes CPU time, so it is left to a thread. It raises
        RequestError too.

    Raises
    ------
    RequestError
        If the body is of another type, cannot be parsed, or does not come in time.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if kind not in (JSON, MULTIPART) or encoding != "identity":
        found = f"{kind or 'none'}, encoding {encoding}" if encoding != "identity" else kind
        raise RequestError(
            415, f"found content type {found or 'none'}, expected {JSON} or {MULTIPART}"
        )
    try:
        async with asyncio.timeout(limits.receive_seconds):
            if kind == JSON:
                body = await request.body()
                return lambda: _from_json(body, limits, options, document)
            fields, pictures = await _read_form(request, limits)
    except TimeoutError:
        raise RequestError(
            408, f"the body did not arrive within {limits.receive_seconds:g} s"
        ) from None
    return lambda: _from_form(fields, pictures, limits, options)


def _from_json(
    body: bytes, limits: Limits, options: type[Options], document: type[BaseModel]
) -> Asked[Options]:
    check_json(body, MOST_VALUES + limits.pictures)
    try:
        whole = document.model_validate_json(body)
    except ValidationError as error:
        syntax = error.errors(include_url=False)[0]["type"] == "json_invalid"
        raise _refused(error, 400 if syntax else 422) from None
    values = whole.model_dump()
    pictures: list[bytes] = values.pop(PICTURES)
    return _checked(pictures, options(**values), limits)


class _WholeForm(MultiPartParser):
    """A form that must have its end, and parts with heads of some size.

    starlette takes what it has got of one that was cut off, and older parsers any head.
    """

    def __init__(self, request: Request, limits: Limits) -> None:
        self._ended = False
        self._head_bytes = 0
        super().__init__(
            request.headers,
            self._until_end(request.stream()),
            max_files=limits.pictures,
            max_fields=_MOST_FIELDS,
            max_part_size=_LONGEST_FIELD,
        )

    def on_end(self) -> None:
        self._ended = True

    def on_part_begin(self) -> None:
        self._head_bytes = 0
        super().on_part_begin()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count_head(end - start)
        super().on_header_field(data, start, end)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_head(end - start)
        super().on_header_value(data, start, end)

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > _LONGEST_HEAD:
            raise MultiPartException(f"a part has more than {_LONGEST_HEAD} bytes of headers")

    async def _until_end(self, stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        async for chunk in stream:
            yield chunk
        if not self._ended:
            raise MultiPartException("the form ends before its last boundary")


async def _read_form(request: Request, limits: Limits) -> tuple[dict[str, Any], list[bytes]]:
    """Fields by name, and the content of the files."""
    fields: dict[str, Any] = {}
    pictures: list[bytes] = []
    try:
        form = await _WholeForm(request, limits).parse()
    except MultiPartException as error:
        raise RequestError(400, error.message) from None
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                _check_part(name, value)
                pictures.append(await value.read())
            elif name in _LISTS:
                fields.setdefault(name, []).append(value)
            elif name in fields:
                raise RequestError(422, f"field {name!r} is there more than once")
            else:
                fields[name] = value
    finally:
        await form.close()
    return fields, pictures


def _check_part(name: str, file: UploadFile) -> None:
    if name != PICTURES:
        raise RequestError(
            422, f"found a file in field {name!r}, expected pictures in {PICTURES!r}"
        )
    kind = (file.content_type or "").partition(";")[0].strip().lower()
    if kind not in _UNTYPED and not kind.startswith("image/"):
        raise RequestError(415, f"{PICTURES}: found a part of type {kind}, expected image/*")


def _from_form(
    fields: dict[str, Any], pictures: list[bytes], limits: Limits, options: type[Options]
) -> Asked[Options]:
    try:
        return _checked(pictures, options.model_validate(fields), limits)
    except ValidationError as error:
        raise _refused(error, 422) from None


def _checked(pictures: list[bytes], options: Options, limits: Limits) -> Asked[Options]:
    if not pictures:
        raise RequestError(422, f"found no pictures, expected at least one in {PICTURES!r}")
    if len(pictures) > limits.pictures:
        raise RequestError(
            422, f"found {len(pictures)} pictures, expected at most {limits.pictures}"
        )
    topk = getattr(options, "topk", 0)
    if topk > limits.topk:
        raise RequestError(422, f"topk: found {topk}, expected at most {limits.topk}")
    return Asked(pictures, options)


def _refused(error: ValidationError, status: int) -> RequestError:
    problems = [
        (".".join(map(str, problem["loc"])), re.sub(r"\s+", " ", problem["msg"]))
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    place, message = problems[0]
    return RequestError(status, f"{place}: {message}" if place else message, problems[:20])
