"""The application: what is asked at which path, and what is answered."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from smallvision.errors import SettingError
from smallvision.records.schema.measures import Rate
from smallvision.records.store import VERSION
from smallvision.serving.answers import (
    AboutModel,
    ClassifiedPictures,
    Health,
    Problem,
    describe_model,
    describe_picture,
)
from smallvision.serving.page import OPEN, PageDoor, build_page
from smallvision.serving.wire.body import BodyBytes, UploadedPicture, read_content, read_upload
from smallvision.serving.wire.gate import WATCHED, Gate, ServerState
from smallvision.serving.wire.limits import ServerLimits
from smallvision.serving.wire.metrics import CONTENT_TYPE, ServerMetrics
from smallvision.serving.wire.problems import PROBLEM_TYPE, ProblemError
from smallvision.serving.workers import Refusal, Workers
from smallvision.stats.probabilities.prediction_sets import find_least_probability
from smallvision.text import show_text

GONE = 499  # counted where the client left before its answer, which nobody is sent
WHY = {
    400: "The body is empty, or no form.",
    401: "The token is missing or wrong.",
    408: "The body came too slowly.",
    411: "There is no body.",
    413: "There are too many bytes or pictures.",
    415: "The body is of a type that is not read.",
    422: "The picture cannot be read, or a parameter is wrong.",
    503: "Too much is asked at the moment; the header Retry-After says when to try again.",
}
BINARY = {"schema": {"type": "string", "format": "binary"}}
FORM = {
    "type": "object",
    "properties": {
        "file": {"type": "array", "items": {"type": "string", "contentMediaType": "image/*"}}
    },
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/jpeg": BINARY,
            "image/png": BINARY,
            "application/octet-stream": BINARY,
            "multipart/form-data": {"schema": FORM},
        },
    }
}


class CompactResponse(JSONResponse):
    """JSON in ASCII: no terminal obeys it, and programs read the same text from it."""

    def render(self, content: Any) -> bytes:
        """Plain values as bytes."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def list_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How problem documents are described in OpenAPI."""
    example = {"type": "about:blank", "title": "…", "status": 0, "detail": "…"}
    return {
        status: {
            "model": Problem,
            "description": WHY[status],
            "content": {PROBLEM_TYPE: {"example": example | {"status": status}}},
        }
        for status in statuses
    }


def build_app(
    workers: Workers,
    limits: ServerLimits,
    state: ServerState,
    metrics: ServerMetrics,
    *,
    val: Rate | None = None,
    keep: Path | None = None,
) -> Gate:
    """The application of a server.

    Args:
        workers: that answer, with their model.
        limits: of what is taken.
        state: of the server.
        metrics: that count.
        val: accuracy of the model on validation images, where it is known.
        keep: folder for pictures whose class somebody corrects, or None.
    """
    app = FastAPI(
        title="smallvision",
        version=version("smallvision"),
        description=f"Classifies pictures with the model {show_text(workers.runner.about.name)}.",
        docs_url=None,  # the pages of FastAPI load scripts from elsewhere
        redoc_url=None,
        default_response_class=CompactResponse,
    )
    add_problems(app)
    held = BodyBytes(limits.body_bytes, metrics)
    add_classify(app, workers, limits, held)
    add_state(app, state, metrics)
    about = describe_model(workers.runner, val)

    @app.get("/v1/model", tags=["model"])
    async def model() -> AboutModel:
        """What the model is."""
        return about

    async def read(request: Request, most: int) -> bytes:
        with held.lend() as loan:
            return await read_content(request, limits, loan, most)

    door = PageDoor(limits.picture_bytes, read, workers.work)
    app.include_router(build_page(workers.runner, keep, door, val=val))
    return Gate(app, state, metrics, frozenset((*WATCHED, *OPEN)))


def add_classify(app: FastAPI, workers: Workers, limits: ServerLimits, held: BodyBytes) -> None:
    """Answer pictures at `POST /v1/classify`."""

    @app.post(
        "/v1/classify",
        tags=["classify"],
        response_model_exclude_none=False,
        responses=list_problems(*WHY),
        openapi_extra=BODY,
        response_model=ClassifiedPictures,
    )
    async def classify(
        request: Request,
        top: Annotated[
            int | None,
            Query(ge=1, le=1000, description="How many classes are told of each. Default: all."),
        ] = None,
        error_rate: Annotated[
            float | None,
            Query(
                alias="set",
                gt=0,
                lt=1,
                description="Tell the prediction set of this error rate too, such as 0.1.",
            ),
        ] = None,
    ) -> Response:
        """Classify one picture, or several.

        A single picture that cannot be read is answered with a problem document; of several, each
        has its class or its error.
        """
        runner = workers.runner
        sets = runner.about.sets
        try:
            least = error_rate and find_least_probability(sets, error_rate)
        except SettingError as error:
            raise ProblemError(422, str(error)) from error
        with held.lend() as loan:
            pictures = await read_upload(request, limits, loan)
            with workers.admit():
                found = [await workers.answer(picture) for picture in take_each(pictures)]
        if len(found) == 1 and isinstance(found[0], Refusal):
            raise ProblemError(422, found[0].reason)
        told = [describe_picture(runner, one, top, least) for one in found]
        fields = {
            "schema": VERSION,
            "model": runner.about.name,
            "pictures": [
                one.model_dump(by_alias=True, exclude=None if least is not None else {"set"})
                for one in told
            ],
        }
        return CompactResponse(fields)


def take_each(pictures: list[UploadedPicture]) -> Any:
    """The pictures in turn, each of which is forgotten once it is answered."""
    pictures.reverse()
    while pictures:
        yield pictures.pop()


def add_state(app: FastAPI, state: ServerState, metrics: ServerMetrics) -> None:
    """Answer what watches over the server."""

    @app.get("/healthz", tags=["state"])
    async def health() -> Health:
        """Whether the process answers at all."""
        return Health(status="ok")

    @app.get("/readyz", tags=["state"], responses={503: {"model": Problem}})
    async def ready() -> Health:
        """Whether it shall be sent requests: 503 while it starts and while it ends."""
        if state.phase != "ready":
            raise ProblemError(503, f"the server is {state.phase}", headers={"Retry-After": "1"})
        return Health(status=state.phase)

    @app.get("/metrics", tags=["state"], response_class=Response)
    async def show_metrics() -> Response:
        """What was counted, as Prometheus reads it."""
        return Response(metrics.render(), media_type=CONTENT_TYPE)


def add_problems(app: FastAPI) -> None:
    """Answer whatever goes wrong with a problem document."""

    async def tell(_: Request, error: Exception) -> Response:
        problem = find_problem(error)
        body, headers = problem.render()
        return Response(body, problem.status, headers)

    async def leave(_: Request, error: Exception) -> Response:  # noqa: ARG001
        return Response(status_code=GONE)

    for kind in (ProblemError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, tell)
    app.add_exception_handler(ClientDisconnect, leave)


def find_problem(error: Exception) -> ProblemError:
    """The problem document for an exception."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"][1:]))
        return ProblemError(422, f"{where}: {first['msg']}; see /openapi.json")
    if isinstance(error, HTTPException):
        return ProblemError(
            error.status_code, f"{error.detail}; see /openapi.json", headers=error.headers
        )
    return ProblemError(500, "the server made a mistake; it was recorded")
