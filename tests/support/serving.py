"""A linear model as it was saved and as ONNX, servers of it, and clients, good and bad."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from smallvision.predict import SavedModel
from smallvision.records import store
from smallvision.records.schema.models.exported import ServedModel
from smallvision.records.schema.models.saved import (
    PredictionSetsRecord,
    TtaRecord,
    UnlikeRecord,
)
from smallvision.serving.exports import ExportedFile
from smallvision.serving.options import ServerOptions
from smallvision.serving.runner import Runner
from smallvision.serving.server import DrainingServer, build_server
from smallvision.serving.wire.address import listen, spell_address
from smallvision.serving.wire.limits import ServerLimits
from tests.support.models import wrap_network

SHAPE = (3, 8, 8)
FINGERPRINT = f"sha256:{'7' * 64}"
BOUNDARY = "between-the-parts"


def make_linear_model(seed: int = 0) -> SavedModel:
    """A model of 8x8 pictures in four classes, its weights drawn from a seed.

    Of a black picture and a white one, one is unlike its own.
    """
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4))
    model = replace(
        wrap_network(network, SHAPE, 4),
        temperature=0.5,
        sets=PredictionSetsRecord(error_rates=(0.1,), least_probabilities=(0.2,), n=100),
    )
    black_and_white = np.array([0, 255], np.uint8)[:, None, None, None].repeat(3, 1)
    images = black_and_white.repeat(8, 2).repeat(8, 3)
    limit = float(model.answer(images).energies.mean())
    return replace(model, unlike=UnlikeRecord(limit=limit, n=100))


def write_onnx(model: SavedModel, path: Path) -> Path:
    """The same model as an ONNX file, written by hand."""
    layer = [*model.network.children()][1]
    weight, bias = (value.detach().numpy() for value in (layer.weight, layer.bias))
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "N", len(bias)])
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", *model.shape])
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["bytes"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["bytes", "scale"], ["pixels"]),
            helper.make_node("Flatten", ["pixels"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weight", "bias"], ["scores"], transB=1),
            helper.make_node("Unsqueeze", ["scores", "first"], ["logits"]),
        ],
        "linear",
        [images],
        [logits],
        [
            numpy_helper.from_array(np.float32(1 / 255), "scale"),
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(np.array([0]), "first"),
        ],
    )
    about = ServedModel(
        name="linear",
        class_names=model.class_names,
        shape=model.shape,
        layout="nchw",
        weights="fp32",
        members=1,
        temperature=model.temperature,
        tta=TtaRecord(),
        uncertain=0.0,
        fit=model.fit,
        bits=model.bits,
        unlike=model.unlike,
        sets=model.sets,
        fingerprint=FINGERPRINT,
        licence="MIT",
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(proto, {"smallvision": store.dump_line(about.model_dump(mode="json"))})
    onnx.save(proto, path)
    return path


@dataclass(frozen=True)
class Reply:
    """An answer of a server."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class LiveServer:
    """A server that runs in a thread of this process, and what it said."""

    server: DrainingServer
    runner: Runner
    port: int
    said: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    mistakes: list[Exception] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Make one request on a connection of its own."""
        return ask(self.port, method, path, body, headers)

    def classify(self, content: bytes, kind: str = "image/png", query: str = "") -> Reply:
        """Send one picture as the body."""
        return self.ask("POST", f"/v1/classify{query}", content, {"Content-Type": kind})

    def classify_form(self, *files: tuple[str, bytes], query: str = "") -> Reply:
        """Send pictures as a form."""
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.classify(make_form(files), kind, query)


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Make one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # why, it has said before
            connection.request(method, path, body, headers or {})
        found = connection.getresponse()
        told = {name.lower(): value for name, value in found.getheaders()}
        return Reply(found.status, told, found.read())
    finally:
        connection.close()


def make_form(files: Sequence[tuple[str, bytes]], boundary: str = BOUNDARY) -> bytes:
    """Files as multipart/form-data."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join((*parts, f"--{boundary}--\r\n".encode()))


def say_raw(port: int, *pieces: bytes, pause: float = 0.0, most: float = 15.0) -> bytes:
    """Send bytes as they are, with a pause after each piece; returns all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=most) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        return receive_all(connection)


def receive_all(connection: socket.socket) -> bytes:
    """All bytes until the other side ends the connection."""
    found = bytearray()
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            found += piece
    return bytes(found)


@contextmanager
def serve_model(
    path: Path,
    *,
    token: str | None = None,
    keep: Path | None = None,
    threads: int = 2,
    **limits: Any,
) -> Iterator[LiveServer]:
    """Serve an ONNX file on a free port, from a thread."""
    said: list[str] = []
    logged: list[str] = []
    mistakes: list[Exception] = []
    options = ServerOptions(
        host="127.0.0.1",
        port=0,
        processes=1,
        threads=threads,
        say=said.append,
        complain=said.append,
        report=mistakes.append,
        token=token,
        keep=keep,
        log=logged.append,
        limits=ServerLimits(**limits),
    )
    with listen("127.0.0.1", 0) as listener:
        port = int(spell_address(listener).rpartition(":")[2])
        server = build_server(ExportedFile(path, None), options, listener, announce=True)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while server.state.phase == "starting" and thread.is_alive():
            time.sleep(0.01)
        try:
            yield LiveServer(server, server.workers.runner, port, said, logged, mistakes)
        finally:
            if server.asked is None:
                server.handle_exit(15, None)
            thread.join(timeout=15)
    assert not thread.is_alive()
