"""Random draws for which torch takes no generator."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor


def draw_beta(alpha: float, count: int, generator: Generator) -> Tensor:
    """Draw from Beta(alpha, alpha), exactly and without rejection, from two uniforms each.

    Bailey's polar method (Mathematics of Computation 62, 1994) gives Student's t with 2 alpha
    degrees of freedom; t / sqrt(2 alpha + t²), moved from [-1, 1] to [0, 1], is the symmetric
    beta (Devroye, "Random variate generation in one line of code", 1996). A fixed number of
    draws, unlike rejection, does not make a GPU wait for the host.

    Args:
        alpha: above 0; 1 is uniform, less makes values near 0 and 1 more likely.
        count: number of draws.
        generator: the only source of randomness.

    Returns: float32 `(count,)` in [0, 1] on the generator's device.
    """
    u = torch.rand(2, count, generator=generator, device=generator.device)
    radius, cosine = (1 - u[0]).pow(1 / alpha), (2 * math.pi * u[1]).cos()
    t = cosine * ((1 - radius) / (radius + (1 - radius) * cosine.square())).sqrt()
    return ((1 + t) / 2).clamp(0, 1)


def choose(probability: float, count: int, generator: Generator) -> Tensor:
    """Choose each of `count` independently with a probability: bool `(count,)`."""
    return torch.rand(count, generator=generator, device=generator.device) < probability
