"""Every model of the catalogue as an exported one, which answers the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from smallvision.exporting.options import ExportOptions
from smallvision.exporting.program import LoadedProgram, trace, write_program
from smallvision.models import MODELS
from smallvision.predict import SavedModel, Tta
from smallvision.records.schema.settings.networks import (
    EnsembleSettings,
    NetworkSettings,
)
from smallvision.serving.runner import Runner
from smallvision.shapes import Images
from tests.support.exports import draw_model, save_source, write_onnx
from tests.support.models import SMALL

ADAPTER: TypeAdapter[NetworkSettings] = TypeAdapter(NetworkSettings)


def read_settings(name: str, **changes: Any) -> NetworkSettings:
    """The settings of a small network of the catalogue."""
    return ADAPTER.validate_python({"name": name, **SMALL[name], **changes})


GATED = read_settings("wide_resnet", se_ratio=4, activation="mish")
MEMBERS = EnsembleSettings(members=(read_settings("mlp"), read_settings("speednet", depth=3)))
TWICE = Tta(mirror=True, shift=2)  # every image is uncertain at the temperature of these tests


def draw_images(model: SavedModel, n: int) -> Images:
    draw = np.random.default_rng(n)
    return draw.integers(0, 256, (n, *model.shape), dtype=np.uint8)


def assert_same(model: SavedModel, runner: Runner) -> None:
    for n in (1, 5, 70):
        images = draw_images(model, n)
        expected = model.predict(images)
        assert np.abs(expected - 1 / 5).max() > 1e-3, "logits that tell nothing"
        np.testing.assert_allclose(runner.predict(images), expected, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_onnx_answers_as_the_model(name: str, tmp_path: Path) -> None:
    """Grey images of uneven sides, one look each."""
    source = save_source(draw_model(read_settings(name), (1, 12, 17)), tmp_path / "model")
    assert_same(source.model, Runner(write_onnx(source, tmp_path / "model.onnx")))


@pytest.mark.parametrize("settings", [GATED, MEMBERS], ids=["single", "ensemble"])
def test_onnx_looks_as_often_as_the_model(settings: NetworkSettings, tmp_path: Path) -> None:
    """Colour images, channels first, mirrored and shifted."""
    model = replace(draw_model(settings, (3, 16, 16)), tta=TWICE)
    source = save_source(model, tmp_path / "model")
    path = write_onnx(source, tmp_path / "model.onnx", options=ExportOptions(layout="nchw"))
    assert_same(source.model, Runner(path))
    once = replace(source.model, tta=Tta())
    images = draw_images(model, 20)
    assert np.abs(once.predict(images) - source.model.predict(images)).max() > 1e-3


@pytest.mark.parametrize("name", MODELS)
def test_a_program_answers_as_the_model(name: str) -> None:
    model = replace(draw_model(read_settings(name), (3, 12, 17)), tta=Tta(mirror=True))
    program = LoadedProgram(write_program(trace(model, "nhwc"), "{}"))
    for n in (1, 6):
        images = draw_images(model, n)
        found = program.predict(torch.from_numpy(images.transpose(0, 2, 3, 1).copy()))
        np.testing.assert_allclose(found, model.predict(images), atol=1e-5)
