"""The endpoint: ``POST /api/classify`` and ``/api/embed``, ``GET /api/models`` and ``/api/health``.

Whatever takes CPU time, parsing and writing JSON included, is done in threads.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from npmobilenet import __version__
from npmobilenet.app.answers import PROBLEM
from npmobilenet.app.documentation import DOCUMENTATION
from npmobilenet.app.reading import JSON, MULTIPART, PICTURES, read_request
from npmobilenet.app.schema import (
    ClassifyAnswer,
    ClassifyOptions,
    ClassifyRequest,
    EmbedAnswer,
    EmbedOptions,
    EmbedRequest,
    Health,
    ModelFacts,
    Prediction,
    problem_schema,
)
from npmobilenet.app.service import Service
from npmobilenet.app.workers import Call
from npmobilenet.errors import ImageError, ImageTooLargeError

_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {PROBLEM: {"schema": problem_schema()}}}
    for status, text in {
        400: "A picture or the body is broken.",
        404: "There is no such model.",
        408: "The body did not arrive in time.",
        413: "The body or a picture is too large.",
        415: "The body, or a part of it, is of a type that is not taken.",
        422: "An option or a field is wrong.",
        503: "Too many requests; come back later.",
    }.items()
}


def api_router(service: Service) -> APIRouter:
    """The routes below ``/api``."""
    router = APIRouter(prefix="/api")
    limits = service.limits

    @router.post(
        "/classify",
        response_model=ClassifyAnswer,
        responses=_PROBLEMS,
        openapi_extra=_body(ClassifyOptions, ClassifyRequest),
    )
    async def classify(request: Request) -> Response:
        """The most probable classes of each picture."""
        parse = await read_request(request, limits, ClassifyOptions, ClassifyRequest)

        def work(call: Call) -> bytes:
            asked = parse()
            options = asked.options
            results = [
                service.classify(
                    picture,
                    options.model,
                    options.topk,
                    threshold=options.threshold,
                    allow=options.allow,
                    deny=options.deny,
                )
                for picture in _decoded(service, call, asked.pictures)
            ]
            return _json(
                ClassifyAnswer(
                    model=options.model or service.models.default,
                    results=[[Prediction(**asdict(row)) for row in rows] for rows in results],
                )
            )

        return await _answered(service, request, work)

    @router.post(
        "/embed",
        response_model=EmbedAnswer,
        responses=_PROBLEMS,
        openapi_extra=_body(EmbedOptions, EmbedRequest),
    )
    async def embed(request: Request) -> Response:
        """The mean of the last feature map for each picture."""
        parse = await read_request(request, limits, EmbedOptions, EmbedRequest)

        def work(call: Call) -> bytes:
            asked = parse()
            model = asked.options.model
            embeddings = [
                service.embed([picture], model)[0].tolist()
                for picture in _decoded(service, call, asked.pictures)
            ]
            return _json(
                EmbedAnswer(
                    model=model or service.models.default,
                    size=len(embeddings[0]),
                    embeddings=embeddings,
                )
            )

        return await _answered(service, request, work)

    @router.get("/models")
    async def models() -> list[ModelFacts]:
        """The models that may be asked for, the default first."""

        def work() -> list[ModelFacts]:
            known = service.models
            return [
                ModelFacts(
                    **asdict(known.info(name)),
                    default=name == known.default,
                    loaded=known.is_loaded(name),
                )
                for name in known.names
            ]

        return await service.run(work)

    @router.get("/health")
    async def health() -> Health:
        """That the server answers; it does even when it is busy."""
        return Health(
            status="ok",
            version=__version__,
            in_flight=service.workers.admitted,
            limits=asdict(limits),
        )

    _refuse_others(router)
    return router


def _refuse_others(router: APIRouter) -> None:
    """Answer for all else below ``/api``, which the page's application would answer in HTML."""
    methods = {
        route.path: ", ".join(sorted(route.methods or ()))
        for route in router.routes
        if isinstance(route, APIRoute)
    }

    @router.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
    async def others(request: Request) -> None:
        allowed = methods.get(request.url.path)
        if allowed is None:
            raise HTTPException(404, f"there is no {request.url.path}; see {DOCUMENTATION}")
        raise HTTPException(405, f"expected {allowed}, found {request.method}", {"Allow": allowed})


def _decoded(service: Service, call: Call, pictures: list[bytes]) -> Iterator[np.ndarray]:
    """Pictures one at a time, so that no more than one is in memory; none if nobody waits."""
    most = max(service.limits.request_pixels, service.limits.pixels)
    left = most
    for number, content in enumerate(pictures):
        call.check()
        try:
            picture = service.decode(content, most=left)
        except ImageTooLargeError as error:
            of_all = "" if left == most else f", {most:,} for all pictures of a request"
            raise ImageTooLargeError(f"{PICTURES}[{number}]: {error}{of_all}") from error
        except ImageError as error:
            raise type(error)(f"{PICTURES}[{number}]: {error}") from error
        left -= picture.shape[0] * picture.shape[1]
        yield picture


def _json(answer: BaseModel) -> bytes:
    return answer.model_dump_json().encode()


async def _answered(service: Service, request: Request, work: Callable[[Call], bytes]) -> Response:
    """The result of work, which goes on only while the client is there and has time left."""
    with service.workers.admit() as call:
        running = asyncio.ensure_future(service.workers.run(lambda: work(call)))
        leaving = asyncio.ensure_future(_left(request))
        try:
            await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                raise ClientDisconnect
            return Response(running.result(), media_type="application/json")
        finally:
            running.cancel()
            leaving.cancel()


async def _left(request: Request) -> None:
    """Return when the client has gone; its request has arrived, so that nothing else comes."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _body(options: type[BaseModel], document: type[BaseModel]) -> dict[str, Any]:
    """The two ways of writing a body, for the OpenAPI page."""
    form = options.model_json_schema()
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    form["properties"] = {PICTURES: {"type": "array", "items": file}} | form["properties"]
    form["required"] = [PICTURES]
    content = {
        MULTIPART: {"schema": form},
        JSON: {"schema": document.model_json_schema()},
    }
    return {"requestBody": {"required": True, "content": content}}
