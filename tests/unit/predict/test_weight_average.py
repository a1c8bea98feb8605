"""The mean of several networks' weights as one network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from smallvision.augment import build_normalizer
from smallvision.predict import average_models
from tests.support.images import make_images
from tests.support.models import CONVOLUTIONAL, NORMED, make_model


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
    settings = CONVOLUTIONAL.model_copy(update={"dropout": 0.5})
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
