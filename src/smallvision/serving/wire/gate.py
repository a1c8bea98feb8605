"""The gate before the application: who may pass, what every answer carries, what is counted."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smallvision.serving.wire.address import names_loopback
from smallvision.serving.wire.metrics import ServerMetrics
from smallvision.serving.wire.problems import ProblemError, busy
from smallvision.text import show_text

Phase = Literal["starting", "ready", "draining"]
WATCHED = ("/healthz", "/readyz")  # without a token, for what watches over the process
SAFE = ("GET", "HEAD", "OPTIONS")
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Of what is no page. A page says for itself what it may load.
NOTHING_LOADS = "default-src 'none'; frame-ancestors 'none'"


@dataclass
class ServerState:
    """Whether the server takes requests, and who may make them.

    Attributes:
        token: that requests have to bear; None where anybody may ask.
        log: takes a line about each request; None for no log.
        report: takes the exception behind an answer 500, a mistake of ours.
        local: whether only this machine reaches the server, by the names that it has for itself.
        phase: requests are answered in any, but a balancer shall send none unless it is ready.
    """

    token: str | None = None
    log: Callable[[str], None] | None = None
    report: Callable[[Exception], None] | None = None
    local: bool = False
    phase: Phase = "starting"


@dataclass(frozen=True)
class Gate:
    """An ASGI application around another.

    Attributes:
        app: what answers.
        state: of the server.
        metrics: that count.
        open: paths that need no token.
    """

    app: ASGIApp
    state: ServerState
    metrics: ServerMetrics
    open: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        if method == "HEAD":  # answered as GET; the protocol leaves out the body
            scope = {**scope, "method": "GET"}
        exchange = Exchange(scope, receive, send, method)
        try:
            self.check(exchange)
            await self.app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:  # the time to answer what is under way is over
            await exchange.refuse(busy("it is ending"))
        except ProblemError as problem:
            await exchange.refuse(problem)
        except Exception as error:
            if self.state.report is not None:
                self.state.report(error)
            await exchange.refuse(ProblemError(500, "the server made a mistake; it was recorded"))
        finally:
            self.count(exchange)

    def check(self, exchange: Exchange) -> None:
        """Refuse who may not ask.

        Raises:
            ProblemError: a token is missing or wrong, or a page of another site asks.
        """
        path = exchange.scope["path"]
        if self.state.local and self.state.token is None:
            host = exchange.headers.get(b"host", b"").decode("latin-1")
            if not names_loopback(host):
                # A site can let its own name stand for this machine; then its pages are no others.
                raise ProblemError(
                    421, "this server answers to localhost alone; behind a proxy, give it a token"
                )
        if exchange.scope["method"] not in SAFE:
            site = exchange.headers.get(b"sec-fetch-site", b"none")
            if site not in (b"none", b"same-origin"):
                raise ProblemError(403, "pages of other sites may not ask this server")
        if self.state.token is None or path in self.open:
            return
        told = exchange.headers.get(b"authorization", b"")
        kind, _, token = told.partition(b" ")
        right = hmac.compare_digest(token.strip(), self.state.token.encode())
        if kind.lower() != b"bearer" or not right:
            raise ProblemError(
                401,
                "this server wants a token: send the header Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": 'Bearer realm="smallvision"'},
            )

    def count(self, exchange: Exchange) -> None:
        """Count an exchange, and write it to the log."""
        path = exchange.scope["path"]
        seconds = time.perf_counter() - exchange.began
        known = getattr(exchange.scope.get("route"), "path", "other")  # never what a client chose
        self.metrics.requests.labels(known, exchange.status).inc()
        self.metrics.seconds.labels(known).observe(seconds)
        if self.state.log is not None:
            client = (exchange.scope.get("client") or ("-",))[0]
            line = f"{client} {exchange.method} {path} {exchange.status} {seconds:.3f} s"
            self.state.log(show_text(line))


@dataclass(eq=False)
class Exchange:
    """A request and its answer, as they pass the gate.

    Attributes:
        scope, take, give: of ASGI.
        method: of the request, which the scope of HEAD calls GET.
        headers: of the request, by their names in small letters.
        whole: whether all of the request's body was read.
        status: of the answer.
        began: when the request came, in seconds.
    """

    scope: Scope
    take: Receive
    give: Send
    method: str
    status: int = 0
    began: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        self.headers: dict[bytes, bytes] = dict(self.scope["headers"])
        length = self.headers.get(b"content-length", b"0")
        self.whole = length == b"0" and b"transfer-encoding" not in self.headers

    async def receive(self) -> Message:
        """The next piece of the request."""
        message = await self.take()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.whole = True
        return message

    async def send(self, message: Message) -> None:
        """Send a piece of the answer, with the headers that all have."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self.complete(message.get("headers", []))}
        await self.give(message)

    def complete(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers of an answer, and those that all answers have."""
        told = {name.lower() for name, _ in headers}
        more = dict(ALWAYS) | {
            "Content-Security-Policy": NOTHING_LOADS,
            "Cache-Control": "no-store",
        }
        if not self.whole:  # what was not read of the request would be taken for the next one
            more["Connection"] = "close"
        added = [(name.lower().encode(), value.encode()) for name, value in more.items()]
        return [*headers, *(pair for pair in added if pair[0] not in told)]

    async def refuse(self, problem: ProblemError) -> None:
        """Answer with a problem document, unless an answer is under way."""
        if self.status:
            return
        body, headers = problem.render()
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": pairs})
        await self.send({"type": "http.response.body", "body": body})
