"""`smallvision serve` as a process: it starts, answers without torch, and ends as it is asked."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support.commands import Outcome, assert_refused
from tests.support.serving import ask, make_linear_model, receive_all, write_onnx
from tests.support.sources import encode_picture

TOKEN = "a-token-of-24-characters"
PICTURE = encode_picture(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))
IMAGE = {"Content-Type": "image/png"}
PROBE = """
import json, sys
sys.argv[0] = "smallvision"
from smallvision.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)))
"""
HEAVY = {"torch", "scipy", "sklearn", "optuna", "safetensors", "sqlalchemy", "pooch"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_onnx(make_linear_model(), tmp_path_factory.mktemp("served") / "model.onnx")


@dataclass
class Served:
    """A server that runs as a process of its own."""

    process: subprocess.Popen[str]
    port: int
    first_line: str

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Ask it to end: exit code, what else it printed, what it complained of."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=15)
        return self.process.returncode, out, err


@contextmanager
def serve(*arguments: str | Path, **variables: str) -> Iterator[Served]:
    """Run the command on a free port, and wait until it says where."""
    command = [sys.executable, "-c", PROBE, "serve", *map(str, arguments), "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, (line, process.communicate(timeout=15))
        yield Served(process, int(found[1]), line)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_without_torch_and_ends_with_0(number: int, model: Path) -> None:
    with serve(model) as served:
        assert served.first_line.startswith("linear is served at http://127.0.0.1:")
        assert ask(served.port, "GET", "/readyz").json == {"status": "ready"}
        assert ask(served.port, "POST", "/v1/classify", PICTURE, IMAGE).status == 200
        assert ask(served.port, "GET", "/").status == 200
        began = time.perf_counter()
        code, out, err = served.end(number)
        assert time.perf_counter() - began < 10
        assert (code, err) == (0, "")
        loaded = set(json.loads(out))
        assert {"onnxruntime", "uvicorn"} <= loaded
        assert not HEAVY & loaded


def test_what_is_under_way_is_answered_before_the_end(model: Path) -> None:
    """Half a request is sent before the signal, and the rest after it."""
    head = b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    head += f"Content-Length: {len(PICTURE)}\r\n\r\n".encode()
    with serve(model) as served, socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(head + PICTURE[:50])
        time.sleep(0.3)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        reply = ask(served.port, "GET", "/readyz")
        assert (reply.status, reply.json["detail"]) == (503, "the server is draining")
        time.sleep(1.2)
        client.sendall(PICTURE[50:])
        assert receive_all(client).startswith(b"HTTP/1.1 200 ")
        _, err = served.process.communicate(timeout=10)
        assert (served.process.returncode, err) == (0, "")


def test_a_request_that_never_ends_is_cut_off_in_time(model: Path) -> None:
    head = b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    head += b"Content-Length: 1000000\r\n\r\n"
    with serve(model) as served, socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(head)
        stop = threading.Event()

        def go_on() -> None:
            while not stop.wait(0.1):
                try:
                    client.sendall(bytes(5000))
                except OSError:
                    return

        sender = threading.Thread(target=go_on)
        sender.start()
        time.sleep(0.3)
        began = time.perf_counter()
        code, _, err = served.end()
        stop.set()
        sender.join()
        assert time.perf_counter() - began < 10
        assert (code, err) == (143, "")


def test_two_signals_end_it_at_once(model: Path) -> None:
    with serve(model) as served, socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(b"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                       b"Content-Type: image/png\r\n\r\n")  # fmt: skip
        time.sleep(0.2)
        served.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        began = time.perf_counter()
        assert served.end(signal.SIGINT)[0] == 130
        assert time.perf_counter() - began < 2


def test_several_processes_share_an_address_and_add_up(model: Path) -> None:
    with serve(model, "--workers", "2") as served:
        assert "by 2 processes" in served.first_line
        for _ in range(20):
            assert ask(served.port, "POST", "/v1/classify", PICTURE, IMAGE).status == 200
        deadline = time.monotonic() + 10  # an answer is sent before it is counted
        line = 'smallvision_requests_total{path="/v1/classify",status="200"} 20.0'
        while line not in ask(served.port, "GET", "/metrics").body.decode():
            assert time.monotonic() < deadline
        # Ctrl-C reaches the parent and its children, as of a terminal.
        os.killpg(served.process.pid, signal.SIGINT)
        _, err = served.process.communicate(timeout=15)
        assert (served.process.returncode, err) == (0, "")


def test_a_token_may_come_from_a_file_or_the_environment(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    told = {"Authorization": f"Bearer {TOKEN}"}
    for arguments, variables in (
        (("--token-file", path), {}),
        ((), {"SMALLVISION_TOKEN": TOKEN}),
    ):
        with serve(model, *arguments, **variables) as served:
            assert ask(served.port, "GET", "/v1/model").status == 401
            assert ask(served.port, "GET", "/v1/model", headers=told).status == 200


def test_the_log_is_on_stderr_where_it_is_wanted(model: Path) -> None:
    with serve(model, "--access-log") as served:
        ask(served.port, "GET", "/%0d%0aevil?secret=1")
        _, _, err = served.end()
        assert re.fullmatch(r"127\.0\.0\.1 GET /\\r\\nevil 404 0\.\d+ s\n", err)


def test_a_port_in_use_is_one_line(smallvision: Callable[..., Outcome], model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(
            smallvision("serve", model, "--port", str(port)), f"port {port} of 127.0.0.1"
        )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "no.such.host.invalid"), "is no address of this machine"),
        (("--host", "192.0.2.1"), "192.0.2.1 cannot be listened on"),
        (("--token-file", "missing"), "missing cannot be read"),
        (("--token-file", "short"), "short holds no token: expected 16 to 512 characters"),
        (("--port", "70000"), "--port"),
    ],
)
def test_wrong_options_are_one_line(
    arguments: tuple[str, ...],
    said: str,
    smallvision: Callable[..., Outcome],
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short").write_text("secret")
    found = smallvision("serve", model, *arguments)
    assert_refused(found, said)
    assert "secret" not in found.err


@pytest.mark.parametrize("content", [b"", b"no model", bytes(10_000)])
def test_what_is_no_model_is_one_line(
    content: bytes, smallvision: Callable[..., Outcome], tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert_refused(smallvision("serve", path, "--port", "0"), "model.onnx")
    assert_refused(smallvision("serve", tmp_path / "nothing", "--port", "0"), "holds no model")


def test_several_processes_say_once_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")
    command = [sys.executable, "-m", "smallvision", "serve", str(path), "--port", "0"]
    done = subprocess.run([*command, "--workers", "2"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn", "prometheus_client"])
def test_a_missing_extra_is_one_line(
    missing: str,
    model: Path,
    smallvision: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    found = smallvision("serve", model, "--port", "0")
    assert_refused(found, f"serve needs {missing}; pip install 'smallvision[serve]'")


def test_a_process_that_is_killed_is_replaced(model: Path) -> None:
    with serve(model, "--workers", "2") as served:
        children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children")
        before = set(children.read_text().split())
        os.kill(int(min(before)), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while len(now := set(children.read_text().split())) < 2 or now == before:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert ask(served.port, "POST", "/v1/classify", PICTURE, IMAGE).status == 200
        assert served.end()[::2] == (0, "")
