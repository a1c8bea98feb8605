"""Flips and crops of whole batches by index arithmetic, for any dtype and device."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def flip(
    images: Tensor, targets: Tensor, generator: Generator, *, probability: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Mirror each image left to right, independently with a probability.

    Args:
        images: `(N, C, H, W)`, any dtype.
        targets: `(N, K)`, returned as they are.
        generator: the only source of randomness.
        probability: in [0, 1].
    """
    draw = torch.rand(len(images), generator=generator, device=generator.device)
    chosen = (draw < probability).to(images.device).view(-1, 1, 1, 1)
    return torch.where(chosen, images.flip(-1), images), targets


def alternating_flip(
    images: Tensor,
    targets: Tensor,
    generator: Generator,
    *,
    indices: Tensor | None = None,
    epoch: int = 1,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Mirror each image in every second epoch, half of the images in odd epochs.

    Of any two epochs in a row, one shows an image as it is and the other its mirror image.
    Independent flips would show half of the images the same way twice.

    Source: Jordan, arXiv 2404.00498, section 3.6.

    Args:
        images: `(N, C, H, W)`, any dtype.
        targets: `(N, K)`, returned as they are.
        generator: used if `indices` is None, in which case this is `flip`.
        indices: of the images in the training set, int64 `(N,)`.
        epoch: counted from 1.
        seed: decides which images are mirrored in odd epochs.
    """
    if indices is None:
        return flip(images, targets, generator)
    chosen = hash_to_bit(indices, seed) ^ bool(epoch % 2)
    return torch.where(chosen.view(-1, 1, 1, 1), images.flip(-1), images), targets


def hash_to_bit(indices: Tensor, seed: int) -> Tensor:
    """Hash each index and a seed to one bit: bool `(N,)`.

    Multiplication by large odd numbers (those of SplitMix64, Steele et al., OOPSLA 2014) mixes
    the bits of an index; one of the high bits is returned.
    """
    mixed = (indices + seed) * -0x61C8864680B583EB
    mixed = (mixed ^ (mixed >> 30)) * -0x40A7B892E31B1A47
    return ((mixed >> 40) & 1).bool()


def crop(
    images: Tensor, targets: Tensor, generator: Generator, *, padding: int = 4
) -> tuple[Tensor, Tensor]:
    """Shift each image by up to `padding` pixels each way; mirrored pixels fill the border.

    This is pad-and-crop (He et al., arXiv 1512.03385, section 4.2) with reflection padding in
    place of zeros, computed as one gather.

    Args:
        images: `(N, C, H, W)`, any dtype, in channels-last or contiguous memory.
        targets: `(N, K)`, returned as they are.
        generator: the only source of randomness.
        padding: pixels, at least 0 and below H and W.

    Returns: images of the same shape in channels-last memory, which is how the gather writes.
    """
    N, _, H, W = images.shape
    device = generator.device
    shifts = torch.randint(-padding, padding + 1, (2, N, 1), generator=generator, device=device)
    rows = _reflect(torch.arange(H, device=device) + shifts[0], H)
    columns = _reflect(torch.arange(W, device=device) + shifts[1], W)
    return _gather(images, rows, columns), targets


def random_crop(
    images: Tensor, targets: Tensor, generator: Generator, *, side: int
) -> tuple[Tensor, Tensor]:
    """Cut a square out of each image at a random place.

    A network with global pooling learns from crops at a fraction of the cost of whole images.
    Patterns keep their scale in a crop; on images that are scaled down a network learns patterns
    of another scale than it will need (measured in docs/SPEED.md).

    Args:
        images: `(N, C, H, W)`, any dtype.
        targets: `(N, K)`, returned as they are.
        generator: the only source of randomness.
        side: pixels, at least 1; a side of the image that is not longer is kept whole.

    Returns: images in channels-last memory, which is how the gather writes.
    """
    N, _, H, W = images.shape
    device = generator.device
    height, width = min(side, H), min(side, W)
    top = torch.randint(H - height + 1, (N, 1), generator=generator, device=device)
    left = torch.randint(W - width + 1, (N, 1), generator=generator, device=device)
    rows = top + torch.arange(height, device=device)
    columns = left + torch.arange(width, device=device)
    return _gather(images, rows, columns), targets


def _gather(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pick rows `(N, h)` and columns `(N, w)` of each image: `(N, C, h, w)`, channels-last."""
    picks = torch.arange(len(images), device=images.device).view(-1, 1, 1)
    rows, columns = rows.to(images.device).unsqueeze(2), columns.to(images.device).unsqueeze(1)
    return images.permute(0, 2, 3, 1)[picks, rows, columns].permute(0, 3, 1, 2)


def _reflect(positions: Tensor, size: int) -> Tensor:
    """Fold positions that lie outside `0..size-1` back inside, mirrored at the edge pixel."""
    return (size - 1) - ((size - 1) - positions.abs()).abs()
