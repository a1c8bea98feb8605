"""What a model says of images, from the logits of its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallvision.shapes import Floats
from smallvision.stats.probabilities.logits import pool_members, scale_logits
from smallvision.stats.probabilities.prediction_sets import choose_sets
from smallvision.stats.probabilities.unlike import measure_energy


@dataclass(frozen=True, eq=False)
class ModelAnswers:
    """What a model says of images.

    Attributes:
        probabilities: calibrated, float32 `(N, K)`.
        energies: float32 `(N,)`; an image is unlike all that the model was trained on where this
            is above the limit that was fitted to its validation images.
    """

    probabilities: Floats
    energies: Floats


def answer_by_members(logits: Floats, temperature: float) -> ModelAnswers:
    """The answers of a model.

    Args:
        logits: of its members, `(M, N, K)`.
        temperature: of the model.
    """
    return ModelAnswers(scale_logits(pool_members(logits), temperature), measure_energy(logits))


def rank_classes(
    class_names: Sequence[str], probabilities: Floats, count: int | None = None
) -> list[tuple[str, float]]:
    """The most probable classes by `(K,)` probabilities, the first one first.

    Args:
        class_names: K names.
        probabilities: `(K,)`.
        count: how many; None for all.
    """
    best = (-probabilities).argsort(kind="stable")[:count]
    return [(class_names[k], float(probabilities[k])) for k in best]


def name_set(class_names: Sequence[str], probabilities: Floats, least: float) -> tuple[str, ...]:
    """The classes of a prediction set by `(K,)` probabilities, the most probable one first.

    Args:
        class_names: K names.
        probabilities: calibrated, `(K,)`.
        least: the probability from which a class belongs to it.
    """
    (chosen,) = choose_sets(probabilities[None], least)
    best = (-probabilities).argsort(kind="stable")
    return tuple(class_names[k] for k in best if chosen[k])
