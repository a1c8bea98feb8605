"""Images that another set contains too, or nearly: copies, crops, re-encodings, mirror images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from smallvision.data.placement import fits
from smallvision.data.split import hash_image
from smallvision.shapes import Floats, Images, Indices

Mask: TypeAlias = npt.NDArray[np.bool_]

COARSE, FINE = 8, 16  # pixels a side of the thumbnails for the search, and for the comparison
CANDIDATES = 8  # images that each image is compared with
MIN_SIDE = 24  # pixels a side; smaller images of different objects can look the same
MAX_PAIRS = 20_000_000_000  # beyond this the search takes minutes
# Of 2,000 validation images of CIFAR-10, 24 are at least this similar to a training image; 23 of
# these show the same object at the same moment, mostly in the same picture. Less similar images may
# show different ships. Drawings and digits resemble each other without being copies; their single
# channel tells them from photographs.
ALIKE = 0.85  # similarity of near-duplicates
CHUNK = 500  # images at a time
# Images among which near-duplicates are searched for whenever a data set is loaded: the search
# takes about six seconds on one slow core.
MOST_COMPARED = 10_000
ROUNDING = 1e-3  # more than the rounding of float32 changes a similarity


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
    images: Images, others: Sequence[Images], *, mirror: bool, device: str = "cpu"
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
    known = {hash_image(other) for part in others for other in part}
    copies = np.array([hash_image(image) in known for image in images], bool)
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


def choose_place(images: Images, others: Sequence[Images], device: str) -> str | None:
    """The device to search on; None where near-duplicates are not searched for."""
    N, M = len(images), sum(map(len, others))
    C, *sides = images.shape[1:]
    if C != 3 or min(sides) < MIN_SIDE or not N or not M or N * M > MAX_PAIRS:
        return None
    size = 4 * M * (C * (COARSE**2 + FINE**2) + CHUNK)
    return next((place for place in (device, "cpu") if fits(size, place)), None)


def match_images(
    images: Images, others: Sequence[Images], *, mirror: bool, device: str = "cpu"
) -> tuple[Floats, Indices]:
    """Find the most similar of other images for each image.

    The similarity of two images is the correlation of their band-passed thumbnails: 16x16 pixels
    minus the same image at 4x4, over all channels. Brightness, contrast and a shift by half a pixel
    hardly change it, and a bright sky over a dark sea does not raise it. Candidates are chosen by
    the same measure on smaller thumbnails, so the similarity of an image that is unlike all others
    may be underestimated.

    Args:
        images: uint8 `(N, C, H, W)`, 16 pixels a side or more.
        others: sets of images of the same shape.
        mirror: whether to compare mirror images too.
        device: where to search.

    Returns: the similarity, float32 `(N,)` in [-1, 1], and the index of the most similar image,
        int64 `(N,)`, counted through all sets.
    """
    coarse, fine = (
        torch.cat([shrink(part, side, device) for part in others]) for side in (COARSE, FINE)
    )
    found: list[tuple[Tensor, Tensor]] = []
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        views = (part, part[..., ::-1]) if mirror else (part,)
        matches = [match_part(view, coarse, fine) for view in views]
        similarities, places = (torch.stack(column) for column in zip(*matches, strict=True))
        best = similarities.argmax(dim=0, keepdim=True)
        found.append((similarities.gather(0, best)[0], places.gather(0, best)[0]))
    similarity, place = (torch.cat(column).cpu().numpy() for column in zip(*found, strict=True))
    return similarity, place


def match_part(images: Images, coarse: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
    """Similarity to the most similar of other images, given their thumbnails, and its index."""
    similarity, near = rank_part(images, coarse, fine)
    best = similarity.max(dim=1)
    return best.values, near.gather(1, best.indices[:, None])[:, 0]


def rank_part(images: Images, coarse: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
    """Similarity to each candidate among other images, `(n, k)`, and the candidates' indices."""
    device = str(coarse.device)
    near = (shrink(images, COARSE, device) @ coarse.T).topk(min(CANDIDATES, len(coarse))).indices
    return torch.einsum("nd,nkd->nk", shrink(images, FINE, device), fine[near]), near


def list_alike(images: Images, *, mirror: bool) -> Indices | None:
    """List the pairs of near-duplicates among images.

    The similarities that decide are computed in float64, so that all machines list the same pairs.

    Args:
        images: uint8 `(N, C, H, W)`.
        mirror: whether a mirror image counts as a near-duplicate.

    Returns: int64 `(P, 2)`, pairs of indices `i < j`, sorted; None where nobody searches: the
        images are grey, smaller than 24 pixels, or more than 10,000.
    """
    if len(images) > MOST_COMPARED or choose_place(images, [images], "cpu") is None:
        return None
    coarse, fine = (shrink(images, side, "cpu") for side in (COARSE, FINE))
    found: set[tuple[int, int, bool]] = set()
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        for mirrored in (False, True) if mirror else (False,):
            similarity, near = rank_part(part[..., ::-1] if mirrored else part, coarse, fine)
            rows, columns = torch.nonzero(similarity >= ALIKE - ROUNDING, as_tuple=True)
            others = near[rows, columns].tolist()
            pairs = zip((rows + start).tolist(), others, strict=True)
            found |= {(min(pair), max(pair), mirrored) for pair in pairs if pair[0] != pair[1]}
    kept = set()
    candidates = sorted(found)
    for start in range(0, len(candidates), CHUNK):
        chunk = candidates[start : start + CHUNK]
        first, second, flips = (list(column) for column in zip(*chunk, strict=True))
        ours, theirs = images[first], np.array(images[second])
        theirs[flips] = theirs[flips][..., ::-1]
        vectors = (shrink(side, FINE, "cpu", torch.float64) for side in (ours, theirs))
        likeness = torch.linalg.vecdot(*vectors)
        kept |= {pair[:2] for pair, alike in zip(chunk, likeness >= ALIKE, strict=True) if alike}
    return np.array(sorted(kept), dtype=np.int64).reshape(-1, 2)


def shrink(images: Images, side: int, device: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """Band-passed thumbnails as vectors of length 1, `(N, C * side * side)`.

    The vector of an image of one colour is 0.
    """
    parts = []
    for start in range(0, len(images), 10 * CHUNK):
        chunk = np.array(images[start : start + 10 * CHUNK])
        pixels = torch.from_numpy(chunk).to(device).to(dtype)
        rough = F.interpolate(F.adaptive_avg_pool2d(pixels, side // 4), size=side, mode="bilinear")
        vectors = (F.adaptive_avg_pool2d(pixels, side) - rough).flatten(1)
        parts.append(vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1))
    return torch.cat(parts)
