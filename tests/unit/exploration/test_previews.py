"""Augmentations shown on an image."""

from __future__ import annotations

from smallvision.augment import AUGMENTATIONS
from smallvision.exploration.previews import preview_augmentation
from tests.support.images import make_images


def test_a_preview_of_mixing_shows_the_first_image_with_others() -> None:
    images = make_images(20).images
    for name in ("cutmix", "mixup"):
        strip = preview_augmentation(images, AUGMENTATIONS[name].apply, count=10, seed=0)
        assert strip.shape == (10, *images.shape[1:])
        assert (strip[0] == images[0]).all()
        assert sum((varied != images[0]).any() for varied in strip[1:]) >= 2


def test_a_lone_image_is_previewed_too() -> None:
    images = make_images(1, num_classes=2).images
    strip = preview_augmentation(images, AUGMENTATIONS["mixup"].apply, count=10, seed=0)
    assert (strip == images[0]).all()
