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
    """A server with time-outs of a second; no test may make it err."""
    quick = {
        "header_seconds": 1.0,
        "body_seconds": 20.0,
        "stall_seconds": 0.5,
        "idle_seconds": 1.0,
        "write_seconds": 1.0,
    }
    with serve_model(onnx_file, **quick) as live:
        yield live
    assert live.mistakes == []
