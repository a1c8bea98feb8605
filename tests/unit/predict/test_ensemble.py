"""Several networks as one: the mean of what they say, and the mean of their weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from smallvision.augment import build_normalizer
from smallvision.compute.machine import Machine
from smallvision.errors import RecordError
from smallvision.predict import (
    Ensemble,
    SavedModel,
    Views,
    average_models,
    build_network,
    load_model,
)
from smallvision.records.files import hash_file, read_json, write_json
from tests.support.images import make_images

FP32 = Machine("cpu", "fp32", compiled=False, threads=1)
NORMED = {"name": "mlp", "hidden": [8], "dropout": 0.5}
CONVOLUTIONAL = {"name": "wide_resnet", "depth": 10, "width": 1}


def make_model(seed: int, settings: dict[str, Any]) -> SavedModel:
    torch.manual_seed(seed)
    network = build_network(settings, (1, 8, 8), 3)
    return SavedModel(
        network=FP32.place(network).eval(),
        settings=settings,
        class_names=("a", "b", "c"),
        shape=(1, 8, 8),
        mean=(0.3,),
        std=(0.2,),
        epoch=seed,
        machine=FP32,
    )


def join(models: list[SavedModel]) -> SavedModel:
    return replace(
        models[0],
        network=Ensemble(model.network for model in models).eval(),
        settings={"name": "ensemble", "members": [model.settings for model in models]},
    )


def test_says_the_mean_of_the_members_probabilities() -> None:
    images = make_images(20).images
    models = [make_model(0, CONVOLUTIONAL), make_model(1, NORMED), make_model(2, CONVOLUTIONAL)]
    mean = np.mean([model.predict(images) for model in models], axis=0)
    assert join(models).predict(images) == pytest.approx(mean, abs=1e-6)


def test_each_member_looks_at_an_image_by_itself() -> None:
    images = make_images(50).images
    views = Views(mirror=True, shift=1)
    models = [replace(make_model(seed, CONVOLUTIONAL), views=views) for seed in range(3)]
    mean = np.mean([model.predict(images) for model in models], axis=0)
    assert join(models).predict(images) == pytest.approx(mean, abs=1e-6)


class Says(nn.Module):
    """A network that answers every image with the same logits."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = torch.tensor([logits])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits.expand(len(x), -1)


def test_is_exact_where_members_are_sure_or_compute_in_bf16() -> None:
    # 500 logits apart is a probability of 1 and one that no float32 can hold.
    sure = Ensemble([Says(500.0, 0.0), Says(0.0, 0.0)])
    assert sure(torch.zeros(1, 1)).exp()[0].tolist() == pytest.approx([0.75, 0.25])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        halves = [Says(1.0, 0.0), Says(3.0, 0.0)]
        for member in halves:
            member.logits = member.logits.bfloat16()
        logs = Ensemble(halves)(torch.zeros(1, 1))
    assert logs.dtype == torch.float32
    expected = (1 / (1 + np.exp(-1)) + 1 / (1 + np.exp(-3))) / 2
    assert float(logs.exp()[0, 0]) == pytest.approx(expected, abs=1e-6)


def test_round_trip(tmp_path: Path) -> None:
    images = make_images(20).images
    models = [make_model(0, CONVOLUTIONAL), make_model(1, NORMED)]
    ensemble = replace(join(models), temperature=1.7)
    ensemble.save(tmp_path)
    again = load_model(tmp_path, FP32)
    assert again.settings == {"name": "ensemble", "members": [CONVOLUTIONAL, NORMED]}
    assert np.array_equal(again.predict(images), ensemble.predict(images))
    assert again.count_parameters() == sum(model.count_parameters() for model in models)


@pytest.mark.parametrize("settings", [{"name": "ensemble"}, {"name": "ensemble", "members": []}])
def test_an_ensemble_without_members_is_no_model(tmp_path: Path, settings: dict[str, Any]) -> None:
    make_model(0, NORMED).save(tmp_path)
    write_json(tmp_path / "model.json", {**read_json(tmp_path / "model.json"), "model": settings})
    manifest = read_json(tmp_path / "manifest.json")
    manifest["files"]["model.json"] = hash_file(tmp_path / "model.json")
    write_json(tmp_path / "manifest.json", manifest)
    with pytest.raises(RecordError, match="holds no model that this version can build"):
        load_model(tmp_path, FP32)


def test_averaged_weights_are_the_mean() -> None:
    models = [make_model(seed, NORMED) for seed in range(3)]
    averaged = average_models(models, make_images(30).images)
    for name, parameter in averaged.network.named_parameters():
        mean = sum(model.network.state_dict()[name] for model in models) / 3
        assert torch.allclose(parameter, mean, atol=1e-7), name


def test_averaged_weights_get_batch_norm_statistics_of_their_own() -> None:
    images = make_images(600).images
    models = [make_model(seed, NORMED) for seed in range(2)]
    averaged = average_models(models, images)
    linear, norm = averaged.network[1], averaged.network[2]
    normalize = build_normalizer((0.3,), (0.2,))
    seen = linear(normalize(torch.from_numpy(np.array(images))).flatten(1)).detach()
    batches = seen.tensor_split(2)
    assert torch.allclose(norm.running_mean, sum(b.mean(0) for b in batches) / 2, atol=1e-4)
    assert torch.allclose(norm.running_var, sum(b.var(0) for b in batches) / 2, rtol=1e-4)


def test_averaging_repeats_itself_and_leaves_the_members_alone() -> None:
    settings = {**CONVOLUTIONAL, "dropout": 0.5}
    images = make_images(40).images
    models = [make_model(seed, settings) for seed in range(2)]
    before = [model.predict(images) for model in models]
    first, second = (average_models(models, images).predict(images) for _ in range(2))
    assert np.array_equal(first, second)
    for model, probabilities in zip(models, before, strict=True):
        assert np.array_equal(model.predict(images), probabilities)


def test_architectures_that_differ_are_not_averaged() -> None:
    with pytest.raises(ValueError, match="one architecture"):
        average_models([make_model(0, NORMED), make_model(1, CONVOLUTIONAL)], make_images(9).images)
