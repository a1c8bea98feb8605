"""The pairs of near-duplicates among the images of one set."""

from __future__ import annotations

import numpy as np

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
from smallvision.data.storage.stored_images import ImageRows, slice_images
from smallvision.shapes import Indices

# The search is made whenever a data set is loaded; among so many images it takes about six seconds
# on one slow core.
MOST_COMPARED = 10_000
MOST_SCORES = 5_000_000  # that are in memory at a time
ROUNDING = 1e-3  # more than the rounding of float32 changes a similarity


def list_alike(images: ImageRows, *, mirror: bool, wanted: Indices | None = None) -> Indices | None:
    """List the pairs of near-duplicates among images.

    The similarities that decide are computed in float64, so that all machines list the same pairs.

    Args:
        images: uint8 `(N, C, H, W)`.
        mirror: whether a mirror image counts as a near-duplicate.
        wanted: the images whose near-duplicates are searched for among all; None for all of them.

    Returns: int64 `(P, 2)`, pairs of indices `i < j`, sorted; None where nobody searches: the
        images are grey, smaller than 24 pixels, or more than 10,000 without `wanted`.
    """
    if not can_compare(images) or (wanted is None and len(images) > MOST_COMPARED):
        return None
    wanted = np.arange(len(images)) if wanted is None else wanted
    found: set[tuple[int, int, bool]] = set()
    for first in range(0, len(images), BLOCK):
        block = slice_images(images, first, first + BLOCK)
        coarse, fine = (shrink(block, side) for side in (COARSE, FINE))
        count = min(CANDIDATES, len(block))
        step = max(1, min(CHUNK, MOST_SCORES // len(block)))
        for start in range(0, len(wanted), step):
            places = wanted[start : start + step]
            part = images[places]
            for mirrored in (False, True) if mirror else (False,):
                view = part[..., ::-1] if mirrored else part
                scores = shrink(view, COARSE) @ coarse.T
                near = np.argpartition(scores, -count, axis=1)[:, -count:]
                similarity = np.einsum("nd,nkd->nk", shrink(view, FINE), fine[near])
                rows, columns = np.nonzero(similarity >= ALIKE - ROUNDING)
                others = first + near[rows, columns]
                pairs = zip(places[rows].tolist(), others.tolist(), strict=True)
                found |= {(min(pair), max(pair), mirrored) for pair in pairs if pair[0] != pair[1]}
    return keep_alike(images, sorted(found))


def keep_alike(images: ImageRows, candidates: list[tuple[int, int, bool]]) -> Indices:
    """Keep the pairs that are near-duplicates beyond the rounding of a machine, int64 `(P, 2)`.

    Args:
        images: uint8 `(N, C, H, W)`.
        candidates: pairs of indices, and whether the second image is to be mirrored.
    """
    kept = set()
    for start in range(0, len(candidates), CHUNK):
        chunk = candidates[start : start + CHUNK]
        first, second, flips = (np.array(column) for column in zip(*chunk, strict=True))
        others = images[second]
        others[flips] = others[flips][..., ::-1]
        ours, theirs = (shrink(side, FINE, np.float64) for side in (images[first], others))
        likeness = np.einsum("nd,nd->n", ours, theirs)
        kept |= {pair[:2] for pair, alike in zip(chunk, likeness >= ALIKE, strict=True) if alike}
    return np.array(sorted(kept), dtype=np.int64).reshape(-1, 2)
