"""Figures of images, and the sentences that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.data.decoding.resize import OriginalSizes
from smallvision.data.imageset import ImageSet
from smallvision.exploration.figures import compare_shares, measure_images
from smallvision.exploration.pixels import PixelRows
from smallvision.records.schema import ExplorationFigures
from smallvision.stats.intervals import wilson_interval
from tests.support.images import make_images


def measure(images: ImageSet, **changes: object) -> ExplorationFigures:
    return measure_images(images, **{"mirror_safe": True, "num_val": None, **changes})


def test_channels_are_measured_as_fractions() -> None:
    pixels = np.zeros((4, 3, 8, 8), np.uint8)
    pixels[:, 1] = 255
    pixels[:2, 2] = 255
    figures = measure(ImageSet(pixels, np.arange(4) % 2, ("a", "b")))
    assert [channel.name for channel in figures.channels] == ["red", "green", "blue"]
    assert [channel.mean for channel in figures.channels] == [0, 1, 0.5]
    assert figures.channels[2].std == pytest.approx(0.5)
    for channel in figures.channels:
        assert len(channel.histogram) == 64
        assert sum(channel.histogram) == pytest.approx(1)
    assert figures.channels[1].histogram[-1] == 1


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((8, 12), "At 12 × 8 pixels a few 3 × 3"), ((64, 96), "96 × 64 pixels are many")],
)
def test_the_size_is_told_as_width_by_height(shape, wanted) -> None:
    pixels = np.zeros((4, 1, *shape), np.uint8)
    figures = measure(ImageSet(pixels, np.arange(4) % 2, ("a", "b")))
    assert any(line.startswith(wanted) for line in figures.implications)


def test_original_sizes_are_told() -> None:
    sizes = OriginalSizes(13, (20, 30), (1200, 900), (4000, 3000))
    figures = measure(make_images(30), original=sizes)
    assert figures.sizes is not None
    assert figures.sizes.largest == (4000, 3000)
    wanted = "The pictures had 13 sizes, from 20 × 30 to 4,000 × 3,000 pixels, 1,200 × 900 in"
    assert any(wanted in line for line in figures.implications)
    assert measure(make_images(30)).sizes is None


def test_copies_are_counted_by_group_and_by_image() -> None:
    images = make_images(30)
    pixels = images.images.copy()
    pixels[[3, 6]] = pixels[0]
    pixels[9] = pixels[12]
    figures = measure(ImageSet(pixels, images.labels, images.class_names))
    assert (figures.duplicates.groups, figures.duplicates.images) == (2, 5)
    assert any("5 training images have an identical copy" in line for line in figures.implications)
    assert not any("identical copy" in line for line in measure(images).implications)


def test_an_imbalance_is_told() -> None:
    images = make_images(60)
    assert measure(images).imbalance == 1
    assert "balanced" in measure(images).implications[0]
    others = np.flatnonzero(images.labels)
    few = images.take(np.r_[np.flatnonzero(images.labels == 0)[:5], others])
    assert measure(few).imbalance == 4
    assert "4.0 times" in measure(few).implications[0]
    assert "No training image is of class class 0" in measure(images.take(others)).implications[0]


@pytest.mark.parametrize(
    ("changes", "words", "absent"),
    [
        ({"mirror_safe": True}, "--no-mirror", "flips are left out"),
        ({"mirror_safe": False}, "flips are left out", "--no-mirror"),
        ({"num_val": 1000}, "With 1,000 validation images", None),
        ({"num_val": None}, "images a class", "validation images"),
    ],
)
def test_what_follows(changes: dict[str, object], words: str, absent: str | None) -> None:
    said = " ".join(measure(make_images(30), **changes).implications)
    assert words in said
    assert absent is None or absent not in said


@pytest.mark.parametrize(("small", "advised"), [(10, False), (7, False), (6, True), (2, True)])
def test_figures_by_class_are_advised_beyond_three_to_one(small: int, advised: bool) -> None:
    images = make_images(60)
    members = [np.flatnonzero(images.labels == k)[: small if k == 0 else 20] for k in range(3)]
    said = measure(images.take(np.concatenate(members))).implications[0]
    assert ("--metric" in said) is advised
    assert ("class_weights=balanced" in said) is advised
    assert f"{20 / small:.1f} times" in said


def test_what_average_images_tell_apart_is_measured() -> None:
    pixels = np.random.default_rng(0).integers(0, 20, (40, 1, 8, 8)).astype(np.uint8)
    labels = np.repeat([0, 1, 2], [20, 19, 1])
    pixels[labels == 0] += 200
    figures = measure(ImageSet(pixels, labels, ("bright", "dark", "lone", "none")))
    assert figures.averages is not None
    bright, dark, lone, none = figures.averages.classes
    assert (bright.n, bright.hits, bright.taken_for) == (20, 20, None)
    assert dark.hits == 19
    assert (lone.n, lone.hits, lone.taken_for) == (1, 0, 1)
    assert (none.n, none.hits, none.taken_for, none.recall) == (0, 0, None, 0)
    assert figures.averages.balanced_accuracy == pytest.approx(2 / 3)
    said = next(line for line in figures.implications if "average image" in line)
    assert "right for 66.7 % of the images, averaged over the classes (guessing: 33.3 %)" in said
    assert "Best told by its average is bright: 100.0 % of its images are nearest to it, " in said
    assert "and 0.0 % of the others." in said
    assert "Not recognisable by an average: lone" in said
    assert [figures.averages.tells(one) for one in figures.averages.classes] == [
        True, True, False, False,
    ]  # fmt: skip
    # An average may be the nearest one for few of its images, and for still fewer of the others.
    rare = bright.change(interval=(0.1, 0.2), hits=3)
    assert not figures.averages.tells(rare)
    assert (bright.others, dark.others, none.p) == (0, 1 / 21, None)
    assert bright.interval == wilson_interval(20, 20)


def test_an_average_that_is_near_to_everything_tells_nothing() -> None:
    """All images are nearest to the first average: all of its own, and all of the others."""
    counts = np.array([[50, 0], [50, 0]])
    assert compare_shares(counts, np.array([0, 1])) == [1, 1]


def test_false_alarms_of_averages_are_rare() -> None:
    """Nearest averages that have nothing to do with the class alarm in at most 1 of 20 sets."""
    rng = np.random.default_rng(3)
    labels = np.arange(200) % 5
    alarms = 0
    for _ in range(200):
        counts = np.zeros((5, 5), dtype=np.int64)
        np.add.at(counts, (labels, rng.integers(0, 5, 200)), 1)
        alarms += min(compare_shares(counts, np.arange(5))) < 0.05
    assert 0 < alarms <= 20


def test_large_images_are_reduced_before_they_are_compared() -> None:
    pixels = np.zeros((3, 1, 64, 96), np.uint8)
    pixels[:, :, :32] = 100
    rows = PixelRows(pixels)[:]
    assert rows.shape == (3, 32 * 32)
    assert (rows[0].reshape(32, 32) == np.repeat([100, 0], 16)[:, None]).all()
    small = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    assert (PixelRows(small)[:] == np.arange(64)).all()
