"""From logits to probabilities, in numpy alone: what answers without torch needs them too."""

from __future__ import annotations

import numpy as np

from smallvision.shapes import Floats


def scale_logits(logits: Floats, temperature: float) -> Floats:
    """Probabilities from logits divided by a temperature; above 1 softens, below 1 sharpens.

    The order of the classes stays, so the most probable class and with it the accuracy.

    Args:
        logits: `(..., K)`.
        temperature: above 0.

    Returns: probabilities of the same shape and type.
    """
    scaled = logits / temperature
    scaled = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probabilities: Floats = scaled / scaled.sum(axis=-1, keepdims=True)
    return probabilities


def sum_exponents(logits: Floats, axis: int) -> Floats:
    """Logarithm of the sum of the exponentials along an axis, which is left out."""
    highest = logits.max(axis=axis, keepdims=True)
    summed: Floats = np.log(np.exp(logits - highest).sum(axis=axis)) + highest.squeeze(axis)
    return summed


def pool_members(logits: Floats) -> Floats:
    """The logits of a model from those of its members, `(M, N, K)` to `(N, K)`.

    Of several members, the logarithm of their mean probability; a single one speaks for itself.
    """
    if len(logits) == 1:
        single: Floats = logits[0]
        return single
    pooled: Floats = sum_exponents(logits - sum_exponents(logits, axis=2)[:, :, None], axis=0)
    pooled -= np.log(len(logits)).astype(logits.dtype)
    return pooled
