"""The server of the page: whom it answers, and what it refuses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from smallvision.errors import SettingError
from smallvision.watching import server as module
from smallvision.watching.server import SharedWatcher, WatchServer
from smallvision.watching.watcher import Watcher
from tests.support.serving import ask
from tests.support.watched import begin_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return begin_study(tmp_path / "made-up-quick")


@pytest.fixture
def server(study: Path) -> Iterator[WatchServer]:
    with WatchServer(SharedWatcher(Watcher(study)), "127.0.0.1", 0) as started:
        thread = threading.Thread(target=started.serve_forever, args=(0.05,))
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def port_of(server: WatchServer) -> int:
    return int(server.socket.getsockname()[1])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", b"<!doctype html>"),
        ("/?run=vgg10", b"Learning curves of <bdi>vgg10<"),
        ("/now", b'<section class="watched"'),
        ("/report", b"<!doctype html>"),
    ],
)
def test_it_answers(server: WatchServer, path: str, said: bytes) -> None:
    reply = ask(port_of(server), "GET", path)
    assert reply.status == 200
    assert said in reply.body
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert "python" not in reply.headers["server"].lower()
    assert ask(port_of(server), "HEAD", path).body == b""


@pytest.mark.parametrize(
    "path", ["/study.json", "/../study.json", "//etc/passwd", "/report/x", "/%2e%2e/", "*"]
)
def test_nothing_else_is_there(server: WatchServer, path: str) -> None:
    assert ask(port_of(server), "GET", path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"])
def test_only_get_is_answered(server: WatchServer, method: str) -> None:
    reply = ask(port_of(server), method, "/")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org", "", "localhost.evil"])
def test_names_that_do_not_mean_this_machine_are_refused(server: WatchServer, host: str) -> None:
    """Another site can let its own name stand for this machine (DNS rebinding)."""
    for path in ("/", "/now", "/report"):
        reply = ask(port_of(server), "GET", path, headers={"Host": host})
        assert reply.status == 421
        assert b"made-up" not in reply.body


@pytest.mark.parametrize("host", ["localhost:1234", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_names_of_this_machine_are_answered(server: WatchServer, host: str) -> None:
    assert ask(port_of(server), "GET", "/now", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "request_text",
    [
        b"\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000,
        b"\x00\xff",
    ],
)
def test_what_is_no_request_does_no_harm(
    server: WatchServer, request_text: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as client:
        client.sendall(request_text)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65_536):
            pass
    assert ask(port_of(server), "GET", "/now").status == 200
    assert capfd.readouterr() == ("", "")


def test_more_connections_than_there_is_room_for_are_closed(
    server: WatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.room = threading.BoundedSemaphore(1)
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as slow:
        slow.sendall(b"GET /now HTTP/1.0\r\n")  # and nothing more for now
        with socket.create_connection(("127.0.0.1", port_of(server)), timeout=10) as other:
            assert other.recv(100) == b""
        slow.sendall(b"Host: localhost\r\n\r\n")
        assert slow.recv(100).startswith(b"HTTP/1.0 200")


def test_one_look_serves_all_that_ask_at_once(server: WatchServer) -> None:
    for _ in range(3):
        first = server.watcher.look()
    assert server.watcher.look() is first
    server.watcher.looked -= module.FRESH + 1
    assert server.watcher.look() is not first


def test_records_that_cannot_be_drawn_are_told(server: WatchServer, study: Path) -> None:
    (study / "study.json").write_text("{")
    reply = ask(port_of(server), "GET", "/report")
    assert reply.status == 503
    assert b"study.json is damaged" in reply.body
    assert ask(port_of(server), "GET", "/").status == 200


def test_a_port_that_is_taken_is_told(server: WatchServer) -> None:
    with pytest.raises(SettingError, match="in use"):
        WatchServer(server.watcher, "127.0.0.1", port_of(server))
