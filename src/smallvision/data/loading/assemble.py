"""From a `Layout` to a `DataSet`: read train, seal test, check that the parts agree."""

from __future__ import annotations

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.loading.cache import Summary, read_cached, summarize
from smallvision.data.sealed_test import SealedTest, seal
from smallvision.data.sources.source import Layout
from smallvision.data.split import find_copies, find_twins, split_stratified
from smallvision.errors import DataError
from smallvision.shapes import Indices

TEST_FRACTION = 0.2


def assemble(layout: Layout, *, name: str, seed: int, mirror_safe: bool = True) -> DataSet:
    """Read a source and put its test images behind the seal.

    A source without a test part gives up 20 % of each class, chosen by `seed`; identical images
    stay on one side.

    Raises:
        DataError: a part is missing or damaged, the parts differ in shape or classes, or a class
            is too small to be divided.
    """
    train, notes = _read_train(layout)
    val = None
    if "val" in layout.parts:
        decoded = read_cached(layout, "val", train.shape)
        val = decoded.images
        _check_agreement(layout, "validation", (val.shape, val.class_names), train)
        notes += decoded.notes
    if "test" in layout.parts:
        test, test_notes = _seal_part(layout, train)
        notes += test_notes
    else:
        free = find_free(train, val)
        _check_class_sizes(layout, train, free, needed=2 if val else 3)
        train, test = carve_test(train, free, seed=seed)
        notes += (f"{len(test):,} images were set aside as the test set and sealed.",)
    return DataSet(name, layout.source, train, test, val, mirror_safe, notes)


def find_free(images: ImageSet, val: ImageSet | None) -> Indices:
    """The images that may be set aside as a test set: no copies of validation images.

    What a model is chosen by shall not test it.
    """
    if val is None:
        return np.arange(len(images))
    return np.flatnonzero(~find_copies(images.images, val.images))


def carve_test(images: ImageSet, free: Indices, *, seed: int) -> tuple[ImageSet, SealedTest]:
    """Set 20 % of each class aside, from the images at some indices, and seal it at once.

    Returns: the images to learn from, and the sealed test set.

    Raises:
        DataError: a class is too small, or nearly all its images are identical.
    """
    _, picked = split_stratified(
        images.labels[free],
        fraction=TEST_FRACTION,
        seed=seed,
        groups=find_twins(images.images[free]),
    )
    rest = np.setdiff1d(np.arange(len(images)), free[picked])
    return images.take(rest), seal(images.take(free[picked]))


def _read_train(layout: Layout) -> tuple[ImageSet, tuple[str, ...]]:
    decoded = read_cached(layout, "train")
    return decoded.images, decoded.notes


def _seal_part(layout: Layout, train: ImageSet) -> tuple[SealedTest, tuple[str, ...]]:
    """Seal a declared test part: known by size and fingerprint, read when the seal is broken."""
    shape = train.shape
    if not layout.files:  # in memory: nothing to read it from later, and its owner may change it
        decoded = layout.read("test", shape)
        _check_agreement(layout, "test", (decoded.images.shape, decoded.images.class_names), train)
        return seal(decoded.images), decoded.notes
    summary = summarize(layout, "test", shape)
    _check_agreement(layout, "test", (summary.shape, summary.class_names), train)

    def open_test() -> ImageSet:
        images = read_cached(layout, "test", shape).images
        _check_unchanged(layout, images, summary)
        return images

    return SealedTest(open_test, size=summary.size, fingerprint=summary.fingerprint), summary.notes


def _check_unchanged(layout: Layout, images: ImageSet, summary: Summary) -> None:
    if images.fingerprint != summary.fingerprint:
        raise DataError(
            f"{layout.place}: the test images changed after they were sealed; load the data anew"
        )


def _check_agreement(
    layout: Layout,
    part: str,
    found: tuple[tuple[int, int, int], tuple[str, ...]],
    train: ImageSet,
) -> None:
    """Parts must be pictures of one shape, labeled with the same classes."""
    shape, class_names = found
    if shape != train.shape:
        raise DataError(
            f"{layout.place or layout.source}: the {part} images have shape {shape}, "
            f"the training images {train.shape}; expected the same (C, H, W)"
        )
    if class_names != train.class_names:
        raise DataError(
            f"{layout.place or layout.source}: the {part} images have {len(class_names)} classes "
            f"({', '.join(class_names[:3])}, ...), the training images {train.num_classes} "
            f"({', '.join(train.class_names[:3])}, ...); expected the same classes"
        )


def _check_class_sizes(layout: Layout, images: ImageSet, free: Indices, needed: int) -> None:
    """Enough images of each class for every split that is still to come."""
    counts = np.bincount(images.labels[free], minlength=images.num_classes)
    besides = " that are no copies of validation images" if len(free) < len(images) else ""
    for label in np.flatnonzero(counts < needed):
        raise DataError(
            f"{layout.place or layout.source}: class '{images.class_names[label]}' has "
            f"{counts[label]} images{besides}; at least {needed} are needed to train and test on"
        )
