"""A saved model: what it refuses, and how it goes through many images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from smallvision.errors import RecordError
from smallvision.predict import load_model, saved_model
from smallvision.records.files import hash_file, read_json, write_json
from tests.support.images import make_images
from tests.support.models import CONVOLUTIONAL, FP32, make_model


def test_many_images_are_brought_to_the_device_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(0, CONVOLUTIONAL)
    images = make_images(1200).images
    whole = model.predict_logits(images)
    seen: list[int] = []
    true_infer = saved_model.infer_logits

    def infer(network: Any, view: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(len(view))
        return true_infer(network, view, *rest)

    monkeypatch.setattr(saved_model, "infer_logits", infer)
    monkeypatch.setattr(saved_model, "MOST_BYTES", 1)
    assert np.array_equal(model.predict_logits(images), whole)
    assert seen == [512, 512, 176]


def test_latency_is_of_the_images_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model(0, CONVOLUTIONAL)
    images, shown = make_images(3).images, []
    monkeypatch.setattr(type(model), "predict", lambda _self, one: shown.append(one))
    assert model.measure_latency(images, repeats=2) >= 0
    assert all(map(np.array_equal, shown, (images[[i % 3]] for i in range(7))))


@pytest.mark.parametrize(
    "changes",
    [
        {"views": {"zoom": 2}},
        {"views": None},
        {"views": {"mirror": True, "shift": 99}},
        {"std": [0.0]},
        {"mean": ["x"]},
        {"mean": [0.5, 0.5]},
        {"temperature": 0},
        {"temperature": 10**400},
    ],
)
def test_a_model_with_impossible_figures_is_refused(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    make_model(0, CONVOLUTIONAL).save(tmp_path)
    write_json(tmp_path / "model.json", {**read_json(tmp_path / "model.json"), **changes})
    manifest = read_json(tmp_path / "manifest.json")
    manifest["files"]["model.json"] = hash_file(tmp_path / "model.json")
    write_json(tmp_path / "manifest.json", manifest)
    with pytest.raises(RecordError, match="holds no model that this version can build"):
        load_model(tmp_path, FP32)
