"""Pictures drawn from a seed: a data set whose every truth is known.

For tests, demonstrations and machines without a network. Position, size, color and lighting
vary freely within a class, so a network that ignores where pixels are does poorly and one that
looks for local patterns does well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import seal
from smallvision.data.sources.patterns import PATTERNS, Field, make_canvas
from smallvision.errors import SettingError
from smallvision.shapes import MAX_SIZE, MIN_CLASSES, MIN_SIZE, Images, Indices, Labels

AT_ONCE = 1000  # pictures drawn together; bounds memory at about 100 MB for 32x32 pixels


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of a synthetic data set because it was planted.

    Attributes:
        labels: int64 `(N,)`, the training labels before any was flipped.
        flipped: sorted indices of training images whose label is wrong.
        twins: `(P, 2)` pairs of training images with identical pixels.
        leaks: `(Q, 2)` pairs of a training and a test image with identical pixels.
    """

    labels: Labels
    flipped: Indices
    twins: Indices
    leaks: Indices


def make_synthetic(
    size: int = 2000,
    *,
    test_size: int = 500,
    num_classes: int = 10,
    image_size: int = 32,
    difficulty: float = 0.5,
    label_noise: float = 0.0,
    duplicates: int = 0,
    seed: int = 0,
) -> tuple[DataSet, Truth]:
    """Draw a data set of color patterns, and say what was planted in it.

    Args:
        size: number of training images; classes are as equal as they can be.
        test_size: number of test images.
        num_classes: the first 2 to 10 of `PATTERNS`.
        image_size: pixels a side, 8 to 96.
        difficulty: 0 is trivial, 1 is near chance.
        label_noise: share of training labels that are flipped to another class; the test set
            stays clean.
        duplicates: planted pairs of identical images; every second one is a training image
            and a test image, the others are two training images.
        seed: the same settings and seed draw the same bytes.

    Returns: the data set, its test images sealed, and the truth about its training images.

    Raises:
        SettingError: a setting is out of range.
    """
    _check_settings(size, test_size, num_classes, image_size, difficulty, label_noise, duplicates)
    names = tuple(PATTERNS)[:num_classes]
    # Streams of their own: more training images leave the test images as they are.
    train_rng, test_rng, flip_rng, twin_rng = (
        np.random.default_rng([seed, stream]) for stream in range(4)
    )
    images, labels = _draw_part(size, num_classes, image_size, difficulty, train_rng)
    test_images, test_labels = _draw_part(test_size, num_classes, image_size, difficulty, test_rng)
    twins, leaks = _plant(images, labels, test_images, test_labels, duplicates, twin_rng)
    given, flipped = _flip(labels, label_noise, num_classes, flip_rng)
    data = DataSet(
        name="synthetic",
        source="drawn from a seed",
        train=ImageSet(images, given, names),
        test=seal(ImageSet(test_images, test_labels, names)),
        notes=_describe(difficulty, flipped, twins, leaks),
    )
    return data, Truth(labels, flipped, twins, leaks)


