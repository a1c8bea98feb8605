"""From a `Layout` to a `DataSet`: read the training images, seal the test images, compare both."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.loading.cache import PartSummary, read_cached, summarize
from smallvision.data.related import find_copies, find_look_alikes, relate_images
from smallvision.data.sealed_test import SealedTest, seal_test
from smallvision.data.sources.source import (
    Layout,
    LeftOut,
    Part,
    describe_left_out,
    merge_left_out,
)
from smallvision.data.split import split_stratified
from smallvision.errors import DataError
from smallvision.format import format_share
from smallvision.shapes import Indices, Labels, Origins, Shape
from smallvision.stats.images.mirror_images import check_mirror

Words: TypeAlias = tuple[str, ...]

TEST_FRACTION = 0.2
FEW_SIGNS = 5  # fewer classes with names of one letter are called so for short
ALLOW = "--mirror (in Python mirror_safe=True) allows these."
SIGNS = "The classes are letters or digits, so models are not trained on mirrored images; " + ALLOW
MIRRORED, MIRRORED_BYTES = 2_000, 3 * 10**7  # of the images whose mirror images are looked at
PART_WORDS: dict[Part, str] = {"train": "training", "val": "validation", "test": "test"}


def assemble(layout: Layout, *, name: str, seed: int, mirror_safe: bool | None = None) -> DataSet:
    """Read a source and seal its test images.

    Training images of a group that declared validation or test images belong to are left out.
    Of a source without a test part, 20 % of each class become the test set. `seed` chooses them,
    and related images stay on one side: identical ones, those of a group that the source names,
    and, where it names none, those that look much alike.

    Raises:
        DataError: a part is missing or damaged, the parts differ in shape or classes, or a class
            is too small to be divided.
    """
    decoded = read_cached(layout, "train")
    origins, preparation, sizes = decoded.origins, decoded.preparation, decoded.sizes
    layout = layout.follow(decoded)
    train, notes = decoded.images, (*layout.notes, *decoded.notes)
    left_out = [*layout.left_out, *decoded.left_out]
    if mirror_safe is None:
        reasons = _see_sides(train) if layout.mirror_safe else (SIGNS,)
        mirror_safe = not reasons
        notes += reasons
    notes += _describe_like_names(train.class_names)
    groups = decoded.groups
    val, val_groups = None, None
    if "val" in layout.parts:
        decoded = read_cached(layout, "val", train.shape)
        val = decoded.images
        _check_agreement(layout, "val", val.shape, val.class_names, train)
        notes += decoded.notes
        left_out += decoded.left_out
        val_groups = decoded.groups
        if groups and val_groups:
            kept, shared = _leave_out_shared(layout, train, groups, val_groups, "val")
            train, groups = train.take(kept), tuple(groups[i] for i in kept)
            origins = None if origins is None else origins[kept]
            left_out += shared
    alike = None if groups else find_look_alikes(train, mirror=mirror_safe)
    notes += alike.describe() if alike else ()
    if "test" in layout.parts:
        test, summary = _seal_part(layout, train)
        notes += summary.notes + _describe_shared(val_groups, summary.groups)
        left_out += summary.left_out
        if groups and summary.groups:
            kept, shared = _leave_out_shared(layout, train, groups, summary.groups, "test")
            train, groups = train.take(kept), tuple(groups[i] for i in kept)
            left_out += shared
    else:
        related = relate_images(train, groups, alike.numbers if alike else None).numbers
        free = _find_free(train, val, related)
        _check_class_sizes(layout, train, free, needed=2 if val else 3)
        rest, test = carve_test(train, free, related, seed=seed, origins=origins)
        train = train.take(rest)
        groups = tuple(groups[i] for i in rest) if groups else None
        alike = replace(alike, numbers=alike.numbers[rest]) if alike else None
        notes += (f"{len(test):,} images were set aside as the test set and sealed.",)
    merged = merge_left_out(left_out)
    notes += describe_left_out(merged)
    return DataSet(
        name,
        layout.source,
        train,
        test,
        val,
        mirror_safe,
        tuple(dict.fromkeys(notes)),
        left_out=merged,
        groups=groups,
        alike=alike.numbers if alike else None,
        place=layout.place,
        options=layout.options,
        preparation=preparation,
        sizes=sizes,
        carved="test" not in layout.parts,
    )


def _describe_like_names(names: Sequence[str]) -> tuple[str, ...]:
    """A note on classes whose names differ in capitals, spaces, hyphens or underscores alone."""
    known: dict[str, list[str]] = {}
    for name in names:
        # The sign of a number is no hyphen.
        key = name if name.lstrip("-").isdecimal() else re.sub(r"[\s_-]+", " ", name)
        known.setdefault(key.strip().casefold(), []).append(name)
    like = [each for each in known.values() if len(each) > 1]
    if not like:
        return ()
    shown = ", ".join(" and ".join(f"'{name}'" for name in each) for each in like[:3])
    more = f" and {len(like) - 3} more such" if len(like) > 3 else ""
    return (
        f"Some names of classes differ in capitals or spaces alone: {shown}{more}. If they mean "
        "the same class, give them one name; they are trained as classes of their own.",
    )


def _see_sides(images: ImageSet) -> Words:
    """Why images are not to be mirrored: what the classes are called, or how the images look."""
    if _names_signs(images):
        return (SIGNS,)
    most = min(len(images), MIRRORED, max(2, MIRRORED_BYTES // math.prod(images.shape)))
    chosen = np.linspace(0, len(images) - 1, most).astype(np.int64)
    found = check_mirror(images.images[chosen], images.labels[chosen], images.num_classes)
    if found.keeps_class:
        return ()
    return (
        "Left and right matter: the average images of the classes tell "
        f"{format_share(found.right)} of the images and {format_share(found.mirrored)} of their "
        f"mirror images. So models are not trained on mirrored images; {ALLOW}",
    )


def _names_signs(images: ImageSet) -> bool:
    """Whether the classes are letters, or digits in grey: few of these look the same in a mirror.

    Digits may as well be the numbers of classes without names, as they are of photographs.
    """
    names = images.class_names
    if len(names) < FEW_SIGNS or not all(len(name) == 1 and name.isalnum() for name in names):
        return False
    return images.shape[0] == 1 or any(name.isalpha() for name in names)


def carve_test(
    images: ImageSet,
    free: Indices,
    related: Labels,
    *,
    seed: int,
    origins: Origins | None = None,
) -> tuple[Indices, SealedTest]:
    """Set 20 % of each class aside, from the images at some indices, and seal them at once.

    Args:
        images: all images.
        free: those that may become test images.
        related: int64 `(N,)`, one number for images that stay together.
        seed: chooses.
        origins: of all images, where they come from files.

    Returns: the indices of the images to train on, and the sealed test set.

    Raises:
        DataError: a class is too small, or nearly all its images are identical or of one group.
    """
    _, picked = split_stratified(
        images.labels[free],
        fraction=TEST_FRACTION,
        seed=seed,
        groups=related[free],
        class_names=images.class_names,
    )
    rest, taken = np.setdiff1d(np.arange(len(images)), free[picked]), free[picked]
    test = seal_test(images.take(taken), None if origins is None else origins[taken])
    return rest, test


def _find_free(images: ImageSet, val: ImageSet | None, related: Labels) -> Indices:
    """The training images that may become test images.

    Copies of validation images may not, nor what is related to these, because a model is not
    tested on the images that it was chosen by.
    """
    if val is None:
        return np.arange(len(images))
    chosen_by = find_copies(images.images, val.images)
    return np.flatnonzero(~np.isin(related, related[chosen_by]))


def _leave_out_shared(
    layout: Layout, train: ImageSet, groups: Words, others: Words, part: Part
) -> tuple[Indices, list[LeftOut]]:
    """Leave out the training images of groups that images of a declared part belong to too.

    Returns: the indices of the other training images, and what was left out.

    Raises:
        DataError: a class would have no training image.
    """
    shared = np.isin(groups, list(set(others)))
    kept = np.flatnonzero(~shared)
    if not shared.any():
        return kept, []
    left = np.bincount(train.labels[kept], minlength=train.num_classes)
    for label in np.flatnonzero((train.counts > 0) & (left == 0)):
        raise DataError(
            f"{layout.place or layout.source}: all training images of class "
            f"'{train.class_names[label]}' are of groups that {PART_WORDS[part]} images belong to "
            "too; leave out --group-by, or divide the images anew"
        )
    reason = f"training images of a group that {PART_WORDS[part]} images belong to too"
    left_out = LeftOut(reason, int(shared.sum()), groups[int(np.argmax(shared))])
    return kept, [left_out]


def _describe_shared(val_groups: Words | None, test_groups: Words | None) -> Words:
    """A sentence about test images of groups that models are chosen by, which flatter them."""
    shared = set(val_groups or ()) & set(test_groups or ())
    if not shared:
        return ()
    count = sum(word in shared for word in test_groups or ())
    return (
        f"Of {len(test_groups or ()):,} test images {count:,} are of groups that are validated on "
        f"too ({len(shared):,}, such as '{min(shared)}'): the test flatters models chosen by them.",
    )


def _seal_part(layout: Layout, train: ImageSet) -> tuple[SealedTest, PartSummary]:
    """Seal a declared test part, which is read again when it is opened."""
    shape = train.shape
    if not layout.files:  # arrays in memory: their owner may change them before they are opened
        decoded = layout.read("test", shape)
        images = decoded.images
        _check_agreement(layout, "test", images.shape, images.class_names, train)
        return seal_test(images, decoded.origins), PartSummary.of(decoded)
    summary = summarize(layout, "test", shape)
    _check_agreement(layout, "test", summary.shape, summary.class_names, train)

    def open_part() -> ImageSet:
        images = read_cached(layout, "test", shape).images
        if images.fingerprint != summary.fingerprint:
            raise DataError(
                f"{layout.place}: the test images changed after they were sealed; load the data "
                "anew"
            )
        return images

    test = SealedTest(
        open_part, size=summary.size, fingerprint=summary.fingerprint, origin=summary.origin
    )
    return test, summary


def _check_agreement(
    layout: Layout, part: Part, shape: Shape, class_names: tuple[str, ...], train: ImageSet
) -> None:
    """Refuse parts whose images differ in shape or classes."""
    if shape != train.shape:
        raise DataError(
            f"{layout.place or layout.source}: the {PART_WORDS[part]} images have shape {shape}, "
            f"the training images {train.shape}; expected the same (C, H, W)"
        )
    if class_names != train.class_names:
        raise DataError(
            f"{layout.place or layout.source}: the {PART_WORDS[part]} images have "
            f"{len(class_names)} classes ({', '.join(class_names[:3])}, ...), the training images "
            f"{train.num_classes} ({', '.join(train.class_names[:3])}, ...); expected the same "
            "classes"
        )


def _check_class_sizes(layout: Layout, images: ImageSet, free: Indices, needed: int) -> None:
    """Refuse classes with too few images for every split that follows."""
    counts = np.bincount(images.labels[free], minlength=images.num_classes)
    besides = " that are no copies of validation images" if len(free) < len(images) else ""
    for label in np.flatnonzero(counts < needed):
        raise DataError(
            f"{layout.place or layout.source}: class '{images.class_names[label]}' has "
            f"{counts[label]} images{besides}; at least {needed} are needed to train and test on: "
            f"add some, or leave out such classes with --min-per-class {needed} (in Python "
            f"min_per_class={needed})"
        )
