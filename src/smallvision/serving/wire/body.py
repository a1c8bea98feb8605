"""Pictures out of a request's body, counted while they come; never more is held than is allowed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from smallvision.serving.wire.limits import ServerLimits
from smallvision.serving.wire.metrics import ServerMetrics
from smallvision.serving.wire.problems import ProblemError, busy

MOST_NAME = 255  # characters of a file's name
MOST_BOUNDARY = 70  # characters, by RFC 2046
LENGTH = re.compile(r"[0-9]{1,18}")
WANTED = (
    "send a picture as the body with Content-Type image/jpeg, image/png or "
    "application/octet-stream, or one or more as files of multipart/form-data"
)


@dataclass(frozen=True, eq=False)
class UploadedPicture:
    """A picture as a client sent it.

    Attributes:
        name: of the file, without folders.
        content: its bytes.
    """

    name: str
    content: bytes


@dataclass
class BodyBytes:
    """The bytes of all bodies that are held at the same time.

    Attributes:
        most: that may be held.
        metrics: that show them.
        held: now.
    """

    most: int
    metrics: ServerMetrics
    held: int = 0

    @contextmanager
    def lend(self) -> Iterator[Loan]:
        """Hold bytes for as long as the context lasts."""
        loan = Loan(self)
        try:
            yield loan
        finally:
            self.change(-loan.size)

    def change(self, size: int) -> None:
        """Hold more bytes, or fewer."""
        self.held += size
        self.metrics.body_bytes.set(self.held)


@dataclass
class Loan:
    """The bytes that are held of one body."""

    bytes: BodyBytes
    size: int = 0

    def add(self, size: int) -> None:
        """Hold so many more.

        Raises:
            ProblemError: with them the server would hold more than it may.
        """
        if self.bytes.held + size > self.bytes.most:
            raise busy("too many bytes are being sent")
        self.size += size
        self.bytes.change(size)


@dataclass(eq=False)
class Part:
    """One part of a form while it comes."""

    headers: dict[str, str] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)

    def finish(self, number: int) -> UploadedPicture:
        """The part as a picture; a part without a name is called by its number."""
        _, told = parse_options_header(self.headers.get("content-disposition", ""))
        name = told.get(b"filename") or told.get(b"name") or b""
        return UploadedPicture(
            shorten_name(name.decode(errors="replace"), number), bytes(self.content)
        )


class FormPictures:
    """The files of a form, parsed as they come.

    Args:
        boundary: between the parts.
        limits: of the server.

    Raises:
        ProblemError: the boundary is none.
    """

    def __init__(self, boundary: bytes, limits: ServerLimits) -> None:
        if not 1 <= len(boundary) <= MOST_BOUNDARY:
            raise ProblemError(400, "multipart/form-data needs a boundary of 1 to 70 characters")
        self.pictures: list[UploadedPicture] = []
        self._limits = limits
        self._part = Part()
        self._field, self._value = bytearray(), bytearray()
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_part_data": self._add,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            ProblemError: they are no form, or hold too many or too large pictures.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise ProblemError(
                400, f"the body is no multipart/form-data with its boundary ({error})"
            ) from error

    def close(self) -> list[UploadedPicture]:
        """All pictures, once the body has come to its end.

        Raises:
            ProblemError: the form has not.
        """
        if not self._ended:
            raise ProblemError(400, "the form ends before its last boundary; send all of it")
        return self.pictures

    def _begin(self) -> None:
        self._part = Part()
        if len(self.pictures) >= self._limits.pictures:
            raise ProblemError(413, f"expected at most {self._limits.pictures} pictures at a time")

    def _end_header(self) -> None:
        name = self._field.decode("latin-1").lower()
        self._part.headers[name] = self._value.decode("latin-1")  # the bytes as they are
        self._field.clear()
        self._value.clear()

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._part.content += data[start:end]
        if len(self._part.content) > self._limits.picture_bytes:
            raise too_large("a picture", self._limits.picture_bytes)

    def _end(self) -> None:
        self.pictures.append(self._part.finish(len(self.pictures) + 1))
        self._part = Part()

    def _finish(self) -> None:
        self._ended = True


async def read_upload(request: Request, limits: ServerLimits, loan: Loan) -> list[UploadedPicture]:
    """The pictures of a request, in their order.

    Args:
        request: whose body has not been read.
        limits: of the server.
        loan: counts the bytes that are held.

    Raises:
        ProblemError: the request is not one of pictures, too large, or comes too slowly.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    is_form = kind == b"multipart/form-data"
    if not (is_form or kind.startswith(b"image/") or kind == b"application/octet-stream"):
        raise ProblemError(415, f"{kind.decode('latin-1') or 'no type'} is not read here; {WANTED}")
    if is_form:
        most = limits.request_bytes
        check_head(request, most, "the request")
        form = FormPictures(options.get(b"boundary", b""), limits)
        async for chunk in receive_body(request, limits, most):
            loan.add(len(chunk))
            form.feed(chunk)
        pictures = form.close()
        if not pictures:
            raise ProblemError(400, f"the form holds no file; {WANTED}")
        return pictures
    content = await read_content(request, limits, loan, limits.picture_bytes)
    if not content:
        raise ProblemError(400, f"the body is empty; {WANTED}")
    return [UploadedPicture("picture", content)]


async def read_content(request: Request, limits: ServerLimits, loan: Loan, most: int) -> bytes:
    """The body of a request as a whole.

    Args:
        request: whose body has not been read.
        limits: of the server.
        loan: counts the bytes that are held.
        most: bytes that the body may have.

    Raises:
        ProblemError: there is none, or it is packed, too large, or comes too slowly.
    """
    check_head(request, most, "a picture")
    content = bytearray()
    async for chunk in receive_body(request, limits, most):
        loan.add(len(chunk))
        content += chunk
    return bytes(content)


async def receive_body(request: Request, limits: ServerLimits, most: int) -> AsyncIterator[bytes]:
    """The body piece by piece, as long as it comes in time.

    Raises:
        ProblemError: it has more bytes than it may have, or comes too slowly.
        ClientDisconnect: the client has gone.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + limits.body_seconds
    window, size, seen = loop.time() + limits.stall_seconds, 0, 0
    while True:
        until = min(window, end)
        message: Message = {"type": "http.request", "more_body": True}
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise too_large("the body", most)
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return
        if loop.time() >= until:
            if until == end or size - seen < limits.stall_bytes:
                raise ProblemError(408, "the body comes too slowly; send it anew")
            window, seen = loop.time() + limits.stall_seconds, size


def check_head(request: Request, most: int, what: str) -> None:
    """Refuse a body by what the head says of it, before any of it is read.

    Raises:
        ProblemError: it is packed or too long, or there is none.
    """
    coding = request.headers.get("content-encoding", "identity")
    if coding != "identity":
        raise ProblemError(
            415, f"Content-Encoding {coding} is not read here; send pictures as they are"
        )
    told = request.headers.get("content-length")
    if told is None:
        if "transfer-encoding" not in request.headers:
            raise ProblemError(411, f"the request has neither a length nor chunks; {WANTED}")
    elif not LENGTH.fullmatch(told) or int(told) > most:
        raise too_large(what, most)


def too_large(what: str, most: int) -> ProblemError:
    """The answer to what has too many bytes."""
    return ProblemError(413, f"{what} has more than {most:,} bytes; make it smaller, or send less")


def shorten_name(name: str, number: int) -> str:
    """The last part of a file's name, whatever system it comes from."""
    last = PureWindowsPath(PurePosixPath(name).name).name
    return last[:MOST_NAME] if last.strip(".") else f"picture {number}"
