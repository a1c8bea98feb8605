"""The page of a watched folder, served to this machine by the standard library alone."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from smallvision.errors import RecordError
from smallvision.reporting import draw_report
from smallvision.reporting.page import DRAWING_ERRORS
from smallvision.serving.wire.address import is_loopback, listen, names_loopback
from smallvision.text import show_text
from smallvision.watching.page import render_main, render_page
from smallvision.watching.snapshot import Snapshot
from smallvision.watching.watcher import Watcher

FRESH = 1.0  # seconds for which a look at the records serves every tab
MOST_THREADS = 32  # connections that are answered at once
PATIENCE = 15.0  # seconds for a request to arrive
HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",  # besides the policy of the page itself
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SharedWatcher:
    """One look at the records for all that ask at about the same time.

    Args:
        watcher: that looks.
    """

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.lock = threading.Lock()
        self.last: Snapshot | None = None
        self.looked = 0.0

    def look(self) -> Snapshot:
        """The last look, or a new one where that is over a second old."""
        with self.lock:
            if self.last is None or time.monotonic() - self.looked > FRESH:
                self.last = self.watcher.look()
                self.looked = time.monotonic()
            return self.last

    def draw_report(self) -> str:
        """The report as the records are now.

        Raises:
            RecordError: they are too few or damaged.
        """
        with self.lock:
            return draw_report(self.watcher.folder).html


@dataclass(frozen=True)
class PageAnswer:
    """What a request is answered with."""

    status: int
    kind: str
    text: str


class WatchServer(ThreadingHTTPServer):
    """Serves the page until it is shut down.

    Args:
        watcher: of the folder.
        host: the address to listen on.
        port: to listen on; 0 for any that is free.

    Raises:
        SettingError: nobody can listen there.
    """

    daemon_threads = True

    def __init__(self, watcher: SharedWatcher, host: str, port: int) -> None:
        super().__init__((host, port), WatchHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listen(host, port)
        self.socket.setblocking(True)
        self.server_address = self.socket.getsockname()
        self.watcher = watcher
        self.is_local = is_loopback(self.socket)
        self.room = threading.BoundedSemaphore(MOST_THREADS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, unless there are too many."""
        if not self.room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nobody is told of a connection that broke; what we did wrong is a traceback."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def answer(self, target: str) -> PageAnswer:
        """What is at an address of the page."""
        parts = urlsplit(target)
        chosen = parse_qs(parts.query).get("run", [""])[-1]
        draw: dict[str, Callable[[], str]] = {
            "/": lambda: render_page(self.watcher.look(), chosen),
            "/now": lambda: render_main(self.watcher.look(), chosen),
            "/report": self.watcher.draw_report,
        }
        if parts.path not in draw:
            return PageAnswer(404, PLAIN, "there is nothing at this address\n")
        try:
            return PageAnswer(200, HTML, draw[parts.path]())
        except (RecordError, *DRAWING_ERRORS) as error:
            return PageAnswer(
                503, PLAIN, f"{show_text(f'the records cannot be drawn ({error})')}\n"
            )


class WatchHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD, and nothing else."""

    server: WatchServer
    timeout = PATIENCE
    server_version, sys_version = "smallvision", ""

    def do_GET(self) -> None:
        """Answer with a page."""
        self.give(self.find_answer())

    def do_HEAD(self) -> None:
        """Answer as to GET, without the page."""
        self.give(self.find_answer())

    def find_answer(self) -> PageAnswer:
        """What the request is answered with."""
        if self.server.is_local and not names_loopback(self.headers.get("Host", "")):
            # A site can let its own name stand for this machine; then its pages are no others.
            return PageAnswer(421, PLAIN, "this page answers to localhost alone\n")
        return self.server.answer(self.path)

    def send_error(self, code: int, *_: str | None) -> None:
        """Refuse what is no request that can be answered, in plain text."""
        code = 405 if code == 501 else code  # of a method that is not ours
        self.close_connection = True
        if not hasattr(self, "request_version") or self.request_version == "HTTP/0.9":
            self.request_version = self.protocol_version
        self.give(PageAnswer(code, PLAIN, "this server answers GET\n"))

    def give(self, answer: PageAnswer) -> None:
        """Send an answer."""
        content = answer.text.encode()
        self.send_response(answer.status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if answer.status == 405:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server has it
        """Print nothing: whoever watches a study has no use for requests."""
