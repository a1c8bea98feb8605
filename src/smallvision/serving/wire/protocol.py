"""uvicorn's HTTP/1.1 with bounds on time, connections and what is no HTTP."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from smallvision.serving.wire.limits import ServerLimits
from smallvision.serving.wire.problems import ProblemError, busy

SMALL_CHUNK = 256  # bytes, on average
MOST_HEADERS = 100
LINGER = 2.0  # seconds that a client is given to read the last answer
MOST_DISCARDED = 20_000_000  # bytes that are thrown away meanwhile


class CountingConnection(h11.Connection):
    """A connection that refuses large heads, and bodies of very many very small chunks.

    Args:
        limits: of the server.
    """

    def __init__(self, limits: ServerLimits) -> None:
        super().__init__(h11.SERVER, limits.header_bytes)
        self._header_bytes, self._small_chunks = limits.header_bytes, limits.small_chunks
        self._chunks = self._bytes = 0

    def next_event(self) -> Any:
        """The next event, as h11 has it.

        Raises:
            RemoteProtocolError: as of h11, or the chunks are too small.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
            self._check_head(event)
        elif isinstance(event, h11.Data):
            self._chunks += event.chunk_start  # which a body of a known length never has
            self._bytes += len(event.data)
            if self._chunks > self._small_chunks and self._bytes < SMALL_CHUNK * self._chunks:
                raise h11.RemoteProtocolError("the chunks of the body are too small")
        return event

    def _check_head(self, request: h11.Request) -> None:
        """Refuse large heads that came at once, of which h11 knows no bound."""
        sizes = [len(name) + len(value) for name, value in request.headers]
        if len(sizes) > MOST_HEADERS or sum(sizes) + len(request.target) > self._header_bytes:
            raise h11.RemoteProtocolError("too many headers", error_status_hint=431)


class LingeringTransport:
    """A transport that gives the client time to read the last answer before the connection ends.

    A connection that is closed while the client still sends is reset, and the client may never see
    why. So the server first ends its own side, and throws away for a moment what comes.

    Args:
        transport: of asyncio.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.lingers = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more is answered."""
        return self.lingers or self._transport.is_closing()

    def close(self) -> None:
        """Send what is left, and end the connection soon."""
        if self.is_closing():
            return
        self.lingers = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._transport.resume_reading()
        asyncio.get_running_loop().call_later(LINGER, self._transport.abort)

    def end(self) -> None:
        """End the connection now."""
        self._transport.abort()


class GuardedProtocol(H11Protocol):
    """A connection that cannot be held open by sending or reading slowly, or not at all."""

    limits: ClassVar[ServerLimits]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = CountingConnection(self.limits)
        self._head: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._discarded = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the head of a request, unless there are too many connections."""
        lingering = LingeringTransport(cast(asyncio.Transport, transport))
        super().connection_made(cast(asyncio.Transport, lingering))
        if len(self.connections) > self.limits.connections:
            self.refuse(busy("too many connections are open"))
        else:
            self.wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was waited for."""
        self.stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, or throw them away once the connection is ending."""
        if self.is_ending:
            self._discarded += len(data)
            if self._discarded > MOST_DISCARDED:
                self.transport.abort()
            return
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self.stop_waiting()
        elif self._head is None and (self.cycle is None or self.cycle.response_complete):
            self.wait_for_head()

    def eof_received(self) -> None:
        """The client has said all; nothing comes that would have to be thrown away."""
        if self.is_ending:
            self.transport.abort()

    @property
    def is_ending(self) -> bool:
        """Whether nothing more is answered on this connection."""
        return self.transport.is_closing()

    def wait_for_head(self) -> None:
        """End the connection unless the head of a request is complete in time."""
        self._head = self.loop.call_later(self.limits.header_seconds, self.give_up_head)

    def stop_waiting(self) -> None:
        """The head is complete."""
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def give_up_head(self) -> None:
        """End a connection whose head was not complete in time."""
        self._head = None
        if not self.is_ending:
            self.refuse(ProblemError(408, "the head of the request comes too slowly"))

    def pause_writing(self) -> None:
        """The client does not read; end the connection unless it goes on in time."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads on."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()

    def _should_upgrade(self) -> bool:
        """Nothing but HTTP/1.1 is spoken; who asks for more is answered in it."""
        return False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the error says more
        """Refuse what is no HTTP, with the status that h11 suggests for it."""
        error = sys.exception()
        status = getattr(error, "error_status_hint", 400)
        self.refuse(ProblemError(status, f"this is no HTTP/1.1 that can be read ({error})"))

    def refuse(self, problem: ProblemError) -> None:
        """Answer before any request has come to the application, and end the connection."""
        if self.cycle is not None:  # which is not to answer as well
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body, told = problem.render()
            headers = [*told.items(), ("Connection", "close")]
            head = h11.Response(status_code=problem.status, headers=headers)
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def guard_connections(limits: ServerLimits) -> type[GuardedProtocol]:
    """The protocol of a server with these limits, for uvicorn."""
    return type("LimitedProtocol", (GuardedProtocol,), {"limits": limits})
