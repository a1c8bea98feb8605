"""CutMix and MixUp: each image and its target are mixed with another of the batch."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from smallvision.augment.boxes import mask_boxes
from smallvision.augment.draws import choose, draw_beta


def cutmix(
    images: Tensor,
    targets: Tensor,
    generator: Generator,
    *,
    alpha: float = 1.0,
    probability: float = 0.5,
) -> tuple[Tensor, Tensor]:
    """Paste a box of another image into the same place of each chosen image.

    Source: Yun et al., arXiv 1905.04899. There, a batch shares one box; here, each image has its
    own. Targets are mixed by the share of pixels pasted, of the part of the box inside the image.

    Args:
        images: `(N, C, H, W)`, any dtype.
        targets: float `(N, K)`.
        generator: the only source of randomness.
        alpha: above 0; the share of the image that a box covers is drawn from Beta(alpha, alpha).
        probability: in [0, 1], of each image.
    """
    N, _, H, W = images.shape
    device = generator.device
    partners = draw_partners(N, generator).to(images.device)
    ratio = draw_beta(alpha, N, generator).sqrt() * choose(probability, N, generator)
    height, width = (ratio * H).long(), (ratio * W).long()
    top = torch.randint(H, (N,), generator=generator, device=device) - height // 2
    left = torch.randint(W, (N,), generator=generator, device=device) - width // 2
    pasted = mask_boxes(top, left, height, width, images.shape[2:]).to(images.device)
    share = pasted.sum(dim=(1, 2, 3)).unsqueeze(1) / (H * W)
    mixed = torch.where(pasted, images[partners], images)
    return mixed, targets.lerp(targets[partners], share.to(targets.dtype))


def mixup(
    images: Tensor,
    targets: Tensor,
    generator: Generator,
    *,
    alpha: float = 1.0,
    probability: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Blend each chosen image with another; bytes are rounded to the nearest.

    Source: Zhang et al., arXiv 1710.09412. There, a batch shares one weight; here, each image
    has its own.

    Args:
        images: `(N, C, H, W)`, uint8 or float.
        targets: float `(N, K)`.
        generator: the only source of randomness.
        alpha: above 0; the weight of the other image is drawn from Beta(alpha, alpha).
        probability: in [0, 1], of each image.
    """
    N = len(images)
    partners = draw_partners(N, generator).to(images.device)
    weight = draw_beta(alpha, N, generator) * choose(probability, N, generator)
    weight = weight.to(images.device)
    pixels = images if images.is_floating_point() else images.float()
    mixed = pixels.lerp(pixels[partners], weight.to(pixels.dtype).view(-1, 1, 1, 1))
    if not images.is_floating_point():
        mixed = mixed.round_().to(images.dtype)
    return mixed, targets.lerp(targets[partners], weight.to(targets.dtype).unsqueeze(1))


def draw_partners(count: int, generator: Generator) -> Tensor:
    """A partner for each image of a batch, int64 `(count,)`: the batch rolled by a random shift.

    The batch is in random order already, so this is as random as a permutation, and no image is
    its own partner unless the batch has one image.
    """
    device = generator.device
    step = 1 + torch.randint(max(1, count - 1), (1,), generator=generator, device=device)
    return (torch.arange(count, device=device) + step) % count
