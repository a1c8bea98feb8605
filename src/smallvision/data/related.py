"""Images that stay on one side of every split: copies, near-duplicates, and groups with a name.

A model that is validated on a picture of the very person or moment that it was trained on is
validated on what it has memorised.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallvision.data.alike.pairs import list_alike
from smallvision.data.imageset import ImageSet
from smallvision.data.storage.stored_images import ImageRows, StoredImages, iterate_chunks
from smallvision.shapes import Images, Indices, Labels

# A group of look-alikes may have up to this share of its class. All pictures of a class that was
# photographed in one place look alike; such a class is divided all the same.
LARGEST = 1 / 8


def group_duplicates(images: ImageRows) -> Labels:
    """Give identical images the same group number.

    Args:
        images: uint8 `(N, C, H, W)`.

    Returns: int64 `(N,)`, the index of the first image with the same pixels.
    """
    sums = sum_up(images)
    ordered = np.sort(sums)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    groups = np.arange(len(images))
    first: dict[bytes, int] = {}
    for i in np.flatnonzero(np.isin(sums, repeated)).tolist():
        groups[i] = first.setdefault(hash_image(images[i]), i)
    return groups


def sum_up(images: ImageRows) -> npt.NDArray[np.uint64]:
    """A number for each image, the same for identical ones and hardly ever for others, `(N,)`.

    To hash each image by itself takes ten times as long. Stored images keep what was computed.
    """
    if isinstance(images, StoredImages) and images.sums is not None:
        return images.sums
    width = -(-math.prod(images.shape[1:]) // 8)
    weights = np.random.default_rng(0).integers(1 << 63, size=width, dtype=np.uint64) * 2 + 1
    sums = np.empty(len(images), dtype=np.uint64)
    for start, chunk in iterate_chunks(images, 1000):
        rows = chunk.reshape(len(chunk), -1)
        if rows.shape[1] < 8 * width:
            padded = np.zeros((len(rows), 8 * width), dtype=np.uint8)
            padded[:, : rows.shape[1]] = rows
            rows = padded
        sums[start : start + len(rows)] = np.ascontiguousarray(rows).view(np.uint64) @ weights
    if isinstance(images, StoredImages):
        images.sums = sums
    return sums


def find_copies(images: ImageRows, *others: ImageRows) -> npt.NDArray[np.bool_]:
    """Tell which of `images` also occur in one of the `others`, bool `(N,)`."""
    sums = sum_up(images)
    copies = np.zeros(len(images), dtype=bool)
    for part in others:
        theirs = sum_up(part)
        known = {hash_image(part[i]) for i in np.flatnonzero(np.isin(theirs, sums)).tolist()}
        for i in np.flatnonzero(np.isin(sums, theirs)).tolist():
            copies[i] |= hash_image(images[i]) in known
    return copies


def hash_image(image: Images) -> bytes:
    """A digest of the pixels of one image."""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


@dataclass(frozen=True, eq=False)
class Related:
    """Which images stay together.

    Attributes:
        numbers: int64 `(N,)`, one number for images that stay on one side.
        duplicates: images that have an identical copy.
        groups: number of groups that the user asked for; None without any.
        alike: images kept beside one that looks much like them; None where nobody searched.
    """

    numbers: Labels
    duplicates: int
    groups: int | None = None
    alike: int | None = None


@dataclass(frozen=True, eq=False)
class LookAlikes:
    """Which images look alike.

    Attributes:
        numbers: int64 `(N,)`, one number for images that look alike and stay together.
        kept: images that stay together with another that looks much like them.
        spread: images that look alike in groups too large to stay together.
    """

    numbers: Labels
    kept: int
    spread: int

    def describe(self) -> tuple[str, ...]:
        """What a person should know, a sentence each."""
        kept = (
            f"{self.kept:,} images look much like another of their class; look-alikes stay on one "
            "side of each split."
        )
        spread = (
            f"{self.spread:,} images look alike in groups larger than an eighth of their class, "
            "which are divided all the same; if they show the same things, say --group-by."
        )
        return (*([kept] if self.kept else ()), *([spread] if self.spread else ()))


def relate_images(
    images: ImageSet, groups: Sequence[str] | None = None, alike: Labels | None = None
) -> Related:
    """Find out which images stay together.

    Args:
        images: the images; identical ones always stay together.
        groups: one word for each image, or None.
        alike: int64 `(N,)`, one number for images that look alike, or None.
    """
    copies = group_duplicates(images.images)
    sizes = np.bincount(copies)
    numberings = [copies]
    if groups is not None:
        numberings.append(np.unique(np.array(groups), return_inverse=True)[1])
    if alike is not None:
        numberings.append(alike)
    return Related(
        numbers=join_groups(numberings),
        duplicates=int(sizes[sizes > 1].sum()),
        groups=None if groups is None else len(set(groups)),
        alike=None if alike is None else count_alike(alike, copies),
    )


def join_groups(numberings: Sequence[Labels]) -> Labels:
    """Number images so that those which share a number in any numbering share one, int64 `(N,)`."""
    n = len(numberings[0])
    # Each image points to the first with its number.
    firsts = [np.unique(one, return_index=True, return_inverse=True)[1:] for one in numberings]
    ends = np.concatenate([index[inverse] for index, inverse in firsts])
    starts = np.tile(np.arange(n), len(numberings))
    return number_parts(starts[starts != ends], ends[starts != ends], n)


def number_parts(starts: Indices, ends: Indices, n: int) -> Labels:
    """Number the connected parts of a graph in the order of their first nodes, int64 `(N,)`.

    Args:
        starts, ends: the nodes that each edge connects.
        n: number of nodes.
    """
    if not len(starts):
        return np.arange(n)
    from scipy.sparse import coo_array  # slow to import, and rarely needed
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(ends), dtype=bool), (starts, ends)), shape=(n, n))
    numbers: Labels = connected_components(graph, directed=False)[1].astype(np.int64)
    return numbers


def count_alike(alike: Labels, copies: Labels) -> int:
    """Images whose group of look-alikes holds more than copies of one image."""
    pairs = np.unique(np.stack([alike, copies]), axis=1)
    kinds = np.bincount(pairs[0], minlength=int(alike.max()) + 1)
    return int((kinds[alike] > 1).sum())


def find_look_alikes(images: ImageSet, *, mirror: bool) -> LookAlikes | None:
    """Search images for near-duplicates of the same class.

    A near-duplicate of another class says nothing for a model that has memorised it, and is left
    where it is.

    Args:
        images: the images.
        mirror: whether a mirror image counts.

    Returns: None where nobody searches (`list_alike` says when).
    """
    pairs = list_alike(images.images, mirror=mirror)
    if pairs is None:
        return None
    labels = images.labels
    pairs = pairs[labels[pairs[:, 0]] == labels[pairs[:, 1]]]
    numbers = number_parts(pairs[:, 0], pairs[:, 1], len(images))
    sizes = np.bincount(numbers)[numbers]
    too_large = (sizes > 1) & (sizes > LARGEST * images.counts[labels])
    numbers = np.where(too_large, len(images) + np.arange(len(images)), numbers)
    return LookAlikes(
        numbers=numbers,
        kept=count_alike(numbers, group_duplicates(images.images)),
        spread=int(too_large.sum()),
    )
