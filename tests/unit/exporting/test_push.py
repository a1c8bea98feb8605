"""Sending a folder to a stand-in for the Hub, which speaks as much of its language as it takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants

from smallvision.errors import RecordError
from smallvision.exporting.hub import push_folder

SECRET = "hf_abcdefghijklmnop"


@dataclass
class HubStandIn:
    """What was asked of it, and the files that it was sent.

    Attributes:
        refusal: the status that every request is answered with, or None.
    """

    port: int = 0
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)
    refusal: int | None = None

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        self.asked.append(f"{method} {path}")
        if self.refusal is not None:
            return self.refusal, {"error": f"no, {SECRET}"}
        if path == "/api/repos/create":
            asked = json.loads(body)
            place = f"{asked['organization']}/{asked['name']}"
            return 200, {"url": f"http://127.0.0.1:{self.port}/{place}"}
        if "/preupload/" in path:
            names = [one["path"] for one in json.loads(body)["files"]]
            regular = {"uploadMode": "regular", "shouldIgnore": False}
            return 200, {"files": [{"path": name, **regular} for name in names]}
        if "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    sent = base64.b64decode(line["value"]["content"])
                    self.files[line["value"]["path"]] = sent
            url = f"http://127.0.0.1:{self.port}/anna/rows/commit/{'0' * 40}"
            return 200, {"commitUrl": url, "commitOid": "0" * 40, "success": True}
        return 200, {"sha": "0" * 40, "id": "anna/rows", "siblings": []}


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    known = HubStandIn()

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
            known.tokens.add(self.headers.get("Authorization", ""))
            status, said = known.answer(self.command, self.path.split("?")[0], body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_HEAD = respond

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.port = server.server_port
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _account(hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in instead of the Hub, and the token of an account there."""
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{hub.port}")
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "rows"
    place.mkdir()
    (place / "README.md").write_text("# rows\n")
    (place / "model.onnx").write_bytes(bytes(range(256)) * 100)
    return place


def test_every_file_arrives(
    hub: HubStandIn, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    address = push_folder(folder, "anna/rows")
    assert address == f"http://127.0.0.1:{hub.port}/anna/rows"
    assert "POST /api/repos/create" in hub.asked
    assert hub.files == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert f"Bearer {SECRET}" in hub.tokens
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("status", [401, 403, 413])
def test_a_refusal_is_one_line_without_the_token(
    hub: HubStandIn, folder: Path, status: int
) -> None:
    hub.refusal = status
    with pytest.raises(RecordError, match=r"^the Hub did not take anna/rows \(") as caught:
        push_folder(folder, "anna/rows")
    said = str(caught.value)
    assert "hf auth login" in said
    assert SECRET not in said
    assert "\n" not in said
    assert len(list(folder.iterdir())) == 2


def test_no_network_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # where nobody listens
    with pytest.raises(RecordError, match=r"^the Hub did not take anna/rows \("):
        push_folder(folder, "anna/rows")
