"""What a network in training is measured on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.augment import Normalize
from smallvision.optim import find_norms
from smallvision.predict import infer_logits
from smallvision.records.machine import Machine

BATCH = 512  # images from which statistics are taken at a time


@dataclass(frozen=True, eq=False)
class Examiner:
    """Measures a model on images as they are: no augmentation, no mixing, no gradients.

    Attributes:
        train, val: uint8 images `(N, C, H, W)` and int64 labels `(N,)` on the device; no `val`
            where every labelled image is trained on, and the last weights are the ones to keep.
        normalize: from bytes to what the network sees.
    """

    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor] | None
    normalize: Normalize
    machine: Machine

    def measure(self, model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """Mean loss and accuracy of a model on labelled images."""
        logits = infer_logits(model, images, self.normalize, self.machine)
        loss = F.cross_entropy(logits, labels)
        return float(loss), float((logits.argmax(dim=1) == labels).float().mean())

    @torch.no_grad()
    def refresh_norms(self, model: nn.Module) -> None:
        """Take a model's batch-norm statistics anew, from the clean training images.

        Averaged weights need it: the mean of two networks' statistics is not the statistics of
        their mean. Dropout stays off, as it will be when the network is used; the original
        (Izmailov et al., arXiv 1803.05407, section 3.2) leaves it on and sees augmented images.
        """
        norms = find_norms(model)
        if not norms:
            return
        was_training, momenta = model.training, [norm.momentum for norm in norms]
        model.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # which makes torch weigh all batches alike
            norm.train()
        images = self.train[0]
        with self.machine.autocast():
            # Batches of one size but for an image: they count alike, and none is a single image.
            for part in torch.tensor_split(images, -(-len(images) // BATCH)):
                model(self.normalize(part))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(was_training)
