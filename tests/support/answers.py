"""Answers of two simulated recipes to the same images."""

from __future__ import annotations

import numpy as np
from scipy.special import expit


def draw_answers(
    rng: np.random.Generator, seeds: int, n: int, gap: float, between_seeds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each seed of two recipes is right on each image, bool `(seeds, n)` each.

    The logits depend on the image, the recipe and the seed.

    Args:
        rng: what draws.
        seeds: of each recipe.
        n: images.
        gap: of the mean logits of the two recipes.
        between_seeds: standard deviation of a seed's logits.
    """
    hardness, taste = rng.normal(2.0, 2.0, n), rng.normal(0, 0.5, n)
    sides = []
    for shift in (gap + taste, -taste):
        luck = rng.normal(0, between_seeds, (seeds, 1)) if between_seeds else 0.0
        sides.append(rng.random((seeds, n)) < expit(hardness + shift + luck))
    return sides[0], sides[1]
