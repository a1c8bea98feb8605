"""A saved model: what it refuses, and how it goes through many images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from smallvision.errors import RecordError
from smallvision.predict import load_model, saved_model
from tests.support.images import make_images
from tests.support.models import CONVOLUTIONAL, FP32, edit_model, make_model


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


def test_a_damaged_model_is_not_loaded(tmp_path: Path) -> None:
    make_model(0, CONVOLUTIONAL).save(tmp_path)
    about = tmp_path / "model.json"
    about.write_text(about.read_text().replace('"mean"', '"meen"'))
    with pytest.raises(RecordError, match="damaged"):
        load_model(tmp_path)


NO_MODEL, DAMAGED = "holds no model that this version can build", "is damaged"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tta": {"zoom": 2}}, DAMAGED),
        ({"tta": None}, DAMAGED),
        ({"tta": {"mirror": True, "shift": 99}}, NO_MODEL),
        ({"std": [0.0]}, NO_MODEL),
        ({"mean": ["x"]}, DAMAGED),
        ({"mean": [0.5, 0.5]}, NO_MODEL),
        ({"temperature": 0}, NO_MODEL),
        ({"temperature": 10**400}, DAMAGED),
        ({"shape": [1, 8.0, 8]}, DAMAGED),
        ({"shape": [1, 8]}, "takes images of shape"),
        ({"shape": [4, 8, 8]}, "takes images of shape"),
        ({"shape": [1, 8, 100_000]}, "takes images of shape"),
        ({"model": {"name": "wide_resnet", "depth": 10, "width": 10**6}}, "a setting of 1,000,000"),
        ({"model": {"name": "ensemble", "members": [{}] * 300}}, "300 settings in one place"),
        ({"model": {"name": "none such"}}, NO_MODEL),
        ({"model": {}}, NO_MODEL),
    ],
)
def test_a_model_with_impossible_figures_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    make_model(0, CONVOLUTIONAL).save(tmp_path)
    edit_model(tmp_path, **changes)
    with pytest.raises(RecordError, match=said):
        load_model(tmp_path, FP32)
