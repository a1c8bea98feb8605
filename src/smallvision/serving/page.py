"""The web page of a served model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from smallvision.records.schema.measures import Rate
from smallvision.serving.runner import Runner

OPEN = {"/": ("", "text/plain")}  # paths that need no token


@dataclass(frozen=True)
class PageDoor:
    """How the page's own requests are let in.

    Attributes:
        most_bytes: of a picture.
        read: reads the body of a request, at most so many bytes.
        work: calls a function that takes long, outside of the event loop.
    """

    most_bytes: int
    read: Callable[[Request, int], Awaitable[bytes]]
    work: Callable[..., Awaitable[Any]]


def build_page(
    runner: Runner,
    keep: Path | None,  # noqa: ARG001
    door: PageDoor | None = None,  # noqa: ARG001
    *,
    val: Rate | None = None,  # noqa: ARG001
) -> APIRouter:
    """What is shown at `/`.

    Args:
        runner: the model.
        keep: folder for pictures whose class somebody corrects; None where none are kept.
        door: how pictures are let in.
        val: accuracy of the model on validation images, where it is known.
    """
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def show() -> PlainTextResponse:
        return PlainTextResponse(f"{runner.about.name}: POST /v1/classify; see /openapi.json\n")

    return router