def _check_settings(
    size: int,
    test_size: int,
    num_classes: int,
    image_size: int,
    difficulty: float,
    label_noise: float,
    duplicates: int,
) -> None:
    for name, value, low, high in (
        ("num_classes", num_classes, MIN_CLASSES, len(PATTERNS)),
        ("size", size, 3 * num_classes, 10_000_000),
        ("test_size", test_size, num_classes, 10_000_000),
        ("image_size", image_size, MIN_SIZE, MAX_SIZE),
        ("difficulty", difficulty, 0, 1),
        ("label_noise", label_noise, 0, 1),
        ("duplicates", duplicates, 0, min(size // 2, test_size)),
    ):
        if not low <= value <= high:
            raise SettingError(f"{name} is {value}; expected {low:,} to {high:,}")


def _draw_part(
    size: int, num_classes: int, side: int, difficulty: float, rng: np.random.Generator
) -> tuple[Images, Labels]:
    labels = rng.permutation(np.arange(size, dtype=np.int64) % num_classes)
    chunks = [labels[i : i + AT_ONCE] for i in range(0, size, AT_ONCE)]
    return np.concatenate([_draw(chunk, side, difficulty, rng) for chunk in chunks]), labels


def _draw(labels: Labels, side: int, difficulty: float, rng: np.random.Generator) -> Images:
    """Pattern in two colors over a cloudy light, a fainter distractor, and noise."""
    n = len(labels)
    decoys = (labels + rng.integers(1, len(PATTERNS), n)) % len(PATTERNS)
    color = rng.uniform(0.3, 0.7, (n, 3, 1, 1)).astype(np.float32)
    contrast = 0.5 * (1 - 0.93 * difficulty)
    picture = color + contrast * _paint(labels, side, rng)
    picture += 0.45 * difficulty * contrast * _paint(decoys, side, rng)
    picture += (0.12 + 0.1 * difficulty) * _clouds(n, side, rng)
    picture += (0.02 + 0.23 * difficulty) * rng.standard_normal(picture.shape, dtype=np.float32)
    pixels: Images = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return pixels


def _paint(labels: Labels, side: int, rng: np.random.Generator) -> Field:
    """Each label's pattern, from -1 to 1 along a random direction in color space."""
    canvas = make_canvas(len(labels), side, rng)
    fields = np.empty_like(canvas.x)
    for label, pattern in enumerate(PATTERNS.values()):
        chosen = labels == label
        fields[chosen] = pattern(canvas.take(chosen))
    direction = rng.standard_normal((len(labels), 3, 1, 1)).astype(np.float32)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    painted: Field = direction * np.clip(fields * 2, -1, 1)[:, None]
    return painted


def _clouds(n: int, side: int, rng: np.random.Generator) -> Field:
    """Smooth light and shade: a 4x4 grid of random values, interpolated."""
    grid = rng.standard_normal((n, 1, 4, 4)).astype(np.float32)
    position = np.linspace(0, 3, side, dtype=np.float32)
    weights = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(4, dtype=np.float32)))
    clouds: Field = weights @ grid @ weights.T
    return clouds


def _plant(
    images: Images,
    labels: Labels,
    test_images: Images,
    test_labels: Labels,
    pairs: int,
    rng: np.random.Generator,
) -> tuple[Indices, Indices]:
    """Copy training images, in place, over other training images and over test images."""
    n_leaks = pairs // 2
    n_twins = pairs - n_leaks
    chosen = rng.permutation(len(images))[: 2 * n_twins + n_leaks]
    twins = chosen[: 2 * n_twins].reshape(n_twins, 2)
    leaks = np.stack([chosen[2 * n_twins :], rng.permutation(len(test_images))[:n_leaks]], axis=1)
    images[twins[:, 1]], labels[twins[:, 1]] = images[twins[:, 0]], labels[twins[:, 0]]
    test_images[leaks[:, 1]], test_labels[leaks[:, 1]] = images[leaks[:, 0]], labels[leaks[:, 0]]
    return twins, leaks


def _flip(
    labels: Labels, share: float, num_classes: int, rng: np.random.Generator
) -> tuple[Labels, Indices]:
    """Move a share of the labels to another class."""
    flipped = np.sort(rng.permutation(len(labels))[: round(share * len(labels))])
    noisy = labels.copy()
    noisy[flipped] += rng.integers(1, num_classes, len(flipped))
    return noisy % num_classes, flipped


def _describe(
    difficulty: float, flipped: Indices, twins: Indices, leaks: Indices
) -> tuple[str, ...]:
    notes = [f"The images were drawn with difficulty {difficulty:g}."]
    if len(flipped):
        notes.append(f"{len(flipped):,} training labels were flipped on purpose.")
    if len(twins) or len(leaks):
        notes.append(
            f"{len(twins) + len(leaks):,} pairs of identical images were planted, "
            f"{len(leaks):,} of them across train and test."
        )
    return tuple(notes)
