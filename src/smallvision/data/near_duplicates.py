"""Images that another set holds too, or nearly: copies, crops, re-encodings, mirror images."""

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

COARSE, FINE = 8, 16  # pixels a side of the thumbnails that are searched, and then compared
CANDIDATES = 8  # images that are compared for each one searched for
SMALLEST = 24  # pixels a side; smaller pictures of one thing are alike without being copies
MOST_PAIRS = 20_000_000_000  # beyond which the search takes minutes
# Of 2,000 validation images of CIFAR-10, 24 are at least this much like a training image; 23 of
# these are shots of the same thing at the same moment, most of them the very same picture. Below
# it, ships resemble ships. Drawings and digits are like each other without being copies, and are
# told from photographs by their one channel.
ALIKE = 0.85
CHUNK = 500  # images at a time


@dataclass(frozen=True, eq=False)
class Lookalikes:
    """Which of N images other sets hold.

    Attributes:
        copies: bool `(N,)`, those with an identical one.
        alike: bool `(N,)`, those with one that is much the same, copies among them; None where
            this was not looked for.
    """

    copies: Mask
    alike: Mask | None

    @property
    def seen(self) -> Mask:
        """All that were found."""
        return self.copies if self.alike is None else self.alike


def find_lookalikes(
    images: Images, others: Sequence[Images], *, mirror: bool, device: str = "cpu"
) -> Lookalikes:
    """Look for images in other sets.

    Copies are found everywhere. What is merely much the same is looked for among colour pictures
    that are large enough for that to mean something and few enough to be searched.

    Args:
        images: uint8 `(N, C, H, W)`.
        others: sets of such.
        mirror: whether a mirror image is much the same.
        device: to search on, if there is room.
    """
    known = {hash_image(other) for part in others for other in part}
    copies = np.array([hash_image(image) in known for image in images], bool)
    place = choose_place(images, others, device)
    if place is None:
        return Lookalikes(copies, None)
    try:
        likeness, _ = match_images(images, others, mirror=mirror, device=place)
    except (MemoryError, RuntimeError):  # no room after all, or a device that cannot do this:
        return Lookalikes(copies, None)  # a test set that was opened gets its record nevertheless
    return Lookalikes(copies, copies | (likeness >= ALIKE))


def choose_place(images: Images, others: Sequence[Images], device: str) -> str | None:
    """Where to search; None where it would mean nothing, or take minutes or too much memory."""
    N, M = len(images), sum(map(len, others))
    C, *sides = images.shape[1:]
    if C != 3 or min(sides) < SMALLEST or not N or not M or N * M > MOST_PAIRS:
        return None
    size = 4 * M * (C * (COARSE**2 + FINE**2) + CHUNK)
    return next((place for place in (device, "cpu") if fits(size, place)), None)


def match_images(
    images: Images, others: Sequence[Images], *, mirror: bool, device: str = "cpu"
) -> tuple[Floats, Indices]:
    """How much each image looks like the most similar of others.

    Likeness is the correlation of what thumbnails of 16x16 pixels show beyond thumbnails of 4x4,
    over all channels, so that brightness, contrast and a shift by half a pixel hardly matter, and
    sea below sky makes no ships alike. Candidates are chosen by the same of smaller thumbnails; an
    image that is rather unlike all others may thus get less than its due.

    Args:
        images: uint8 `(N, C, H, W)`, 16 pixels a side or more.
        others: sets of such.
        mirror: whether to look at mirror images too.
        device: to search on.

    Returns: float32 `(N,)` in [-1, 1], and which other image it was, int64 `(N,)`, counted
        through the sets.
    """
    coarse, fine = (
        torch.cat([shrink(part, side, device) for part in others]) for side in (COARSE, FINE)
    )
    found: list[tuple[Tensor, Tensor]] = []
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        views = (part, part[..., ::-1]) if mirror else (part,)
        ways = [match_part(view, coarse, fine) for view in views]
        likenesses, places = (torch.stack(column) for column in zip(*ways, strict=True))
        best = likenesses.argmax(dim=0, keepdim=True)
        found.append((likenesses.gather(0, best)[0], places.gather(0, best)[0]))
    likeness, place = (torch.cat(column).cpu().numpy() for column in zip(*found, strict=True))
    return likeness, place


def match_part(images: Images, coarse: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
    """Likeness to the most similar of others, whose thumbnails are given, and which one it is."""
    device = str(coarse.device)
    near = (shrink(images, COARSE, device) @ coarse.T).topk(min(CANDIDATES, len(coarse))).indices
    likeness = torch.einsum("nd,nkd->nk", shrink(images, FINE, device), fine[near])
    best = likeness.max(dim=1)
    return best.values, near.gather(1, best.indices[:, None])[:, 0]


def shrink(images: Images, side: int, device: str) -> Tensor:
    """Thumbnails as vectors of length 1, float32 `(N, C * side * side)`; flat ones are 0."""
    parts = []
    for start in range(0, len(images), 10 * CHUNK):
        pixels = torch.from_numpy(np.array(images[start : start + 10 * CHUNK])).to(device).float()
        rough = F.interpolate(F.adaptive_avg_pool2d(pixels, side // 4), size=side, mode="bilinear")
        vectors = (F.adaptive_avg_pool2d(pixels, side) - rough).flatten(1)
        parts.append(vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1))
    return torch.cat(parts)
