"""A saved model as one network from bytes to probabilities, which other programs can run."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from smallvision.predict import SavedModel, list_members
from smallvision.records.schema import Layout


class ServedNetwork(nn.Module):
    """Normalisation, members, mirror images, temperature and softmax in one network.

    Shifted copies of uncertain images are left to the caller, since how many there are depends on
    the images.

    Args:
        model: whose network is copied, in float32, to the CPU.
        layout: order of the dimensions of the input.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, model: SavedModel, layout: Layout) -> None:
        super().__init__()
        network = copy.deepcopy(model.network).cpu().float().eval().requires_grad_(False)
        self.members = nn.ModuleList(list_members(network))
        self.layout, self.mirror = layout, model.tta.mirror
        self.temperature = model.temperature
        scale = [1 / (255 * std) for std in model.std]
        shift = [-mean / std for mean, std in zip(model.mean, model.std, strict=True)]
        self.register_buffer("scale", torch.tensor(scale).view(1, -1, 1, 1))
        self.register_buffer("shift", torch.tensor(shift).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """From uint8 images to probabilities `(N, K)` and the members' logits `(M, N, K)`."""
        if self.layout == "nhwc":
            images = images.permute(0, 3, 1, 2)
        pixels = images.float() * self.scale + self.shift
        logits = torch.stack([self.look(member, pixels) for member in self.members])
        pooled = logits[0]
        if len(self.members) > 1:
            pooled = logits.log_softmax(dim=2).logsumexp(dim=0) - math.log(len(self.members))
        return (pooled / self.temperature).softmax(dim=1), logits

    def look(self, member: nn.Module, pixels: Tensor) -> Tensor:
        """Logits `(N, K)` of a member, averaged with those of mirror images where it has them.

        Both go through the member together, so that a graph holds its weights once.
        """
        if self.mirror:
            pixels = torch.cat([pixels, pixels.flip(-1)])
        logits: Tensor = member(pixels)
        return logits.view(2, -1, logits.shape[1]).mean(dim=0) if self.mirror else logits
