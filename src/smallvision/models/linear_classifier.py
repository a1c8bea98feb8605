"""Logistic regression: the baseline that needs no network at all."""

from __future__ import annotations

from torch import nn


def linear_classifier(shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Build a multinomial logistic regression on flattened pixels.

    Args:
        shape: `(C, H, W)` of an image.
        num_classes: K.

    Returns: a module from `(N, C, H, W)` to logits `(N, K)`.

    Source: Cox, J. R. Stat. Soc. B 20 (1958) 215-242.
    """
    C, H, W = shape
    return nn.Sequential(nn.Flatten(), nn.Linear(C * H * W, num_classes))
