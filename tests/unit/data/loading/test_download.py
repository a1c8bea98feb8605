"""Downloads from a server on this machine that cuts connections and refuses requests."""

from __future__ import annotations

import gc
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import numpy as np
import pytest

from smallvision.data.loading import download as download_module
from smallvision.data.loading.download import RETRIES, download

# pooch leaves the connection of a refused request to the garbage collector, which warns of it.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CONTENT = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda _seconds: None)


@pytest.fixture
def server(monkeypatch):
    """A server whose next answers the test sets: bytes that it sends, or an error status."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = SimpleNamespace(answers=[], requests=0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer = state.answers[min(state.requests, len(state.answers) - 1)]
            state.requests += 1
            if isinstance(answer, int):
                self.send_error(answer)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{http.server_port}/data.tar.gz"
        yield state
        http.shutdown()
        thread.join()
    gc.collect()


def fetch(server, folder, *answers):
    server.answers = answers
    return download(server.url, MD5, folder)


def list_files(folder):
    return [path.name for path in folder.iterdir()]


def test_downloads_once(server, tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    assert fetch(server, folder, CONTENT).read_bytes() == CONTENT
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "Downloading data.tar.gz ...\n")
    assert fetch(server, folder, CONTENT) == folder / "data.tar.gz"
    assert server.requests == 1
    assert list_files(folder) == ["data.tar.gz"]


def test_a_bar_restarts_with_each_attempt(server, tmp_path, monkeypatch):
    bars = []

    class Bar(download_module.ProgressBar):
        def update(self, size):
            super().update(size)
            task = self._progress.tasks[0]
            bars.append((task.completed, task.total))

    monkeypatch.setattr(download_module, "ProgressBar", Bar)
    fetch(server, tmp_path, CONTENT[:40_000], CONTENT)
    assert max(done for done, _ in bars) >= len(CONTENT)
    assert {total for _, total in bars} == {len(CONTENT)}
    assert bars[-1] == (len(CONTENT), len(CONTENT))


def test_a_cut_connection_or_a_busy_server_is_tried_again(server, tmp_path):
    assert fetch(server, tmp_path, CONTENT[:40_000], 503, CONTENT).read_bytes() == CONTENT
    assert list_files(tmp_path) == ["data.tar.gz"]


def test_a_wrong_checksum_is_refused_and_not_kept(server, tmp_path, refuses):
    wrong = bytes(len(CONTENT))
    with refuses(server.url, "wrong MD5"):
        fetch(server, tmp_path, wrong)
    assert list_files(tmp_path) == []
    assert fetch(server, tmp_path, CONTENT).read_bytes() == CONTENT


def test_a_damaged_copy_is_replaced(server, tmp_path):
    (tmp_path / "data.tar.gz").write_bytes(CONTENT[:-1])
    assert fetch(server, tmp_path, CONTENT).read_bytes() == CONTENT


@pytest.mark.parametrize("answer", [404, 503, b""])
def test_it_gives_up(answer, server, tmp_path, refuses):
    with refuses(server.url, "cannot be downloaded"):
        fetch(server, tmp_path, answer)
    assert server.requests == 1 + RETRIES
    assert list_files(tmp_path) == []


def test_no_network(tmp_path, refuses, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with refuses("http://127.0.0.1:9/x cannot be downloaded ([Errno", "Connection refused"):
        download("http://127.0.0.1:9/x", MD5, tmp_path)


def test_no_place_to_write(server, tmp_path, refuses):
    (tmp_path / "file").write_text("in the way")
    with refuses("cannot be downloaded"):
        fetch(server, tmp_path / "file", CONTENT)


def test_a_full_disk_is_not_tried_again(server, tmp_path, refuses, monkeypatch):
    def fill(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download_module.pooch.HTTPDownloader, "__call__", fill)
    with refuses("No space left"):
        fetch(server, tmp_path, CONTENT)
