"""A finished model as a teacher: what it thinks of an image becomes part of the target."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from smallvision.augment import Augmentation, build_normalizer
from smallvision.predict.infer import infer_logits
from smallvision.predict.saved_model import SavedModel


def build_distillation_targets(
    model: SavedModel, *, share: float = 0.9, temperature: float = 1.0
) -> Augmentation:
    """Build what mixes a teacher's probabilities into targets.

    The teacher sees the very images that the network in training sees, augmented and mixed, once
    each: it answers for what is there, whatever the label of the whole image was. It answers as
    it was trained, without the temperature that calibrates it.

    Args:
        model: the teacher.
        share: of its probabilities in a target, in [0, 1]; the rest is the label's.
        temperature: divides its logits; above 1 tells more of the classes it thinks unlikely.

    Returns: an augmentation `(images, targets, generator) -> (images, targets)` that leaves images
        as they are, uint8 `(N, C, H, W)`, and draws nothing.

    Source: Hinton et al., arXiv 1503.02531, with the temperature on the teacher alone; that it
    should see the same crops, Beyer et al., arXiv 2106.05237.
    """
    normalize = build_normalizer(model.mean, model.std, model.machine.device)

    def teach(images: Tensor, targets: Tensor, _: Generator) -> tuple[Tensor, Tensor]:
        logits = infer_logits(model.network, images, normalize, model.machine)
        return images, torch.lerp(targets, (logits / temperature).softmax(dim=1), share)

    return teach
