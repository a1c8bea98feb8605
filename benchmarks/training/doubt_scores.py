"""Scores that could tell images unlike all that a model was trained on, and how well they do.

Each is high for images that are unlike. Those from logits cost nothing; those from features keep
what training images look like to the last layer of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from smallvision.augment import build_normalizer
from smallvision.predict import SavedModel, infer_logits, list_members
from smallvision.records.schema import Interval
from smallvision.shapes import Floats, Images, Labels
from smallvision.stats.intervals import CONFIDENCE
from smallvision.stats.probabilities.logits import pool_members, scale_logits
from smallvision.stats.probabilities.unlike import measure_energy

NEIGHBOURS = 50  # as Sun et al. for CIFAR-10
RIDGE = 1e-3  # share of the mean variance that is added to every direction
CHUNK = 500  # images whose distances to all others are in memory together

Values = npt.NDArray[np.float64]


def score_probability(members: Floats, temperature: float) -> Floats:
    """Minus the highest calibrated probability.

    Source: Hendrycks and Gimpel, arXiv 1610.02136.
    """
    highest: Floats = scale_logits(pool_members(members), temperature).max(axis=1)
    return -highest


def score_entropy(members: Floats, temperature: float) -> Floats:
    """Entropy of the calibrated probabilities."""
    probabilities = scale_logits(pool_members(members).astype(np.float64), temperature)
    return np.asarray(-(probabilities * np.log(np.maximum(probabilities, 1e-300))).sum(axis=1))


def score_logit(members: Floats, _: float) -> Floats:
    """Minus the highest logit, the mean over members.

    Source: Hendrycks et al., arXiv 1911.11132.
    """
    highest: Floats = members.max(axis=2).mean(axis=0)
    return -highest


LOGIT_SCORES: Mapping[str, Callable[[Floats, float], Floats]] = {
    "energy": lambda members, _: measure_energy(members),
    "logit": score_logit,
    "probability": score_probability,
    "entropy": score_entropy,
}


@dataclass(frozen=True, eq=False)
class FeatureSpace:
    """What training images look like to the last layer of a network.

    Attributes:
        directions: features of length 1, `(N, D)`.
        means: mean features of each class, `(K, D)`.
        whitener: brings the deviations from these means to unit variance, `(D, D)`.
    """

    directions: Floats
    means: Values
    whitener: Values

    def measure_neighbours(self, features: Floats) -> Floats:
        """Distance to the 50th nearest training image, between features of length 1.

        Source: Sun et al., arXiv 2204.06507.
        """
        found = []
        for start in range(0, len(features), CHUNK):
            products = normalize_rows(features[start : start + CHUNK]) @ self.directions.T
            place = products.shape[1] - NEIGHBOURS
            found.append(np.partition(products, place, axis=1)[:, place])
        return np.asarray(np.sqrt(np.maximum(0, 2 - 2 * np.concatenate(found))))

    def measure_classes(self, features: Floats) -> Values:
        """Mahalanobis distance to the nearest class.

        Source: Lee et al., arXiv 1807.03888, of the last features alone.
        """
        away = (features[:, None] - self.means[None]) @ self.whitener
        return np.asarray(np.sqrt((away**2).sum(axis=2)).min(axis=1))


FEATURE_SCORES: Mapping[str, Callable[[FeatureSpace, Floats], npt.NDArray[np.floating]]] = {
    "neighbours": FeatureSpace.measure_neighbours,
    "Mahalanobis": FeatureSpace.measure_classes,
}


def fit_space(features: Floats, labels: Labels) -> FeatureSpace:
    """Describe the features of training images.

    Args:
        features: `(N, D)`.
        labels: `(N,)`, every class of which has an image.
    """
    exact = features.astype(np.float64)
    means = np.stack([exact[labels == label].mean(axis=0) for label in np.unique(labels)])
    away = exact - means[np.searchsorted(np.unique(labels), labels)]
    covariance = away.T @ away / len(away)
    covariance += RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    values, vectors = np.linalg.eigh(covariance)
    return FeatureSpace(normalize_rows(features), means, vectors / np.sqrt(values))


def normalize_rows(features: Floats) -> Floats:
    """Features of length 1."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(lengths, 1e-12))


def read_features(model: SavedModel, images: Images) -> Floats:
    """What the last linear layer of a network is given, `(N, D)`; of several members, side by side.

    Args:
        model: whose members have such a layer; it looks at each image once.
        images: uint8 `(N, C, H, W)`.
    """
    normalize = build_normalizer(model.mean, model.std, model.machine.device)
    sides = []
    for member in list_members(model.network):
        *_, head = (layer for layer in member.modules() if isinstance(layer, nn.Linear))
        seen: list[Tensor] = []
        hook = head.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(given[0]))
        try:
            infer_logits(member, torch.from_numpy(np.array(images)), normalize, model.machine)
        finally:
            hook.remove()
        sides.append(torch.cat(seen).float().cpu().numpy())
    return np.concatenate(sides, axis=1)


def measure_area(
    like: npt.NDArray[np.floating], unlike: npt.NDArray[np.floating]
) -> tuple[float, Interval]:
    """The area under the ROC curve: how often an unlike image has the higher score of two.

    Ties count half. The interval is DeLong's on the scale of log odds, which keeps it between 0
    and 1; of an area of 1, where that has no width, the lower end is that of Clopper and Pearson
    for the smaller number of images, all of them hits.

    Args:
        like: scores of images like those of training, `(N,)`.
        unlike: scores of others, `(M,)`.

    Source: DeLong et al., Biometrics 44 (1988) 837-845.
    """
    above = place_among(like, unlike)
    below = 1 - place_among(unlike, like)
    area = float(above.mean())
    if min(area, 1 - area) < 1e-12:
        least = ((1 - CONFIDENCE) / 2) ** (1 / min(len(like), len(unlike)))
        return (area, (least, 1.0)) if area > 0.5 else (area, (0.0, 1 - least))
    error = np.sqrt(above.var(ddof=1) / len(unlike) + below.var(ddof=1) / len(like))
    odds = np.log(area / (1 - area))
    half = ndtri(0.5 + CONFIDENCE / 2) * error / (area * (1 - area))
    low, high = (float(1 / (1 + np.exp(-bound))) for bound in (odds - half, odds + half))
    return area, (low, high)


def place_among(
    values: npt.NDArray[np.floating], scores: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """The share of values below each score; equal ones count half."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, scores, side="left")
    up_to = np.searchsorted(ordered, scores, side="right")
    return np.asarray((below + up_to) / (2 * len(values)))
