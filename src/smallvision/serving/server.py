"""The server of one process: it listens, answers, and ends when it is asked to."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from smallvision.serving.app import build_app
from smallvision.serving.exports import ExportedFile
from smallvision.serving.options import ENDINGS, ServerOptions
from smallvision.serving.runner import Runner
from smallvision.serving.wire.address import BACKLOG, is_loopback, spell_address
from smallvision.serving.wire.gate import ServerState
from smallvision.serving.wire.limits import ServerLimits
from smallvision.serving.wire.metrics import ServerMetrics
from smallvision.serving.wire.protocol import guard_connections
from smallvision.serving.workers import Workers

NOTICE = 1.0  # seconds in which a balancer is told to send nothing more, while clients are there


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which says that it is ending before it ends.

    Args:
        config: of uvicorn.
        state: of the application.
        workers: that answer.
        announce: what is done once it is ready.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        state: ServerState,
        workers: Workers,
        announce: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self.state, self.workers, self.announce = state, workers, announce
        self.asked: int | None = None
        self.asked_at = 0.0
        self.cut_off = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and then be ready."""
        await super().startup(sockets)
        await asyncio.get_running_loop().run_in_executor(None, self.workers.warm_up)
        if self.state.phase == "starting":
            self.state.phase = "ready"
        self.announce()

    async def on_tick(self, counter: int) -> bool:
        """Whether to end: a moment after the signal, or at once where nobody is there."""
        ends = await super().on_tick(counter)
        if self.asked is not None:
            noticed = time.monotonic() - self.asked_at > NOTICE
            ends = ends or noticed or not self.server_state.connections
        return ends

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End, and note whether all that was under way was answered."""
        await super().shutdown(sockets)
        self.cut_off = bool(self.server_state.tasks)
        self.workers.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that ask the server to end, and give them back afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        heeded = [number for number in ENDINGS if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self.handle_exit) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Answer what is under way and end; asked again, end at once."""
        if self.asked is not None:
            os._exit(128 + sig)
        self.asked, self.asked_at = sig, time.monotonic()
        self.state.phase = "draining"


def run_server(
    model: ExportedFile, options: ServerOptions, listener: socket.socket, *, announce: bool
) -> int:
    """Serve in this process; returns the exit code, 0 where all under way was answered at the end.

    Raises:
        RecordError: the model is damaged.
    """
    server = build_server(model, options, listener, announce=announce)
    server.run(sockets=[listener])
    if server.cut_off:
        os._exit(128 + (server.asked or signal.SIGTERM))  # without waiting for what takes so long
    return 0


def build_server(
    model: ExportedFile, options: ServerOptions, listener: socket.socket, *, announce: bool
) -> DrainingServer:
    """The server of one process, which does not run yet.

    Args:
        model: that answers.
        options: of the server.
        listener: where it listens.
        announce: whether it says so.

    Raises:
        RecordError: the model is damaged.
    """
    metrics = ServerMetrics()
    limits = options.limits
    workers = Workers(Runner(model.path), limits, metrics, options.threads)
    state = ServerState(options.token, options.log, options.report, is_loopback(listener))
    app = build_app(workers, limits, state, metrics, val=model.val, keep=options.keep)
    # Which quote what strangers send, and tell of each of their mistakes.
    for name in ("uvicorn.error", "uvicorn.access", "python_multipart.multipart"):
        logging.getLogger(name).disabled = True

    def tell() -> None:
        if announce:
            by = f" by {options.processes} processes" if options.processes > 1 else ""
            name = workers.runner.about.name
            options.say(f"{name} is served at {spell_address(listener)}/{by} (Ctrl-C ends it)")

    return DrainingServer(configure(app, limits), state, workers, tell)


def configure(app: object, limits: ServerLimits) -> uvicorn.Config:
    """The settings of uvicorn."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=guard_connections(limits),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(limits.idle_seconds),
        timeout_graceful_shutdown=int(limits.drain_seconds),
        backlog=BACKLOG,
    )
