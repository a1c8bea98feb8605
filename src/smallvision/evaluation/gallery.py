"""Validation images to look through, and a map of what a model makes of them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from smallvision.data.contact_sheet import Picture, tile
from smallvision.data.storage.stored_images import ImageRows
from smallvision.predict import SavedModel, find_features
from smallvision.records.schema import GalleryImage, ValidationGallery
from smallvision.shapes import Floats, Images, Indices, Labels
from smallvision.stats.images.feature_map import lay_out, pick_for_map

FILE, COLUMNS = "gallery.webp", 40
MOST_ERRORS, MOST_MAPPED = 500, 800  # images of up to 32 pixels a side; of larger ones fewer
PLAIN_SIDE, MOST_SIDE = 32, 48  # pixels; larger images are shrunk
SEED = 0  # of the images that are mapped, and of the map


def build_gallery(
    model: SavedModel,
    images: ImageRows,
    labels: Labels,
    indices: Indices,
    probabilities: Floats,
    files: tuple[str, ...] | None = None,
) -> tuple[ValidationGallery, Picture]:
    """Choose validation images to show, and lay some of them out by the model's features.

    On the map are images drawn at random, each class in proportion. Shown besides are errors, of
    every pair of classes the most confident first.

    Args:
        model: whose features are mapped.
        images: uint8 `(N, C, H, W)`.
        labels: int64 `(N,)`.
        indices: int64 `(N,)`, numbers of the images as in `split.npz`.
        probabilities: `(N, K)`, what the model says of them.
        files: N texts, what the file of each image is called; None where images are no files.

    Returns: the record, and a sheet with its images in order.
    """
    height, width = shrink(images[:1]).shape[2:]
    share = min(1.0, PLAIN_SIDE**2 / (height * width))
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    mapped = pick_for_map(labels, seed=SEED, most=round(MOST_MAPPED * share))
    errors = pick_errors(labels, predicted, confidence, most=round(MOST_ERRORS * share))
    found = lay_out(find_features(model, images[mapped]), labels[mapped], seed=SEED)
    places = dict(zip(mapped.tolist(), found.places.tolist(), strict=True))
    shown = np.union1d(mapped, errors)
    shown = shown[np.lexsort((-confidence[shown], predicted[shown], labels[shown]))]
    return ValidationGallery(
        file=FILE,
        width=width,
        height=height,
        columns=min(COLUMNS, len(shown)),
        errors=int((predicted[shown] != labels[shown]).sum()),
        same_class=found.same_class,
        trustworthiness=found.trustworthiness,
        images=tuple(
            GalleryImage(
                index=int(indices[i]),
                source_file=files[i] if files else None,
                true=int(labels[i]),
                predicted=int(predicted[i]),
                probability=float(confidence[i]),
                place=tuple(round(x, 4) for x in places[i]) if i in places else None,
            )
            for i in shown.tolist()
        ),
    ), tile(shrink(images[shown]), COLUMNS)


def pick_errors(labels: Labels, predicted: Labels, confidence: Floats, *, most: int) -> Indices:
    """Pick errors so that every pair of classes has its turn before another has its second.

    Args:
        labels, predicted: int64 `(N,)`.
        confidence: `(N,)`; of a pair the most confident error comes first.
        most: how many to pick.

    Returns: int64, where there are more, those of the most frequent pairs.
    """
    wrong = np.flatnonzero(labels != predicted)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")]
    pairs = list(zip(labels[wrong].tolist(), predicted[wrong].tolist(), strict=True))
    counts, turns = Counter(pairs), Counter[tuple[int, int]]()
    keys = []
    for pair in pairs:
        keys.append((turns[pair], -counts[pair]))
        turns[pair] += 1
    order = sorted(range(len(wrong)), key=keys.__getitem__)
    return wrong[np.array(order[:most], dtype=np.int64)]


def shrink(images: Images) -> Images:
    """Average blocks of pixels where images have more than 48 a side; a rest at the edges goes."""
    N, C, H, W = images.shape
    step = -(-max(H, W) // MOST_SIDE)
    if step == 1:
        return images
    h, w = H // step, W // step
    blocks = images[:, :, : h * step, : w * step].reshape(N, C, h, step, w, step)
    return np.asarray(np.rint(blocks.mean(axis=(3, 5))), dtype=np.uint8)
