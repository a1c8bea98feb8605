"""Several networks that answer as one: the mean of what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from smallvision.errors import RecordError
from smallvision.predict import Ensemble, SavedModel, Tta, load_model
from smallvision.records.schema.settings.networks import EnsembleSettings
from tests.support.images import make_images
from tests.support.models import CONVOLUTIONAL, FP32, NORMED, edit_model, make_model


def join(models: list[SavedModel]) -> SavedModel:
    return replace(
        models[0],
        network=Ensemble(model.network for model in models).eval(),
        settings=EnsembleSettings(members=[model.settings for model in models]),
    )


def test_says_the_mean_of_the_members_probabilities() -> None:
    images = make_images(20).images
    models = [make_model(0, CONVOLUTIONAL), make_model(1, NORMED), make_model(2, CONVOLUTIONAL)]
    mean = np.mean([model.predict(images) for model in models], axis=0)
    assert join(models).predict(images) == pytest.approx(mean, abs=1e-6)


def test_each_member_has_test_time_augmentation_of_its_own() -> None:
    images = make_images(50).images
    tta = Tta(mirror=True, shift=1)
    models = [replace(make_model(seed, CONVOLUTIONAL), tta=tta) for seed in range(3)]
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
    assert again.settings == EnsembleSettings(members=(CONVOLUTIONAL, NORMED))
    assert np.array_equal(again.predict(images), ensemble.predict(images))
    assert again.count_parameters() == sum(model.count_parameters() for model in models)


@pytest.mark.parametrize("settings", [{"name": "ensemble"}, {"name": "ensemble", "members": []}])
def test_an_ensemble_without_members_is_no_model(tmp_path: Path, settings: dict[str, Any]) -> None:
    make_model(0, NORMED).save(tmp_path)
    edit_model(tmp_path, model=settings)
    with pytest.raises(RecordError, match="members"):
        load_model(tmp_path, FP32)
