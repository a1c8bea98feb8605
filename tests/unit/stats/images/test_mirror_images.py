"""Mirror images are told by class averages where the classes do not point to a side."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.shapes import Images
from smallvision.stats.images.mirror_images import check_mirror

LABELS = np.arange(400) % 4


def draw(*, sided: bool, noise: float = 40.0) -> Images:
    """Images of four classes, each bright in a row of its own, or in a quarter of the image."""
    rng = np.random.default_rng(0)
    images = rng.normal(100, noise, (len(LABELS), 1, 8, 8))
    for image, label in zip(images, LABELS, strict=True):
        if sided:
            image[0, 4 * (label // 2) : 4 * (label // 2) + 4, : 4 if label % 2 else None] += 60
        else:
            image[0, 2 * label : 2 * label + 2] += 60
    return images.clip(0, 255).astype(np.uint8)


def test_classes_that_point_to_a_side_are_noticed() -> None:
    found = check_mirror(draw(sided=True), LABELS, 4)
    assert not found.keeps_class
    assert found.mirrored < found.right - 0.2


def test_classes_that_do_not_keep_their_mirror_images() -> None:
    found = check_mirror(draw(sided=False), LABELS, 4)
    assert found.keeps_class
    assert found.right > 0.9
    assert found.mirrored == pytest.approx(found.right, abs=0.05)


def test_what_may_be_chance_is_no_reason() -> None:
    found = check_mirror(draw(sided=True)[:8], LABELS[:8], 4)
    assert found.keeps_class


def test_a_class_of_one_image_is_never_nearest_in_its_own_half() -> None:
    labels = LABELS.copy()
    labels[7] = 4
    assert check_mirror(draw(sided=False), labels, 5).right > 0.9
