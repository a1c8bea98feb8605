import numpy as np
import pytest

from smallvision.data.channels import count_levels, mean_and_std


def test_channel_statistics_are_exact() -> None:
    images = np.random.default_rng(0).integers(0, 256, (70, 3, 8, 9)).astype(np.uint8)
    mean, std = mean_and_std(count_levels(images))
    assert mean == pytest.approx((images / 255).mean(axis=(0, 2, 3)), abs=1e-12)
    assert std == pytest.approx((images / 255).std(axis=(0, 2, 3)), abs=1e-12)


def test_a_constant_channel_does_not_divide_by_zero() -> None:
    images = np.full((5, 1, 8, 8), 7, dtype=np.uint8)
    assert mean_and_std(count_levels(images))[1] == [1 / 255]
