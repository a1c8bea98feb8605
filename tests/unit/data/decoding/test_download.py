"""Downloads against a server on this machine that cuts connections, lies and refuses."""

from __future__ import annotations

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest

from smallvision.data.decoding import download as download_module
from smallvision.data.decoding.download import download

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    """A server whose behavior the test sets: `cut_after` bytes, `ranges`, `status`."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = SimpleNamespace(cut_after=None, ranges=True, status=None, requests=[], content=CONTENT)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range") if state.ranges else None
            state.requests.append(wanted)
            if state.status:
                self.send_error(state.status)
                return
            start = int(wanted[6:-1]) if wanted else 0
            if start >= len(state.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(state.content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = state.content[start:]
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.cut_after])

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{http.server_port}/data.tar.gz"
        yield state
        http.shutdown()
        thread.join()


def fetch(server, folder):
    return download(server.url, MD5, folder, wait_seconds=0.001)


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_downloads_once(server, tmp_path, capsys):
    for _ in range(2):
        assert fetch(server, tmp_path / "new" / "folder").read_bytes() == CONTENT
    assert server.requests == [None]
    assert leftovers(tmp_path / "new" / "folder") == ["data.tar.gz"]
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "Downloading data.tar.gz ...\n")


def test_resumes_each_time_the_connection_is_cut(server, tmp_path):
    server.cut_after = 40_000  # eight connections: more than the attempts at one spot
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.requests == [None] + [f"bytes={i * 40_000}-" for i in range(1, 8)]


def test_resumes_what_an_earlier_run_left(server, tmp_path):
    (tmp_path / "data.tar.gz.part").write_bytes(CONTENT[:123_456])
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert server.requests == ["bytes=123456-"]


def test_a_complete_part_needs_no_more_bytes(server, tmp_path):
    (tmp_path / "data.tar.gz.part").write_bytes(CONTENT)
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_starts_over_when_the_server_cannot_resume(server, tmp_path):
    server.ranges = False
    (tmp_path / "data.tar.gz.part").write_bytes(CONTENT[:1000])
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_starts_over_when_the_part_is_longer_than_the_file(server, tmp_path):
    (tmp_path / "data.tar.gz.part").write_bytes(CONTENT + b"more")
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_and_not_kept(server, tmp_path, refuses):
    (tmp_path / "data.tar.gz.part").write_bytes(b"of another version")
    with refuses(server.url, "wrong MD5"):
        fetch(server, tmp_path)
    assert leftovers(tmp_path) == []
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_a_damaged_copy_is_replaced(server, tmp_path):
    (tmp_path / "data.tar.gz").write_bytes(CONTENT[:-1])
    assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_gives_up_when_nothing_comes(server, tmp_path, refuses):
    server.cut_after = 0
    with refuses(server.url, "cannot be downloaded", "cut after 0 of 300,000 bytes"):
        fetch(server, tmp_path)
    assert len(server.requests) == download_module.ATTEMPTS


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (403, 1), (503, 5)])
def test_a_refusal_is_final_and_a_pause_is_not(status, attempts, server, tmp_path, refuses):
    server.status = status
    with refuses(server.url, "cannot be downloaded"):
        fetch(server, tmp_path)
    assert len(server.requests) == attempts


def test_no_network_is_said_at_once(tmp_path, refuses, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with refuses("http://127.0.0.1:9/x", "cannot be downloaded", "Connection refused"):
        download("http://127.0.0.1:9/x", MD5, tmp_path, wait_seconds=60)


def test_no_place_to_write(server, tmp_path, refuses):
    (tmp_path / "file").write_text("in the way")
    with refuses("cannot be downloaded"):
        fetch(server, tmp_path / "file")


def test_a_full_disk_is_not_tried_again(server, tmp_path, refuses, monkeypatch):
    def fill(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download_module, "_fetch_rest", fill)
    with refuses("No space left"):
        download(server.url, MD5, tmp_path, wait_seconds=60)


@pytest.mark.skipif(download_module.fcntl is None, reason="there is no lock on this system")
def test_two_downloads_at_once_are_one(server, tmp_path, monkeypatch):
    """The second waits, and takes what the first has brought."""
    began, true_fetch = threading.Event(), download_module._fetch_all
    second = threading.Thread(target=lambda: found.append(fetch(server, tmp_path)))
    found = []

    def fetch_slowly(*arguments):
        began.set()
        time.sleep(0.3)
        true_fetch(*arguments)

    monkeypatch.setattr(download_module, "_fetch_all", fetch_slowly)
    first = threading.Thread(target=lambda: found.append(fetch(server, tmp_path)))
    first.start()
    began.wait()
    second.start()
    first.join()
    second.join()
    assert [path.read_bytes() == CONTENT for path in found] == [True, True]
    assert server.requests == [None]
    assert leftovers(tmp_path) == ["data.tar.gz"]
