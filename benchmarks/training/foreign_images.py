"""Images that no model of CIFAR-10 was trained on: digits, patterns, noise, classes left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

import smallvision as sv
from smallvision.data.dataset import DataSet
from smallvision.shapes import Images

Waves = npt.NDArray[np.float64]


def leave_out(data: DataSet, classes: Sequence[str]) -> tuple[DataSet, Images]:
    """A data set without some classes, and the training images of those classes.

    All of it comes from the training images: the test images of the result are a fifth of these,
    and the seal of the data set stays as it is.

    Args:
        data: the data set.
        classes: names of the classes that are left out.
    """
    train = data.train
    names = tuple(name for name in train.class_names if name not in classes)
    new = {old: names.index(name) for old, name in enumerate(train.class_names) if name in names}
    kept = np.isin(train.labels, list(new))
    labels = np.array([new[label] for label in train.labels[kept].tolist()])
    rest = sv.from_arrays(
        train.images[kept],
        labels,
        class_names=names,
        name=f"{data.name}-without-{'-'.join(classes)}",
        mirror_safe=data.mirror_safe,
    )
    return rest, train.images[~kept]


def draw_digits(count: int, side: int, rng: np.random.Generator) -> Images:
    """The first handwritten digits of scikit-learn in an order of their own, enlarged, in colour.

    Ink has one colour and paper another, drawn for each image.
    """
    images = np.asarray(sv.load_data("digits").train.images)[:, 0]
    order = rng.permutation(len(images))[:count]
    drawn = np.empty((len(order), 3, side, side), np.uint8)
    for place, number in enumerate(order):
        large = Image.fromarray(images[number]).resize((side, side), Image.Resampling.BICUBIC)
        drawn[place] = colour(np.asarray(large, np.float64) / 255, rng)
    return drawn


def draw_textures(count: int, side: int, rng: np.random.Generator) -> Images:
    """Stripes, checkerboards, rings, cells and clouds in two colours each, as many of each kind."""
    kinds = (draw_stripes, draw_checks, draw_rings, draw_cells, draw_clouds)
    drawn = [colour(kinds[number % len(kinds)](side, rng), rng) for number in range(count)]
    return np.stack(drawn)


def draw_uniform(count: int, side: int, rng: np.random.Generator) -> Images:
    """Every byte drawn by itself, all values alike."""
    return rng.integers(0, 256, (count, 3, side, side), dtype=np.uint8)


def draw_gaussian(count: int, side: int, rng: np.random.Generator) -> Images:
    """Every byte drawn by itself around grey, with a deviation of a quarter of the range."""
    return to_bytes(0.5 + 0.25 * rng.standard_normal((count, 3, side, side)))


DRAWN: Mapping[str, Callable[[int, int, np.random.Generator], Images]] = {
    "digits": draw_digits,
    "textures": draw_textures,
    "uniform noise": draw_uniform,
    "gaussian noise": draw_gaussian,
}


def colour(values: Waves, rng: np.random.Generator) -> Images:
    """Values from 0 to 1 as a mixture of two random colours, `(H, W)` to `(3, H, W)`."""
    low, high = rng.random((2, 3, 1, 1))
    return to_bytes(low + (high - low) * values)


def to_bytes(values: Waves) -> Images:
    """Fractions as bytes; what is beyond the range is cut off."""
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


def place_pixels(side: int, rng: np.random.Generator) -> tuple[Waves, Waves]:
    """Coordinates of the pixels in a grid that is turned and moved at random."""
    y, x = np.mgrid[:side, :side] - rng.random((2, 1, 1)) * side
    angle = rng.random() * np.pi
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def draw_stripes(side: int, rng: np.random.Generator) -> Waves:
    """Stripes of 2 to 8 pixels."""
    along, _ = place_pixels(side, rng)
    return np.asarray(0.5 + 0.5 * np.sin(np.pi * along / rng.uniform(2, 8)))


def draw_checks(side: int, rng: np.random.Generator) -> Waves:
    """Squares of 2 to 8 pixels."""
    along, across = place_pixels(side, rng)
    width = rng.uniform(2, 8)
    return np.asarray(0.0 + ((along // width + across // width) % 2))


def draw_rings(side: int, rng: np.random.Generator) -> Waves:
    """Rings of 2 to 8 pixels around a point of the image."""
    along, across = place_pixels(side, rng)
    return np.asarray(0.5 + 0.5 * np.sin(np.pi * np.hypot(along, across) / rng.uniform(2, 8)))


def draw_cells(side: int, rng: np.random.Generator) -> Waves:
    """Each pixel as bright as the nearest of 5 to 30 points."""
    points = rng.random((rng.integers(5, 31), 2)) * side
    pixels = np.indices((side, side)).transpose(1, 2, 0)[:, :, None]
    nearest = ((pixels - points) ** 2).sum(axis=-1).argmin(axis=-1)
    return np.asarray(rng.random(len(points))[nearest])


def draw_clouds(side: int, rng: np.random.Generator) -> Waves:
    """Noise whose amplitude falls with its frequency, as that of photographs does."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    spectrum = np.fft.fft2(rng.standard_normal((side, side))) / np.maximum(frequency, 1 / side)
    waves = np.fft.ifft2(spectrum).real
    return np.asarray((waves - waves.min()) / np.ptp(waves))
