"""The pictures of an image set: samples, classes, mean images, normalisation, augmentations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smallvision.data.contact_sheet import Picture, tile
from smallvision.data.imageset import ImageSet
from smallvision.data.storage.room import count_chunk
from smallvision.data.storage.stored_images import ImageRows
from smallvision.randomness import derive_seed
from smallvision.records.schema import (
    AugmentationPicture,
    ChannelStatistics,
    ExplorationPictures,
    NormalizationPictures,
)
from smallvision.shapes import Images

if TYPE_CHECKING:
    from smallvision.exploration.previews import AugmentationPreview

SHEET, COLUMNS, STRIP = 96, 12, 10  # images of a sheet, its columns, images of a strip
DRAWN_CLASSES = 100  # more would make a page of hundreds of strips


def draw_pictures(
    images: ImageSet,
    channels: Sequence[ChannelStatistics],
    previews: Sequence[AugmentationPreview],
    seed: int,
) -> tuple[ExplorationPictures, dict[str, Picture]]:
    """Draw all pictures of an exploration.

    Args:
        images: the images, usually of the training split.
        channels: their statistics, for the normalisation.
        previews: augmentations to show.
        seed: chooses the images that are shown.

    Returns: the file names by what they show, and the pictures by their file names.
    """
    rng = np.random.default_rng(derive_seed(seed, "explore"))
    picks = rng.choice(len(images), min(SHEET, len(images)), replace=False)
    pictures = {"random.png": tile(images.images[np.sort(picks)], COLUMNS)}
    classes, averages = [], []
    for k in range(min(DRAWN_CLASSES, images.num_classes)):
        members = np.flatnonzero(images.labels == k)
        classes.append(f"class-{k:03d}.png")
        pictures[classes[-1]] = tile(images.images[rng.permutation(members)[:STRIP]], STRIP)
        averages.append(f"average-{k:03d}.png")
        pictures[averages[-1]] = tile(average(images.images, members), STRIP)

    sample = images.images[np.sort(rng.choice(len(images), min(STRIP, len(images)), replace=False))]
    normalization = NormalizationPictures(
        before="normalization-before.png", after="normalization-after.png"
    )
    pictures[normalization.before] = tile(sample, STRIP)
    pictures[normalization.after] = tile(show_normalized(sample, channels), STRIP)
    strips = draw_previews(sample, previews, seed)
    pictures |= {strip.file: picture for strip, picture in strips}
    names = ExplorationPictures(
        random="random.png",
        classes=tuple(classes),
        averages=tuple(averages),
        normalization=normalization,
        augmentations=tuple(strip for strip, _ in strips),
    )
    return names, pictures


def average(images: ImageRows, members: npt.NDArray[np.int64]) -> Images:
    """The mean image of a class, uint8 `(1, C, H, W)`; without any image it is grey."""
    if not len(members):
        return np.full((1, *images.shape[1:]), 128, dtype=np.uint8)
    total = np.zeros((1, *images.shape[1:]), dtype=np.int64)
    count = count_chunk(math.prod(images.shape[1:]))
    for start in range(0, len(members), count):
        total += images[members[start : start + count]].sum(axis=0, dtype=np.int64, keepdims=True)
    return np.asarray(np.rint(total / len(members)), dtype=np.uint8)


def show_normalized(images: Images, channels: Sequence[ChannelStatistics]) -> Images:
    """Normalised images made visible: -2 to +2 deviations become black to white.

    The arithmetic is that of `augment.build_normalizer`, in numpy.
    """
    scale = np.array([1 / (255 * channel.std) for channel in channels], np.float32)
    shift = np.array([-channel.mean / channel.std for channel in channels], np.float32)
    values = images.astype(np.float32) * scale[:, None, None] + shift[:, None, None]
    visible = (values.clip(-2, 2) + 2) / 4 * 255
    return np.asarray(np.rint(visible), dtype=np.uint8)


def draw_previews(
    images: Images, previews: Sequence[AugmentationPreview], seed: int
) -> list[tuple[AugmentationPicture, Picture]]:
    """A strip for each augmentation: the first of some images, then variations of it."""
    if not previews:
        return []
    # Imported here, because it imports torch.
    from smallvision.exploration.previews import preview_augmentation

    strips = []
    for preview in previews:
        strip = preview_augmentation(images, preview.augment, count=STRIP, seed=seed)
        picture = AugmentationPicture(
            name=preview.name, sentence=preview.sentence, file=f"augment-{preview.name}.png"
        )
        strips.append((picture, tile(strip, STRIP)))
    return strips
