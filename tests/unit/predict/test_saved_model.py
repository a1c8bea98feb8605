"""A saved model: what it refuses, and how it goes through many images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from smallvision.errors import RecordError
from smallvision.predict import Ensemble, build_network, load_model, saved_model
from smallvision.records import store
from smallvision.records.model_folders import MANIFEST
from smallvision.records.schema import Manifest
from tests.support.images import make_images
from tests.support.models import CONVOLUTIONAL, FP32, NORMED, edit_model, make_model


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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tta": {"zoom": 2}}, "'tta.zoom' is no field"),
        ({"tta": {"mirror": True, "shift": 8}}, "expected a shift of fewer than the 8"),
        ({"tta": {"mirror": True, "shift": 299}}, "'tta.shift' is 299"),
        ({"std": [0.0]}, "'std.0' is 0.0"),
        ({"mean": ["x"]}, "'mean.0' is 'x'"),
        ({"mean": [0.5, 0.5]}, "expected as many std as mean, got 1 and 2"),
        ({"temperature": 0}, "'temperature' is 0"),
        ({"temperature": 10**400}, "'temperature' is inf; expected a finite"),
        ({"shape": [1, 8]}, "'shape.2' is missing"),
        ({"shape": [4, 8, 8]}, "'shape.0' is 4; expected 1 or 3 channels"),
        (
            {"shape": [1, 8, 100_000]},
            "'shape.2' is 100000; input should be less than or equal to 224",
        ),
        ({"class_names": ["a", "a", "b"]}, "expected distinct names"),
        ({"class_names": ["a", "b", ""]}, "'class_names.2' is ''"),
        ({"model": {"name": "wide_resnet", "depth": 10, "width": 10**6}}, "width' is 1000000"),
        ({"model": {"name": "wide_resnet", "depth": "10"}}, "depth' is '10'"),
        ({"model": {"name": "none such"}}, "has the 'name' 'none such'; expected one of 'linear'"),
        ({"model": {}}, "'model' lacks 'name'"),
        ({"shape": [3, 8, 8], "mean": [0.3] * 3, "std": [0.2] * 3}, "stem.weight is .* expected"),
        ({"model": {"name": "wide_resnet", "depth": 202}}, "has more than 46 tensors"),
    ],
)
def test_a_model_with_impossible_figures_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    make_model(0, CONVOLUTIONAL).save(tmp_path)
    edit_model(tmp_path, **changes)
    with pytest.raises(RecordError, match=said):
        load_model(tmp_path, FP32)


def test_a_manifest_vouches_for_the_weights(tmp_path: Path) -> None:
    make_model(0, CONVOLUTIONAL).save(tmp_path)
    files = store.read(tmp_path / MANIFEST, Manifest).files
    store.write(tmp_path / MANIFEST, Manifest(files={"model.json": files["model.json"]}))
    with pytest.raises(RecordError, match="expected model"):
        load_model(tmp_path, FP32)


def test_weights_of_another_network_are_refused_before_they_are_read(tmp_path: Path) -> None:
    make_model(0, CONVOLUTIONAL).save(tmp_path)
    weights = build_network(NORMED, (1, 8, 8), 3).state_dict()
    (tmp_path / "model.safetensors").write_bytes(
        save(weights | {str(n): torch.ones(1) for n in range(99)})
    )
    # Were they hashed first, that sum would be the complaint.
    with pytest.raises(RecordError, match="missing; expected torch"):
        load_model(tmp_path, FP32)


@pytest.mark.parametrize("alone", [True, False])
def test_an_answer_that_is_not_finite_is_none(alone: bool) -> None:
    """Weights can be finite, each of them, and overflow on an image."""
    model = make_model(0, NORMED)
    model.network[-1].weight.data.fill_(3e38)
    if not alone:
        model = replace(model, network=Ensemble([make_model(1, NORMED).network, model.network]))
    with pytest.raises(RecordError, match="answers with numbers that are not finite"):
        model.predict(make_images(4).images)


def test_logits_that_a_small_temperature_would_overflow_are_none() -> None:
    model = replace(make_model(0, NORMED), temperature=1e-3)
    images = make_images(4).images
    model.network[-1].weight.data.mul_(1e37)
    assert np.isfinite(replace(model, temperature=1.0).predict(images)).all()
    with pytest.raises(RecordError, match="not finite"):
        model.predict(images)


def test_a_model_keeps_how_pictures_were_prepared(tmp_path: Path) -> None:
    replace(make_model(0, NORMED), fit="pad", bits=12).save(tmp_path)
    model = load_model(tmp_path)
    assert (model.fit, model.bits) == ("pad", 12)
