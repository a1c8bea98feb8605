"""Measures a network in training on images without augmentation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.augment import Normalize
from smallvision.compute.machine import Machine
from smallvision.predict import infer_logits, refresh_norms


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Measures a model on images as they are: no augmentation, no mixing, no gradients.

    Attributes:
        train, val: uint8 images `(N, C, H, W)`, and int64 labels `(N,)` on the device; no `val`
            where every labelled image is trained on, and the last weights are the ones to keep.
        normalize: from bytes to what the network sees.
        machine: how to compute.
        interruptible: the context in which it measures, which may take long and changes nothing.
    """

    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor] | None
    normalize: Normalize
    machine: Machine
    interruptible: Callable[[], AbstractContextManager[None]] = nullcontext

    def measure(self, model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
        """Mean loss and accuracy of a model on labelled images."""
        with self.interruptible():
            logits = infer_logits(model, images, self.normalize, self.machine)
        loss = F.cross_entropy(logits, labels)
        return float(loss), float((logits.argmax(dim=1) == labels).float().mean())

    def refresh_norms(self, model: nn.Module) -> None:
        """Recalibrate a model's batch-norm statistics on training images without augmentation."""
        refresh_norms(model, self.train[0], self.normalize, self.machine)
