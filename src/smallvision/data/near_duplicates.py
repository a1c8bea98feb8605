"""Images that another set contains too, or nearly: copies, crops, re-encodings, mirror images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from smallvision.data.alike.thumbnails import (
    ALIKE,
    BLOCK,
    CANDIDATES,
    CHUNK,
    COARSE,
    FINE,
    can_compare,
    shrink,
)
from smallvision.data.placement import fits
from smallvision.data.related import find_copies
from smallvision.data.storage.stored_images import ImageRows, slice_images
from smallvision.shapes import Floats, Images, Indices

Mask: TypeAlias = npt.NDArray[np.bool_]

MAX_PAIRS = 20_000_000_000  # beyond this the search takes minutes


@dataclass(frozen=True, eq=False)
class DuplicateMasks:
    """Which of N images other sets contain.

    Attributes:
        copies: bool `(N,)`, images with an identical image elsewhere.
        alike: bool `(N,)`, images with a near-duplicate elsewhere, copies included; None where
            nobody searched for these.
    """

    copies: Mask
    alike: Mask | None

    @property
    def seen(self) -> Mask:
        """Copies, and near-duplicates where they were searched for."""
        return self.copies if self.alike is None else self.alike


def find_near_duplicates(
    images: ImageRows, others: Sequence[ImageRows], *, mirror: bool, device: str = "cpu"
) -> DuplicateMasks:
    """Search other sets for images.

    Copies are always found. Near-duplicates are searched for only among colour images of 24 pixels
    a side or more, and only where there are few enough for a search.

    Args:
        images: uint8 `(N, C, H, W)`.
        others: sets of images of the same shape.
        mirror: whether a mirror image counts as a near-duplicate.
        device: where to search, if its memory suffices.
    """
    copies = find_copies(images, *others)
    place = choose_place(images, others, device)
    if place is None:
        return DuplicateMasks(copies, None)
    try:
        similarity, _ = match_images(images, others, mirror=mirror, device=place)
    except (MemoryError, RuntimeError):
        # The memory did not suffice, or the device cannot do this. The test set has been opened
        # by now, so its record must be written nevertheless.
        return DuplicateMasks(copies, None)
    return DuplicateMasks(copies, copies | (similarity >= ALIKE))


def choose_place(images: ImageRows, others: Sequence[ImageRows], device: str) -> str | None:
    """The device to search on; None where near-duplicates are not searched for."""
    N, M = len(images), sum(map(len, others))
    if not can_compare(images) or not N or not M or N * M > MAX_PAIRS:
        return None
    C = images.shape[1]
    size = 4 * min(M, BLOCK) * (C * (COARSE**2 + FINE**2) + CHUNK)
    return next((place for place in (device, "cpu") if fits(size, place)), None)


def match_images(
    images: ImageRows, others: Sequence[ImageRows], *, mirror: bool, device: str = "cpu"
) -> tuple[Floats, Indices]:
    """Find the most similar of other images for each image.

    Candidates are chosen on smaller thumbnails, a few among each 65,536 other images, so the
    similarity of an image that is unlike all others may be underestimated.

    Args:
        images: uint8 `(N, C, H, W)`, 16 pixels a side or more.
        others: sets of images of the same shape.
        mirror: whether to compare mirror images too.
        device: where to search.

    Returns: the similarity, float32 `(N,)` in [-1, 1], and the index of the most similar image,
        int64 `(N,)`, counted through all sets.
    """
    similarity = np.full(len(images), -np.inf, dtype=np.float32)
    place = np.zeros(len(images), dtype=np.int64)
    for first, block in list_blocks(others):
        coarse, fine = (place_thumbnails(block, side, device) for side in (COARSE, FINE))
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK]
            views = (part, part[..., ::-1]) if mirror else (part,)
            matches = [match_part(view, coarse, fine) for view in views]
            similarities, places = (torch.stack(column) for column in zip(*matches, strict=True))
            best = similarities.argmax(dim=0, keepdim=True)
            found = similarities.gather(0, best)[0].cpu().numpy()
            where = places.gather(0, best)[0].cpu().numpy() + first
            better = found > similarity[start : start + CHUNK]
            similarity[start : start + CHUNK][better] = found[better]
            place[start : start + CHUNK][better] = where[better]
    return similarity, place


def list_blocks(others: Sequence[ImageRows]) -> Iterator[tuple[int, list[ImageRows]]]:
    """Yield sets of images in blocks that are few enough for their thumbnails to fit in memory.

    Each comes with the number of its first image, counted through all sets.
    """
    total = sum(map(len, others))
    for first in range(0, total, BLOCK):
        block: list[ImageRows] = []
        start = 0
        for part in others:
            low, high = max(0, first - start), min(len(part), first + BLOCK - start)
            if low < high:
                block.append(slice_images(part, low, high))
            start += len(part)
        yield first, block


def match_part(images: Images, coarse: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
    """Similarity to the most similar of other images, given their thumbnails, and its index."""
    device = str(coarse.device)
    near = (
        (place_thumbnails([images], COARSE, device) @ coarse.T)
        .topk(min(CANDIDATES, len(coarse)))
        .indices
    )
    similarity = torch.einsum("nd,nkd->nk", place_thumbnails([images], FINE, device), fine[near])
    best = similarity.max(dim=1)
    return best.values, near.gather(1, best.indices[:, None])[:, 0]


def place_thumbnails(parts: Sequence[ImageRows], side: int, device: str) -> Tensor:
    """Thumbnails of sets of images as vectors on a device, float32 `(N, C * side * side)`."""
    total, width = sum(map(len, parts)), parts[0].shape[1] * side**2
    thumbnails = torch.empty((total, width), device=device)
    start = 0
    for part in parts:
        for first in range(0, len(part), 10 * CHUNK):  # the whole is never there twice
            some = shrink(slice_images(part, first, first + 10 * CHUNK), side)
            thumbnails[start : start + len(some)] = torch.from_numpy(some).to(device)
            start += len(some)
    return thumbnails
