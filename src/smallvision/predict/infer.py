"""From images to probabilities, without gradients and without surprises."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from smallvision.augment import Normalize
from smallvision.compute.machine import Machine
from smallvision.data.placement import PlacedImages, gather

BATCH = 512  # images; larger batches leave the cache and run slower on CPUs


@torch.inference_mode()
def infer_logits(
    model: nn.Module,
    images: PlacedImages,
    normalize: Normalize,
    machine: Machine,
    *,
    batch_size: int = BATCH,
) -> Tensor:
    """Run a model over images in evaluation mode; its mode is put back afterwards.

    Args:
        model: from `(N, C, H, W)` to logits `(N, K)`.
        images: uint8 `(N, C, H, W)`.
        normalize: from bytes to what the network sees.
        machine: how to compute.
        batch_size: images at a time.

    Returns: float32 logits `(N, K)` on the device.
    """
    was_training = model.training
    model.eval()
    try:
        with machine.autocast():
            parts = [
                model(normalize(gather(images, slice(i, i + batch_size), machine.device))).float()
                for i in range(0, max(1, len(images)), batch_size)
            ]
    finally:
        model.train(was_training)
    return torch.cat(parts)
