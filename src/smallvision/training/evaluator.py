"""Measures a network in training on images without augmentation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.augment import Normalize
from smallvision.compute.machine import Machine
from smallvision.data.placement import PlacedImages
from smallvision.predict import infer_logits, refresh_norms
from smallvision.records.schema import MetricName
from smallvision.stats.rates import measure_score


class Measured(NamedTuple):
    """What a model reaches on labelled images; the score is the figure that epochs are chosen by.

    Without another metric it is the accuracy.
    """

    loss: float
    accuracy: float
    score: float


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Measures a model on images as they are: no augmentation, no mixing, no gradients.

    Attributes:
        train, val: uint8 images `(N, C, H, W)`, and int64 labels `(N,)` on the device; no `val`
            where every labelled image is trained on, and the last weights are the ones to keep.
        normalize: from bytes to what the network sees.
        machine: how to compute.
        interruptible: the context in which it measures, which may take long and changes nothing.
        metric: what epochs are chosen by.
    """

    train: tuple[Tensor, Tensor]
    val: tuple[PlacedImages, Tensor] | None
    normalize: Normalize
    machine: Machine
    interruptible: Callable[[], AbstractContextManager[None]] = nullcontext
    metric: MetricName = "accuracy"

    def measure(self, model: nn.Module, images: PlacedImages, labels: Tensor) -> Measured:
        """Mean loss, accuracy and score of a model on labelled images."""
        with self.interruptible():
            logits = infer_logits(model, images, self.normalize, self.machine)
        loss = F.cross_entropy(logits, labels)
        predicted = logits.argmax(dim=1)
        accuracy = float((predicted == labels).float().mean())
        if self.metric == "accuracy":
            return Measured(float(loss), accuracy, accuracy)
        said, right = (np.asarray(tensor.cpu()) for tensor in (predicted, labels))
        return Measured(float(loss), accuracy, measure_score(said, right, self.metric))

    def refresh_norms(self, model: nn.Module) -> None:
        """Recalibrate a model's batch-norm statistics on training images without augmentation."""
        refresh_norms(model, self.train[0], self.normalize, self.machine)
