"""A data set that is drawn from a seed, so that everything about it is known.

Position, size, colour and lighting vary freely within a class. A classifier that ignores the
positions of pixels does poorly, and one that looks for local patterns does well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import seal_test
from smallvision.shapes import Images, Indices, Labels
from tests.support.patterns import PATTERNS, Field, make_canvas

AT_ONCE = 1000  # pictures drawn together, in about 100 MB of memory for 32x32 pixels


@dataclass(frozen=True, eq=False)
class Truth:
    """What was planted in a synthetic data set.

    Attributes:
        labels: int64 `(N,)`, the training labels before any was flipped.
        flipped: sorted indices of the training images whose label is wrong.
        duplicates: `(P, 2)` pairs of training images with identical pixels.
        leaks: `(Q, 2)` pairs of a training and a test image with identical pixels.
    """

    labels: Labels
    flipped: Indices
    duplicates: Indices
    leaks: Indices


def make_synthetic(
    size: int = 2000,
    *,
    test_size: int = 500,
    image_size: int = 32,
    difficulty: float = 0.5,
    label_noise: float = 0.0,
    duplicates: int = 0,
    seed: int = 0,
) -> tuple[DataSet, Truth]:
    """Draw a data set of ten colour patterns, and tell what was planted in it.

    Args:
        size: number of training images; classes are as equal as they can be.
        test_size: number of test images.
        image_size: pixels a side.
        difficulty: 0 is trivial, 1 is near chance.
        label_noise: share of the training labels that are flipped to another class.
        duplicates: planted pairs of identical images; every second pair is a training image and a
            test image, the others are two training images.
        seed: the same settings and seed draw the same bytes.
    """
    names = tuple(PATTERNS)
    # Each part has its own stream: more training images leave the test images as they are.
    train_rng, test_rng, flip_rng, copy_rng = (
        np.random.default_rng([seed, stream]) for stream in range(4)
    )
    images, labels = _draw_part(size, image_size, difficulty, train_rng)
    test_images, test_labels = _draw_part(test_size, image_size, difficulty, test_rng)
    n_leaks = duplicates // 2
    n_pairs = duplicates - n_leaks
    chosen = copy_rng.permutation(size)[: 2 * n_pairs + n_leaks]
    pairs = chosen[: 2 * n_pairs].reshape(n_pairs, 2)
    leaks = np.stack([chosen[2 * n_pairs :], copy_rng.permutation(test_size)[:n_leaks]], axis=1)
    images[pairs[:, 1]], labels[pairs[:, 1]] = images[pairs[:, 0]], labels[pairs[:, 0]]
    test_images[leaks[:, 1]], test_labels[leaks[:, 1]] = images[leaks[:, 0]], labels[leaks[:, 0]]
    given, flipped = _flip(labels, label_noise, flip_rng)
    data = DataSet(
        name="synthetic",
        source="drawn from a seed",
        train=ImageSet(images, given, names),
        test=seal_test(ImageSet(test_images, test_labels, names)),
    )
    return data, Truth(labels, flipped, pairs, leaks)


def write_synthetic(path: Path, size: int) -> Path:
    """Write the training images of a synthetic data set as an npz, without a test part."""
    train = make_synthetic(size, test_size=10)[0].train
    np.savez(path, images=train.images, labels=train.labels)
    return path


def _draw_part(
    size: int, side: int, difficulty: float, rng: np.random.Generator
) -> tuple[Images, Labels]:
    labels = rng.permutation(np.arange(size, dtype=np.int64) % len(PATTERNS))
    chunks = [labels[i : i + AT_ONCE] for i in range(0, size, AT_ONCE)]
    return np.concatenate([_draw(chunk, side, difficulty, rng) for chunk in chunks]), labels


def _draw(labels: Labels, side: int, difficulty: float, rng: np.random.Generator) -> Images:
    """Draw a pattern in two colours under uneven light, a fainter pattern of another class, noise.

    `difficulty` lowers the contrast of the pattern and raises all else.
    """
    n = len(labels)
    others = (labels + rng.integers(1, len(PATTERNS), n)) % len(PATTERNS)
    colour = rng.uniform(0.3, 0.7, (n, 3, 1, 1)).astype(np.float32)
    contrast = 0.5 * (1 - 0.93 * difficulty)
    picture = colour + contrast * _paint(labels, side, rng)
    picture += 0.45 * difficulty * contrast * _paint(others, side, rng)
    picture += (0.12 + 0.1 * difficulty) * _draw_light(n, side, rng)
    picture += (0.02 + 0.23 * difficulty) * rng.standard_normal(picture.shape, dtype=np.float32)
    pixels: Images = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return pixels


def _paint(labels: Labels, side: int, rng: np.random.Generator) -> Field:
    """Each label's pattern, from -1 to 1 along a random direction in colour space."""
    canvas = make_canvas(len(labels), side, rng)
    fields = np.empty_like(canvas.x)
    for label, pattern in enumerate(PATTERNS.values()):
        chosen = labels == label
        fields[chosen] = pattern(canvas.take(chosen))
    direction = rng.standard_normal((len(labels), 3, 1, 1)).astype(np.float32)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    painted: Field = direction * np.clip(fields * 2, -1, 1)[:, None]
    return painted


def _draw_light(n: int, side: int, rng: np.random.Generator) -> Field:
    """Smooth light and shade: a 4x4 grid of random values, interpolated."""
    grid = rng.standard_normal((n, 1, 4, 4)).astype(np.float32)
    position = np.linspace(0, 3, side, dtype=np.float32)
    weights = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(4, dtype=np.float32)))
    light: Field = weights @ grid @ weights.T
    return light


def _flip(labels: Labels, share: float, rng: np.random.Generator) -> tuple[Labels, Indices]:
    """Move a share of the labels to another class."""
    flipped = np.sort(rng.permutation(len(labels))[: round(share * len(labels))])
    noisy = labels.copy()
    noisy[flipped] += rng.integers(1, len(PATTERNS), len(flipped))
    return noisy % len(PATTERNS), flipped
