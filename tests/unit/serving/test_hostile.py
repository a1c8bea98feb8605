"""Clients that mean harm, or know no better: refused in time, while others are answered."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.serving import (
    BOUNDARY,
    LiveServer,
    make_form,
    receive_all,
    say_raw,
    serve_model,
)
from tests.support.sources import encode_picture

PICTURE = encode_picture(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
END_OF_HEAD = b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
FORM = HEAD.replace(b"image/png", f"multipart/form-data; boundary={BOUNDARY}".encode())


def read_status(said: bytes) -> int:
    """The status of the first answer among bytes, which has to be HTTP."""
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", said)
    assert found, said[:200]
    return int(found[1])


def send_chunks(size: int, count: int) -> Iterator[bytes]:
    """A body in chunks of a size."""
    chunk = f"{size:x}\r\n".encode() + bytes(size) + b"\r\n"
    yield CHUNKED
    for _ in range(count):
        yield chunk
    yield b"0\r\n\r\n"


def spell_length(size: int) -> bytes:
    """The end of a head that announces so many bytes."""
    return f"Content-Length: {size}\r\n\r\n".encode()


def claim_pixels(side: int) -> bytes:
    """A PNG that claims to be of so many pixels a side, and holds few."""
    import struct
    import zlib

    size = struct.pack(">II", side, side)
    content = b"IHDR" + size + PICTURE[24:29]
    return PICTURE[:12] + content + struct.pack(">I", zlib.crc32(content)) + PICTURE[33:]


BAD: dict[str, tuple[int, Callable[[], Iterator[bytes]]]] = {
    "200 MB announced": (413, lambda: iter([HEAD + spell_length(200_000_000), bytes(65536)])),
    "200 MB in chunks": (413, lambda: send_chunks(1_000_000, 200)),
    "no length": (411, lambda: iter([HEAD + b"\r\n"])),
    "negative length": (400, lambda: iter([HEAD + b"Content-Length: -1\r\n\r\n"])),
    "two lengths": (400, lambda: iter([HEAD + b"Content-Length: 1\r\n" + spell_length(2)])),
    "endless length": (400, lambda: iter([HEAD + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n"])),
    "bad chunk": (400, lambda: iter([CHUNKED + b"zz\r\n"])),
    "tiny chunks": (400, lambda: iter([CHUNKED + b"1\r\nx\r\n" * 5000])),
    "no HTTP": (400, lambda: iter([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"])),
    "many headers": (
        431,
        lambda: iter([HEAD + b"".join(b"X-%d: 1\r\n" % i for i in range(150)) + b"\r\n"]),
    ),
    "large header": (431, lambda: iter([HEAD + b"X: " + b"a" * 30_000 + b"\r\n\r\n"])),
    "endless header": (431, lambda: iter([HEAD + b"X: ", *[b"a" * 9_000] * 20])),
    "long path": (431, lambda: iter([b"GET /" + b"a" * 30_000 + END_OF_HEAD])),
    "claims 2.5 gigapixels": (422, lambda: iter([HEAD, spell_length(len(BOMB)) + BOMB])),
    "zeros": (422, lambda: iter([HEAD + spell_length(100_000), bytes(100_000)])),
    "junk form": (400, lambda: iter([FORM + spell_length(10_000) + b"\r\n--" * 2_500])),
    "many parts": (413, lambda: iter([FORM + spell_length(len(MANY)), MANY])),
    "headers of a part": (400, lambda: iter([FORM + spell_length(len(WORDY)) + WORDY])),
    "upgrade": (405, lambda: iter([b"GET /v1/classify" + END_OF_HEAD[:-2] + b"Connection: upgrade, "
                                   b"close\r\nUpgrade: websocket\r\n\r\n"])),
}  # fmt: skip
WHOLE = {"no length", "claims 2.5 gigapixels", "zeros", "junk form", "headers of a part"}
LAST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
BOMB = claim_pixels(50_000)
MANY = make_form([("a", b"")] * 20_000)
WORDY = f"--{BOUNDARY}\r\n".encode() + b"X-Y: z\r\n" * 1_000


@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_refused_with_the_right_status(name: str, server: LiveServer) -> None:
    status, make = BAD[name]
    whole = name in WHOLE
    said = say_raw(server.port, *make(), *([LAST] if whole else []))
    assert read_status(said) == status
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    assert body.startswith(b'{"type": "about:blank"')
    # What was not read of a request would be taken for the next one.
    assert (b"connection: close" in head.lower()) == (not whole)
    assert (b"HTTP/1.1 200 " in said) == whole
    assert server.classify(PICTURE).status == 200


SLOW = {
    "head": ([b"GET /healthz HTTP/1.1\r\n"], b"X"),
    "body": ([HEAD + spell_length(10_000)], b"x"),
    "chunks": ([CHUNKED], b"1\r\nx\r\n"),
    "form": ([FORM + spell_length(10_000) + make_form([("a", b"")])[:-30]], b"x"),
}


@pytest.mark.parametrize("name", SLOW)
def test_slow_senders_are_told_and_left(name: str, hasty: LiveServer) -> None:
    begin, byte = SLOW[name]
    began = time.perf_counter()
    said = say_raw(hasty.port, *begin, *[byte] * 15, pause=0.1)
    assert read_status(said) == 408
    assert time.perf_counter() - began < 9  # sooner than the body has to be complete


def test_a_body_that_keeps_coming_slowly_ends_in_time(onnx_file: Path) -> None:
    """It brings what is asked of every window, and yet may not go on for ever."""
    limits = {"stall_seconds": 0.2, "stall_bytes": 10, "body_seconds": 1.0}
    with serve_model(onnx_file, **limits) as live:
        began = time.perf_counter()
        said = say_raw(live.port, HEAD + spell_length(100_000), *[b"x" * 1000] * 40, pause=0.05)
        assert read_status(said) == 408
        assert 0.9 < time.perf_counter() - began < 9


def test_a_slow_honest_body_is_answered(server: LiveServer) -> None:
    half = len(PICTURE) // 2
    head = HEAD + b"Connection: close\r\n" + spell_length(len(PICTURE))
    said = say_raw(server.port, head, PICTURE[:half], PICTURE[half:], pause=0.15)
    assert read_status(said) == 200


def test_silent_connections_are_left(hasty: LiveServer) -> None:
    began = time.perf_counter()
    assert read_status(say_raw(hasty.port)) == 408
    assert time.perf_counter() - began < 9  # sooner than it is by default


def test_connections_are_bounded(onnx_file: Path) -> None:
    import socket

    with serve_model(onnx_file, connections=3, header_seconds=30.0) as live:
        held = [socket.create_connection(("127.0.0.1", live.port)) for _ in range(3)]
        time.sleep(0.3)
        said = say_raw(live.port)
        assert read_status(said) == 503
        assert b"retry-after: 1" in said.lower()
        for connection in held:
            connection.close()
        time.sleep(0.3)
        assert live.classify(PICTURE).status == 200


def test_bytes_that_are_held_are_bounded(onnx_file: Path) -> None:
    """Three half sent bodies hold all that may be held; what was held is given back."""
    import socket

    body = bytes(400_000)
    with serve_model(onnx_file, body_bytes=1_000_000, stall_seconds=20.0) as live:
        held = []
        for _ in range(2):
            connection = socket.create_connection(("127.0.0.1", live.port), timeout=10)
            connection.sendall(HEAD + spell_length(500_000) + body)
            held.append(connection)
        time.sleep(0.3)
        refused = live.classify(body)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert live.classify(PICTURE).status == 200  # for which there is room
        for connection in held:
            connection.close()
        time.sleep(0.3)
        assert live.classify(body).status == 422
        shown = live.ask("GET", "/metrics").body.decode()
    assert "smallvision_body_bytes 0.0" in shown


def test_requests_that_wait_are_bounded(onnx_file: Path) -> None:
    """One thread is busy with a picture of a second; one more waits, and all others are refused."""
    with serve_model(onnx_file, threads=1, waiting=1) as live:
        release = threading.Event()
        hold_workers(live, release)
        replies: list[int] = []
        clients = [
            threading.Thread(target=lambda: replies.append(live.classify(PICTURE).status))
            for _ in range(6)
        ]
        for client in clients:
            client.start()
        while len(replies) < 4:
            time.sleep(0.01)
        assert replies == [503] * 4
        release.set()
        for client in clients:
            client.join()
        assert sorted(replies) == [200, 200, 503, 503, 503, 503]


def hold_workers(live: LiveServer, release: threading.Event) -> None:
    """Let every picture wait for an event before it is read."""
    runner = live.runner
    read = runner.read

    def wait(*arguments: object) -> object:
        release.wait(10)
        return read(*arguments)  # type: ignore[arg-type]

    runner.read = wait  # type: ignore[method-assign, assignment]


def test_large_pictures_hold_up_no_small_ones(onnx_file: Path) -> None:
    """Their own thread is taken; the only other thread still answers."""
    large = encode_picture(np.zeros((1100, 1000, 3), np.uint8))
    with serve_model(onnx_file, threads=1, large_waiting=1) as live:
        release = threading.Event()
        runner = live.runner
        read = runner.read

        def wait(content: bytes, name: str) -> object:
            if len(content) == len(large):
                release.wait(10)
            return read(content, name)

        runner.read = wait  # type: ignore[method-assign, assignment]
        replies: list[int] = []
        clients = [
            threading.Thread(target=lambda: replies.append(live.classify(large).status))
            for _ in range(4)
        ]
        for client in clients:
            client.start()
        while len(replies) < 2:  # one is being answered, one waits, two are refused
            assert live.classify(PICTURE).status == 200
        assert replies == [503, 503]
        release.set()
        for client in clients:
            client.join()
        assert sorted(replies) == [200, 200, 503, 503]


def test_clients_that_do_not_read_are_left(onnx_file: Path) -> None:
    """Hundreds of answers wait to be read; the connection ends, and others are answered."""
    import socket

    with serve_model(onnx_file, write_seconds=0.5) as live:
        connection = socket.create_connection(("127.0.0.1", live.port), timeout=10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
        try:
            for _ in range(2000):
                connection.sendall(ask)
        except OSError:
            pass  # the connection was ended before all was said
        deadline = time.monotonic() + 8
        while live.server.server_state.connections and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not live.server.server_state.connections
        assert live.classify(PICTURE).status == 200
        connection.close()


def test_clients_that_leave_are_no_mistake(server: LiveServer) -> None:
    import socket

    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(HEAD + spell_length(1000) + b"x")
    time.sleep(0.3)
    assert server.mistakes == []
    assert server.classify(PICTURE).status == 200


def test_many_requests_on_one_connection(server: LiveServer) -> None:
    """Pipelined, the last of which closes the connection."""
    import socket

    one = HEAD + spell_length(len(PICTURE)) + PICTURE
    last = HEAD + b"Connection: close\r\n" + spell_length(len(PICTURE)) + PICTURE
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(one * 5 + last)
        said = receive_all(connection)
    assert said.count(b"HTTP/1.1 200 ") == 6


def test_answers_are_sent_at_once(server: LiveServer) -> None:
    """Without TCP_NODELAY the second of two small pieces waits 40 ms for the client's word."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        seconds.append(time.perf_counter() - began)
    connection.close()
    assert min(seconds[1:]) < 0.03
