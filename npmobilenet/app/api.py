"""The endpoint: ``POST /api/classify`` and ``/api/embed``, ``GET /api/models`` and ``/api/health``.

Whatever takes CPU time, parsing and writing JSON included, is done in threads.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
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
    Problem,
)
from npmobilenet.app.service import Service
from npmobilenet.errors import ImageError

_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {PROBLEM: {"schema": Problem.model_json_schema()}}}
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
        with service.workers.admit():
            parse = await read_request(request, limits, ClassifyOptions, ClassifyRequest)

            def work() -> bytes:
                asked = parse()
                options = asked.options
                pictures = _decoded(service, asked.pictures)
                results = [
                    service.classify(
                        picture,
                        options.model,
                        options.topk,
                        threshold=options.threshold,
                        allow=options.allow,
                        deny=options.deny,
                    )
                    for picture in pictures
                ]
                return _json(
                    ClassifyAnswer(
                        model=options.model or service.models.default,
                        results=[[Prediction(**asdict(row)) for row in rows] for rows in results],
                    )
                )

            return await _answered(service, work)

    @router.post(
        "/embed",
        response_model=EmbedAnswer,
        responses=_PROBLEMS,
        openapi_extra=_body(EmbedOptions, EmbedRequest),
    )
    async def embed(request: Request) -> Response:
        """The mean of the last feature map for each picture."""
        with service.workers.admit():
            parse = await read_request(request, limits, EmbedOptions, EmbedRequest)

            def work() -> bytes:
                asked = parse()
                model = asked.options.model
                embeddings = service.embed(_decoded(service, asked.pictures), model)
                return _json(
                    EmbedAnswer(
                        model=model or service.models.default,
                        size=embeddings.shape[1],
                        embeddings=embeddings.tolist(),
                    )
                )

            return await _answered(service, work)

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


def _decoded(service: Service, pictures: list[bytes]) -> list[np.ndarray]:
    decoded = []
    for number, content in enumerate(pictures):
        try:
            decoded.append(service.decode(content))
        except ImageError as error:
            raise type(error)(f"{PICTURES}[{number}]: {error}") from error
    return decoded


def _json(answer: BaseModel) -> bytes:
    return answer.model_dump_json().encode()


async def _answered(service: Service, work: Callable[[], bytes]) -> Response:
    return Response(await service.workers.run(work), media_type="application/json")


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
