"""Which parameters are decayed."""

from __future__ import annotations

from typing import Any

from torch import nn


def group_parameters(
    model: nn.Module, *, weight_decay: float, decay_norms_and_biases: bool
) -> list[dict[str, Any]]:
    """Split a model's parameters into those that are decayed and those that are not.

    A vector is a bias or a norm's scale or shift: pulling it to zero restrains nothing that
    overfits, so it can be left alone (Goyal et al., arXiv 1706.02677, section 5.3).
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim > 1]
    vectors = [p for p in trained if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": weight_decay if decay_norms_and_biases else 0.0},
    ]
