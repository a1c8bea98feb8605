"""What a server takes of a client, and how long it waits for it."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000
COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # the folder where several processes add up what they count


@dataclass(frozen=True)
class ServerLimits:
    """Bounds of one process of the server.

    Attributes:
        request_bytes: of a request's body.
        picture_bytes: of one picture.
        pictures: in one request.
        body_bytes: of all bodies that are held at the same time.
        waiting: requests that wait for an answer, beside those that are being answered.
        large_waiting: pictures that wait among the large ones, which take long to decode.
        connections: that are open at the same time.
        header_bytes: of a request's line and headers.
        header_seconds: within which they have to be complete.
        body_seconds: within which the body has to be complete.
        stall_seconds: a body has to bring `stall_bytes` within so many seconds, again and again.
        stall_bytes: see `stall_seconds`.
        idle_seconds: that a connection is kept open without a request.
        write_seconds: within which a client has to take what it is sent.
        small_chunks: chunks of a body that may be smaller than 256 bytes on average.
        drain_seconds: within which what is under way is answered when the server ends.
    """

    request_bytes: int = 64 * MB
    picture_bytes: int = 16 * MB
    pictures: int = 100
    body_bytes: int = 256 * MB
    waiting: int = 256
    large_waiting: int = 8
    connections: int = 512
    header_bytes: int = 16_384
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    stall_seconds: float = 5.0
    stall_bytes: int = 20_000
    idle_seconds: float = 5.0
    write_seconds: float = 10.0
    small_chunks: int = 1000
    drain_seconds: float = 7.0
