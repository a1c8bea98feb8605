"""How a model is served."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from smallvision.serving.wire.limits import ServerLimits

ENDINGS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class ServerOptions:
    """How a model is served.

    Attributes:
        host: name or address to listen on.
        port: 0 for any that is free.
        processes: that share the address.
        threads: of each process, for pictures.
        token: that requests have to bear, or None.
        keep: folder for pictures whose class somebody corrects, or None.
        limits: of each process.
        say: takes a line for the person at the terminal.
        complain: takes a line about what keeps the server from its work.
        log: takes a line about each request, or None.
        report: takes an exception that is a mistake of ours.
    """

    host: str
    port: int
    processes: int
    threads: int
    say: Callable[[str], None]
    complain: Callable[[str], None]
    report: Callable[[Exception], None]
    token: str | None = None
    keep: Path | None = None
    log: Callable[[str], None] | None = None
    limits: ServerLimits = field(default_factory=ServerLimits)
