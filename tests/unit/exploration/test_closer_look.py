"""Pairs that are alike, outliers and the map of an image set."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.data.alike import pairs as alike
from smallvision.data.imageset import ImageSet
from smallvision.exploration import closer_look
from smallvision.exploration.closer_look import find_extremes, map_images, pair_images
from smallvision.exploration.implications import (
    describe_conflicts,
    describe_extremes,
    describe_map,
    describe_near,
)
from tests.support.images import make_images, make_photographs

NAMES = ("a", "b", "c")


def make_set(pixels: np.ndarray) -> ImageSet:
    return ImageSet(pixels, np.arange(len(pixels)) % 3, NAMES)


def test_identical_images_are_paired_and_those_of_two_classes_come_first() -> None:
    pixels = make_photographs(30)
    pixels[[3, 6]] = pixels[0]  # all of class a
    pixels[8] = pixels[1]  # c and b
    found, pictures = pair_images(make_set(pixels), np.arange(100, 130), mirror=True, seed=0)
    assert found.conflicts == 1
    assert [(pair.first.number, pair.second.number) for pair in found.identical] == [
        (101, 108),
        (100, 103),
    ]
    assert [pair.first.label for pair in found.identical] == [1, 0]
    assert set(pictures) == {"identical-00.png", "identical-01.png"}
    assert pictures["identical-00.png"].shape == (24, 49, 4)
    assert "1 group of identical images have more than one class" in describe_conflicts(found)


def test_near_duplicates_are_paired_and_copies_are_not_among_them() -> None:
    pixels = make_photographs(30)
    pixels[9] = pixels[0]
    pixels[4] = np.clip(pixels[0].astype(int) + 20, 0, 255)
    found, _ = pair_images(make_set(pixels), np.arange(30), mirror=True, seed=0)
    assert (found.searched, found.found, found.interval) == (30, 3, None)
    assert (found.near[0].first.number, found.near[0].second.number) == (0, 4)
    assert all({pair.first.number, pair.second.number} != {0, 9} for pair in found.near)
    said = describe_near(found, kept_together=True)
    assert said.startswith("3 images (10.0 %) look much like another without being identical")
    assert "stay on one side" in said
    assert "raise the validation accuracy" in describe_near(found, kept_together=False)


def test_of_many_images_some_are_compared_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closer_look, "MOST_COMPARED", 20)
    monkeypatch.setattr(alike, "MOST_COMPARED", 20)
    monkeypatch.setattr(closer_look, "MOST_SEARCHED", 10)
    pixels = make_photographs(40)
    pixels[20:] = np.clip(pixels[:20].astype(int) + 15, 0, 255)
    found, _ = pair_images(make_set(pixels), np.arange(40), mirror=False, seed=0)
    assert (found.searched, found.found) == (10, 10)
    assert found.interval is not None
    assert all(pair.second.number == pair.first.number + 20 for pair in found.near)
    assert "judged by 10 of them" in describe_near(found, kept_together=False)


def test_grey_images_are_not_searched_for_near_duplicates() -> None:
    found, _ = pair_images(make_images(30), np.arange(30), mirror=True, seed=0)
    assert (found.searched, found.found, found.near) == (0, 0, ())


def test_the_ends_of_brightness_and_sharpness_are_found() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(100, 140, (40, 1, 16, 16)).astype(np.uint8)
    pixels[7] = 0  # dark, and without any detail
    pixels[11] = 250
    pixels[20, 0, :, ::2] = 0
    groups, pictures = find_extremes(make_set(pixels), np.arange(40) + 5)
    assert [group.words for group in groups] == ["darkest", "brightest", "blurriest", "sharpest"]
    dark, bright, blurred, sharp = groups
    assert dark.images[0].number == 12
    assert dark.images[0].value == 0
    assert bright.images[0].number == 16
    assert {blurred.images[0].number, blurred.images[1].number} == {12, 16}
    assert sharp.images[0].number == 25
    assert [group.beyond for group in groups] == [2, 1, 2, 1]
    assert set(pictures) == {group.file for group in groups}
    assert "2 among the darkest, 1 among the brightest" in describe_extremes(groups)


def test_like_images_have_no_outliers() -> None:
    groups, _ = find_extremes(make_set(np.full((30, 3, 8, 8), 99, np.uint8)), np.arange(30))
    assert [group.beyond for group in groups] == [0, 0, 0, 0]
    assert describe_extremes(groups).startswith("No image is far")


def test_a_map_names_its_images_and_their_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closer_look, "MOST_MAPPED", 30)
    pixels = np.zeros((90, 3, 40, 40), np.uint8)
    pixels[:] = (np.arange(90) % 3 * 100)[:, None, None, None]
    pixels += np.random.default_rng(0).integers(0, 9, pixels.shape).astype(np.uint8)
    found, pictures = map_images(make_set(pixels), np.arange(90) + 1000, seed=0)
    assert len(found.images) == 30
    assert all((image.number - 1000) % 3 == image.label for image in found.images)
    assert (found.width, found.height, found.columns) == (32, 32, 30)
    assert pictures[found.file].shape == (32, 30 * 33 - 1, 4)
    assert found.same_class == 1
    assert found.chance == pytest.approx(1 / 3)
    said = describe_map(found)
    assert "of the same class for 100.0 % (by chance 33.3 %), so simple models" in said
    assert "use convolutions" in describe_map(found.model_copy(update={"same_class": 0.4}))
