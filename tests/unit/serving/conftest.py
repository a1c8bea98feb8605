"""One server for many tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smallvision.predict import SavedModel
from tests.support.serving import LiveServer, make_linear_model, serve_model, write_onnx


@pytest.fixture(scope="session")
def linear() -> SavedModel:
    return make_linear_model()


@pytest.fixture(scope="session")
def onnx_file(linear: SavedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_onnx(linear, tmp_path_factory.mktemp("served") / "model.onnx")


@pytest.fixture(scope="module")
def server(onnx_file: Path) -> Iterator[LiveServer]:
    """A server as it is by default; no test may make it err."""
    with serve_model(onnx_file) as live:
        yield live
    assert live.mistakes == []


@pytest.fixture(scope="module")
def hasty(onnx_file: Path) -> Iterator[LiveServer]:
    """A server that waits no longer than a second for a head, and half of one for a body."""
    with serve_model(onnx_file, header_seconds=1.0, stall_seconds=0.5) as live:
        yield live
    assert live.mistakes == []
