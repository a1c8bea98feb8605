"""The page of the server: a picture in, the answer as bars, and a folder for corrections.

Its three files come with the package, hold no data and load nothing from elsewhere, so that a
browser gets them without a token. What they show comes from `/v1/classify` and from `/page/...`.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from PIL import Image
from pydantic import BaseModel

from smallvision.errors import DataError, RecordError
from smallvision.format import format_accuracy, format_count, format_interval
from smallvision.records.schema.measures import Rate
from smallvision.serving.kept import KeptPictures
from smallvision.serving.runner import Runner
from smallvision.serving.wire.problems import ProblemError
from smallvision.shapes import Images
from smallvision.text import show_text

FILES = Path(__file__).with_name("page_files")
COLOURS = Path(__file__).parents[1] / "colours.css"  # which the report has too
# Each file and its media type, by its path on the server. The page needs no token to be opened.
OPEN = {
    "/": (FILES / "page.html", "text/html; charset=utf-8"),
    "/page/colours.css": (COLOURS, "text/css; charset=utf-8"),
    "/page/page.css": (FILES / "page.css", "text/css; charset=utf-8"),
    "/page/page.js": (FILES / "page.js", "text/javascript; charset=utf-8"),
    "/page/icon.svg": (FILES / "icon.svg", "image/svg+xml"),
}
# Nothing inline, nothing from elsewhere, and in no frame. Pictures are drawn on canvases.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# What else every answer carries is added in `wire/gate.py`.
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
# A browser sends it to another site only if that site allows it, which this one never does.
OWN = "X-Smallvision-Page"


class ShownClass(BaseModel):
    """A class as the server names it in its answers, and as people see it."""

    name: str
    shown: str


class ShownModel(BaseModel):
    """What the page says of the model; texts are ready to be shown."""

    name: str
    fingerprint: str
    classes: list[ShownClass]
    images: str
    accuracy: str | None
    unlike: str | None
    licence: str | None
    keeps: bool
    most_bytes: int


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
    keep: Path | None,
    door: PageDoor,
    *,
    val: Rate | None = None,
) -> APIRouter:
    """The page at `/` and what it asks for below `/page`.

    Args:
        runner: the model that answers.
        keep: where pictures with their right classes are kept; None for nowhere.
        door: how pictures are let in.
        val: accuracy of the model on validation images, where it is known.

    Raises:
        RecordError: that folder cannot be made.
    """
    router = APIRouter(include_in_schema=False)
    for path in OPEN:
        add_file(router, path)
    model = describe_model(runner, door, val, keeps=keep is not None)

    @router.get("/page/model")
    async def tell_model() -> Response:
        return JSONResponse(model.model_dump())

    @router.post("/page/seen")
    async def show_seen(request: Request) -> Response:
        content = await door.read(request, door.most_bytes)
        picture = await door.work(draw_seen, runner, content)
        return Response(picture, media_type="image/png")

    if keep is not None:
        add_keeping(router, runner, KeptPictures(keep), door)
    return router


def add_file(router: APIRouter, path: str) -> None:
    """Serve one of the page's own files."""
    place, media_type = OPEN[path]
    content = place.read_bytes()

    @router.get(path)
    async def send_file() -> Response:
        return Response(content, media_type=media_type, headers=HEADERS)


def add_keeping(router: APIRouter, runner: Runner, kept: KeptPictures, door: PageDoor) -> None:
    """Take pictures with their right classes."""

    @router.post("/page/keep")
    async def keep_picture(request: Request) -> Response:
        check_own(request)
        class_name = find_class(request, runner)
        content = await door.read(request, door.most_bytes)
        place = await door.work(keep_checked, runner, kept, class_name, content)
        return JSONResponse({"kept": show_text(place)}, status_code=201)


def describe_model(runner: Runner, door: PageDoor, val: Rate | None, *, keeps: bool) -> ShownModel:
    """What the page says of a model."""
    about = runner.about
    C, H, W = about.shape
    return ShownModel(
        name=show_text(about.name),
        fingerprint=about.fingerprint,
        classes=[ShownClass(name=name, shown=show_text(name)) for name in about.class_names],
        images=f"{W} × {H} pixels, {'colour' if C == 3 else 'grey'}",
        accuracy=tell_accuracy(val),
        unlike=None if about.unlike else "cannot be told from others by this model",
        licence=show_text(about.licence) or None,
        keeps=keeps,
        most_bytes=door.most_bytes,
    )


def tell_accuracy(val: Rate | None) -> str | None:
    """An accuracy on validation images with its interval."""
    if val is None:
        return None
    return (
        f"{format_accuracy(val)} of {format_count(val.n)} validation images "
        f"(95 % interval {format_interval(val)})"
    )


def draw_seen(runner: Runner, content: bytes) -> bytes:
    """A picture as the model sees it, as PNG of the same few pixels.

    Raises:
        ProblemError: it is no picture that can be read.
    """
    pixels = read_pixels(runner, content).transpose(1, 2, 0)
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


def keep_checked(runner: Runner, kept: KeptPictures, class_name: str, content: bytes) -> str:
    """Keep bytes that are a picture the model can read; gives their place.

    Raises:
        ProblemError: they are none, or cannot be kept.
    """
    read_pixels(runner, content)
    try:
        return kept.add(class_name, content)
    except RecordError as error:
        raise ProblemError(409, str(error)) from error


def read_pixels(runner: Runner, content: bytes) -> Images:
    """The image `(C, H, W)` that a picture becomes.

    Raises:
        ProblemError: it is no picture that can be read.
    """
    try:
        image: Images = runner.read(content)[0]
    except DataError as error:
        raise ProblemError(422, str(error)) from error
    return image


def check_own(request: Request) -> None:
    """Refuse what another site makes a browser send.

    Raises:
        ProblemError: the request is not from this page.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")  # old browsers do not tell
    if OWN not in request.headers or site != "same-origin":
        raise ProblemError(403, "only the page of this server itself keeps pictures")


def find_class(request: Request, runner: Runner) -> str:
    """The class that a request names by its number.

    Raises:
        ProblemError: there is no such class, or the page is that of another model.
    """
    if request.query_params.get("model") != runner.about.fingerprint:
        raise ProblemError(409, "the server has another model by now; load this page anew")
    number = request.query_params.get("class", "")
    if not (number.isascii() and number.isdigit() and len(number) < 5):
        raise ProblemError(422, "expected class= with the number of a class")
    if int(number) >= len(runner.class_names):
        raise ProblemError(422, f"there are {len(runner.class_names)} classes, from 0")
    return runner.class_names[int(number)]
