"""What a network makes of images before it names a class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from smallvision.predict import Ensemble, find_features
from tests.support.images import make_images
from tests.support.models import CONVOLUTIONAL, NORMED, brightness_network, make_model, wrap_network


def test_they_are_what_the_head_is_given() -> None:
    images = make_images(30).images
    features = find_features(wrap_network(brightness_network(1.0, 2.0)), images)
    means = images.mean(axis=(1, 2, 3)) / 255
    expected = means / np.sqrt(np.mean(means**2))
    assert features.shape == (30, 1)
    assert np.allclose(features[:, 0], expected, atol=1e-3)


@pytest.mark.parametrize("settings", [NORMED, CONVOLUTIONAL], ids=["mlp", "wide_resnet"])
def test_the_head_makes_the_logits_of_them(settings: Any) -> None:
    model, images = make_model(1, settings), make_images(20).images
    *_, head = (part for part in model.network.modules() if isinstance(part, nn.Linear))
    features = torch.from_numpy(find_features(model, images))
    # They are scaled by one number, so that the logits are too, but for the bias.
    with torch.inference_mode():
        made = (head(features) - head.bias).numpy()
        given = model.predict_logits(images) - head.bias.numpy()
    scale = np.linalg.norm(given) / np.linalg.norm(made)
    assert np.allclose(scale * made, given, atol=1e-3)


def test_members_count_alike_side_by_side() -> None:
    loud, quiet = brightness_network(1.0, 2.0), brightness_network(1.0, 2.0)
    loud[0].weight.data *= 1000  # type: ignore[index, union-attr, operator]
    features = find_features(wrap_network(Ensemble([loud, quiet])), make_images(30).images)
    assert features.shape == (30, 2)
    assert np.allclose(features[:, 0], features[:, 1], atol=1e-3)


def test_the_model_is_left_as_it_was() -> None:
    model, images = make_model(1, NORMED), make_images(20).images
    before = model.predict(images)
    find_features(model, images)
    assert not model.network.training
    assert np.array_equal(model.predict(images), before)
    hooks = [len(part._forward_pre_hooks) for part in model.network.modules()]
    assert not any(hooks)
