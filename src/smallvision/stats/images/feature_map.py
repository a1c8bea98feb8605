"""Images laid out in the plane, so that those with similar features lie together.

Sources: principal components, then t-SNE (van der Maaten and Hinton, JMLR 9, 2008) that begins with
the first two of them, so that the large distances of the map mean something too (Kobak and Berens,
Nature Communications 10, 2019). How far neighbours on the map are neighbours among the features is
measured by trustworthiness (Venna and Kaski, Neural Networks 19, 2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallvision.randomness import derive_seed
from smallvision.shapes import Floats, Indices, Labels

MOST_PLACED = 2000  # images of a map; more take longer than a reader waits, and cover each other
COMPONENTS = 50  # principal components that t-SNE is given
PERPLEXITY = 30.0  # neighbours that t-SNE keeps near an image, about
FEWEST = 8  # images for t-SNE; fewer are placed by their principal components
STEPS = 500  # of t-SNE; 1,000 took twice as long, and no neighbours came nearer
NEIGHBOURS = 10  # of an image, by which a map is judged


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Places of N images in the plane, and how far they can be trusted.

    Attributes:
        places: float64 `(N, 2)` in [0, 1], each axis from its smallest to its largest value.
        same_class: share of images whose nearest neighbour among the features is of their class.
        trustworthiness: in [0, 1]; 1 where the 10 nearest neighbours of each image on the map are
            its nearest among the features; None for fewer than 21 images.
    """

    places: Floats
    same_class: float
    trustworthiness: float | None


def pick_for_map(labels: Labels, *, seed: int, most: int = MOST_PLACED) -> Indices:
    """Pick images for a map, of each class in proportion to its size, at least one of each.

    Args:
        labels: int64 `(N,)`.
        seed: of the choice.
        most: how many to pick, about: rounding and small classes may add one image a class.

    Returns: int64, indices in ascending order; all of them where there are at most `most`.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    rng = np.random.default_rng(derive_seed(seed, "feature map"))
    picked = []
    for k in np.unique(labels):
        members = np.flatnonzero(labels == k)
        count = max(1, round(len(members) * most / len(labels)))
        picked.append(rng.choice(members, count, replace=False))
    return np.sort(np.concatenate(picked))


def lay_out(features: Floats, labels: Labels, *, seed: int) -> FeatureMap:
    """Lay images out in the plane by their features; the same seed gives the same map.

    The axes and the size of a cluster have no meaning. A map shows which images are neighbours, and
    roughly which groups are near each other. It takes about five seconds for 2,000 images on one
    core, so choose them with `pick_for_map`.

    Args:
        features: float `(N, D)`, finite, one row an image, all columns on one scale.
        labels: int64 `(N,)`, the classes; they have no influence on the places.
        seed: of the approximations.
    """
    from sklearn.decomposition import PCA  # slow to import, and only maps need it
    from sklearn.manifold import TSNE

    N, D = features.shape
    centred = np.asarray(features, dtype=np.float64)
    values = centred = centred - centred.mean(axis=0)
    state = derive_seed(seed, "feature map") % 2**32
    if N > 1 and D > 1 and values.any():
        count = min(COMPONENTS, N, D)
        values = PCA(count, random_state=state).fit_transform(values)
    plane = np.zeros((N, 2))
    plane[:, : min(2, values.shape[1])] = values[:, :2]
    if N >= FEWEST and plane[:, 0].std() > 0:
        # The first component gets the deviation at which t-SNE expects its start.
        start = (plane / plane[:, 0].std() * 1e-4).astype(np.float32)
        perplexity = min(PERPLEXITY, (N - 1) / 3)
        method = TSNE(perplexity=perplexity, init=start, max_iter=STEPS, random_state=state)
        plane = method.fit_transform(values)
    return FeatureMap(
        places=scale_to_unit(plane),
        same_class=measure_same_class(centred, labels),
        trustworthiness=measure_trust(centred, plane),
    )


def scale_to_unit(plane: Floats) -> Floats:
    """Stretch both axes to [0, 1]; an axis without extent lies in the middle."""
    low, extent = plane.min(axis=0), np.ptp(plane, axis=0)
    scaled = (plane - low) / np.where(extent > 0, extent, 1)
    return np.asarray(np.where(extent > 0, scaled, 0.5), dtype=np.float64)


def measure_same_class(features: Floats, labels: Labels) -> float:
    """Share of images whose nearest neighbour, other than themselves, is of their class."""
    from sklearn.neighbors import NearestNeighbors

    if len(features) < 2:
        return 0.0
    nearest = NearestNeighbors(n_neighbors=1).fit(features).kneighbors(return_distance=False)[:, 0]
    return float((labels[nearest] == labels).mean())


def measure_trust(features: Floats, plane: Floats) -> float | None:
    """Trustworthiness of a map; None where there are too few images for it."""
    from sklearn.manifold import trustworthiness

    if len(features) <= 2 * NEIGHBOURS:
        return None
    return float(trustworthiness(features, plane, n_neighbors=NEIGHBOURS))
