"""Pictures of an exploration."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from smallvision.augment import build_normalizer
from smallvision.data.channels import count_levels
from smallvision.exploration.figures import measure_channels
from smallvision.exploration.pictures import average, draw_pictures, show_normalized
from tests.support.images import make_images


@pytest.mark.parametrize("channels", [1, 3])
def test_normalised_images_are_those_that_a_network_sees(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, channels, 16, 16), dtype=np.uint8)
    statistics = measure_channels(count_levels(pixels))
    normalize = build_normalizer(
        [channel.mean for channel in statistics], [channel.std for channel in statistics]
    )
    seen = normalize(torch.from_numpy(pixels)).numpy()
    expected = np.rint((seen.clip(-2, 2) + 2) / 4 * 255).astype(np.uint8)
    assert np.array_equal(show_normalized(pixels, statistics), expected)


def test_the_mean_image_of_a_class_and_of_none() -> None:
    pixels = np.stack([np.full((1, 8, 8), value, np.uint8) for value in (10, 20, 90)])
    assert (average(pixels, np.array([0, 1])) == 15).all()
    assert (average(pixels, np.array([], np.int64)) == 128).all()


def test_the_seed_chooses_the_images() -> None:
    images = make_images(200)
    channels = measure_channels(count_levels(images.images))
    drawn = [draw_pictures(images, channels, (), seed)[1]["random.png"] for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
