"""The web page of a served model."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from smallvision.serving.runner import Runner

OPEN = {"/": ("", "text/plain")}  # paths that need no token


def build_page(runner: Runner, keep: Path | None) -> APIRouter:  # noqa: ARG001
    """What is shown at `/`.

    Args:
        runner: the model.
        keep: folder for pictures whose class somebody corrects; None where none are kept.
    """
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def show() -> PlainTextResponse:
        return PlainTextResponse(f"{runner.about.name}: POST /v1/classify; see /openapi.json\n")

    return router
