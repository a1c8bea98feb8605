"""Batch-norm statistics taken anew, for networks whose weights were averaged."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from smallvision.augment import Normalize
from smallvision.compute.machine import Machine
from smallvision.optim import find_norms

BATCH = 512  # images from which statistics are taken at a time


@torch.no_grad()
def refresh_norms(
    network: nn.Module, images: Tensor, normalize: Normalize, machine: Machine
) -> None:
    """Take a network's batch-norm statistics anew, from clean training images.

    Averaged weights need it: the mean of two networks' statistics is not the statistics of
    their mean. Dropout stays off, as it will be when the network is used; the original leaves it
    on and sees augmented images.

    Args:
        network: changed in place; its mode is put back.
        images: uint8 `(N, C, H, W)`, at least two.
        normalize: from bytes to what the network sees.
        machine: how to compute.

    Source: Izmailov et al., arXiv 1803.05407, section 3.2.
    """
    norms = find_norms(network)
    if not norms:
        return
    was_training, momenta = network.training, [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # which makes torch weigh all batches alike
        norm.train()
    with machine.autocast():
        # Batches of one size but for an image: they count alike, and none is a single image.
        for part in torch.tensor_split(images, -(-len(images) // BATCH)):
            network(normalize(part.to(machine.device)))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(was_training)
