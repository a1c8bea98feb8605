"""What is taken for photographs in colour."""

from __future__ import annotations

import numpy as np

from smallvision.data.photographs import look_like_photographs
from smallvision.shapes import Images


def make_noise(count: int = 20, *, channels: int = 3) -> Images:
    return np.random.default_rng(0).integers(0, 256, (count, channels, 16, 16), dtype=np.uint8)


def test_many_colours_are_a_photograph() -> None:
    assert look_like_photographs(make_noise())
    assert look_like_photographs(make_noise(1_000))


def test_few_colours_equal_channels_or_none_are_not() -> None:
    assert not look_like_photographs(make_noise() // 128 * 255)  # eight colours
    assert not look_like_photographs(np.repeat(make_noise(channels=1), 3, axis=1))
    assert not look_like_photographs(make_noise(channels=1))
    assert not look_like_photographs(make_noise(0))
