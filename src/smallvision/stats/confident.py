"""Likely label errors: images whose given label a model contradicts with unusual confidence.

Source: Northcutt, Jiang and Chuang, arXiv 1911.00068 (confident learning). What differs: the
estimate is the number of images off the diagonal of the confident joint, not calibrated to the
class sizes, so that it counts exactly the images that are listed; and an image whose given label
is also the model's first choice is never listed, however low the model's confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallvision.shapes import Floats, Indices, Labels


@dataclass(frozen=True, eq=False)
class SuspectLabels:
    """Images that may be labelled wrongly, the most suspicious first.

    Attributes:
        positions: int64 `(n,)`, which of the N images.
        suggested: int64 `(n,)`, the class that the model would give each of them.
        joint: int64 `(K, K)`; `joint[i][j]` counts images labelled i that confidently look like j.
    """

    positions: Indices
    suggested: Labels
    joint: npt.NDArray[np.int64]

    @property
    def estimate(self) -> int:
        """How many labels are likely wrong: as many as are listed."""
        return len(self.positions)


def find_label_issues(probabilities: Floats, labels: Labels) -> SuspectLabels:
    """List the images that confidently look like a class other than their label's.

    An image confidently looks like class j if its probability of j reaches the mean probability
    of j over the images labelled j; among several such classes it counts for the most probable.
    A class the model is sure of thus has a high threshold, a difficult class a low one. The list
    is in order of the margin: probability of the given class minus that of the suggested one.

    Args:
        probabilities: `(N, K)` of a model that was not trained on these images.
        labels: int64 `(N,)`, as given.
    """
    K = probabilities.shape[1]
    thresholds = np.full(K, np.inf)  # no image: nothing can be said to look like the class
    for k in np.unique(labels):
        thresholds[k] = probabilities[labels == k, k].mean(dtype=np.float64)
    reached = probabilities >= thresholds
    looks_like = np.where(reached, probabilities, -1.0).argmax(axis=1)
    confident = reached.any(axis=1)
    joint = np.zeros((K, K), dtype=np.int64)
    np.add.at(joint, (labels[confident], looks_like[confident]), 1)

    doubted = confident & (looks_like != labels) & (probabilities.argmax(axis=1) != labels)
    positions = np.flatnonzero(doubted)
    margins = (
        probabilities[positions, labels[positions]]
        - probabilities[positions, looks_like[positions]]
    )
    positions = positions[np.argsort(margins, kind="stable")]
    return SuspectLabels(positions, looks_like[positions], joint)
