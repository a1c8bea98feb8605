"""Label smoothing."""

from __future__ import annotations

from torch import Tensor


def smooth_labels(targets: Tensor, amount: float) -> Tensor:
    """Spread a share of each target evenly over all classes.

    Source: Szegedy et al., arXiv 1512.00567, section 7. Mixing and smoothing commute,
    because both are linear and mixing leaves the uniform distribution as it is.

    Args:
        targets: float `(N, K)`.
        amount: the share to spread, in [0, 1).
    """
    return targets * (1 - amount) + amount / targets.shape[1]
