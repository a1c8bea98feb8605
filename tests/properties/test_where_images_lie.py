"""Results do not depend on whether images lie in memory or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import smallvision as sv
from smallvision.data.channels import count_levels
from smallvision.data.dataset import DataSet
from smallvision.data.folds import make_folds
from smallvision.data.near_duplicates import match_images
from smallvision.data.related import find_copies, relate_images
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.split import make_split
from smallvision.data.storage import room
from smallvision.data.storage.stored_images import StoredImages
from smallvision.exploration.explore import explore_dataset
from smallvision.records.files import hash_file
from smallvision.runs.job import Refit, TrainingSplit
from smallvision.runs.train import run_recipe
from tests.support.images import make_images
from tests.support.runs import make_job, make_recipe, read_bits
from tests.support.sources import write_parquet, write_pictures

SMALL, LARGE = "2kB", "1.5GB"  # working sets: all images beyond 500 bytes lie in a file, or none


@contextmanager
def working_with(size: str) -> Iterator[None]:
    with TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLVISION_WORKING_SET", size)
        patch.setenv("SMALLVISION_CACHE", place)
        if size == SMALL:
            patch.setattr(room, "CHUNK_BYTES", 1000)  # a few images are read at a time
        yield


def load_both(path: Path, **options: Any) -> Iterator[tuple[DataSet, bool]]:
    """Load a data set with all images in memory; in a file, decoded now; and from the cache."""
    for size in (LARGE, SMALL):
        with working_with(size):
            for _ in range(2):
                yield sv.load_data(path, **options), size == SMALL


def sum_up(data: DataSet, stored: bool) -> dict[str, Any]:
    """Everything that is found out about images before they are trained on."""
    assert isinstance(data.train.images, StoredImages) == stored
    related = relate_images(data.train, data.groups, data.alike)
    split = make_split(data.train, val=data.val, subset=0.8, seed=3, related=related)
    test = open_sealed_test(data.test)
    assert isinstance(test.images, StoredImages) == stored
    explored = explore_dataset(data)
    folds = () if data.val is not None else make_folds(data.train, 3, related=related)
    return {
        "fingerprints": (data.train.fingerprint, data.test.fingerprint, test.fingerprint),
        "origin": data.test.origin,
        "pixels": np.asarray(data.train.images).tolist(),
        "test": np.asarray(test.images).tolist(),
        "split": (split.train.tolist(), split.val.tolist(), split.duplicates),
        "folds": [fold.val.tolist() for fold in folds],
        "related": related.numbers.tolist(),
        "levels": count_levels(data.train.images, split.train).tolist(),
        "copies": find_copies(test.images, data.train.images).tolist(),
        "figures": explored.figures,
        "closer": explored.closer,
        "pictures": {name: one.tolist() for name, one in explored.pictures.items()},
        "notes": data.notes,
    }


def assert_alike(path: Path, **options: Any) -> None:
    first, *others = [sum_up(*found) for found in load_both(path, **options)]
    for other in others:
        assert other == first


@st.composite
def arrays(draw: st.DrawFn) -> dict[str, Any]:
    """Arrays of a training part, with copies, and perhaps of the other parts, of any usual kind."""
    channels = draw(st.sampled_from([1, 3]))
    kind = draw(st.sampled_from(["uint8", "float32", "uint16", "int64"]))
    last, packed = draw(st.booleans()), draw(st.booleans())
    found: dict[str, Any] = {"packed": packed}
    for seed, part in enumerate(("train", *(p for p in ("val", "test") if draw(st.booleans())))):
        n = draw(st.integers(40, 60))
        images = make_images(n, channels=channels, seed=seed)
        pixels, labels = np.array(images.images[:]), np.array(images.labels)
        if part != "train" and draw(st.booleans()):  # copies of training images
            pixels[:9] = make_images(40, channels=channels, seed=0).images[-9:]
        copies = draw(st.lists(st.integers(0, n // 3 - 1), max_size=5))
        for i in copies:
            pixels[i] = pixels[(i + 3) % n]
        if kind == "float32":
            pixels = pixels / np.float32(255)
        elif kind == "uint16":
            pixels = pixels.astype(np.uint16) * 16
        found[f"x_{part}"] = (pixels.transpose(0, 2, 3, 1) if last else pixels).astype(kind)
        found[f"y_{part}"] = labels
    return found


@settings(max_examples=12, deadline=None)
@given(found=arrays())
def test_arrays(found: dict[str, Any]) -> None:
    packed = found.pop("packed")
    with TemporaryDirectory() as place:
        path = Path(place) / "some.npz"
        (np.savez_compressed if packed else np.savez)(path, **found)
        assert_alike(path)


def test_npy_files_and_fortran_order(tmp_path: Path) -> None:
    images = make_images(60, channels=3)
    np.save(tmp_path / "images.npy", np.asfortranarray(images.images))
    np.save(tmp_path / "labels.npy", images.labels)
    assert_alike(tmp_path)


def test_parquet(tmp_path: Path) -> None:
    for part, n in (("train-00000-of-00002", 40), ("train-00001-of-00002", 30), ("test", 20)):
        write_parquet(tmp_path / f"{part}.parquet", n=n, seed=n)
    assert_alike(tmp_path)


@pytest.mark.parametrize("options", [{}, {"image_size": 12, "fit": "pad"}])
def test_pictures_that_differ_in_size_and_colour(tmp_path: Path, options: dict[str, Any]) -> None:
    """So that what was stored is made colour, and resized, and cut to those that can be read."""
    write_pictures(tmp_path, ("a", "b"), n=20, grey=True)
    write_pictures(tmp_path / "more", ("c",), n=20)
    write_pictures(tmp_path / "more", ("d",), n=20, size=(24, 40))
    for name in ("c", "d"):
        (tmp_path / "more" / name).rename(tmp_path / name)
    (tmp_path / "more").rmdir()
    (tmp_path / "b" / "3.png").write_bytes(b"damaged")
    assert_alike(tmp_path, **options)


def test_objects_in_python() -> None:
    images = make_images(60, channels=3)
    found = []
    for size in (LARGE, SMALL):
        with working_with(size):
            data = sv.from_arrays(images.images, images.labels)
            found.append(sum_up(data, size == SMALL))
    assert found[0] == found[1]


def test_near_duplicates_are_found_in_a_file_too() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (40, 3, 24, 24), dtype=np.uint8)
    with working_with(SMALL):
        stored = StoredImages.create(pixels.shape)
        stored[:] = pixels
        queries = np.roll(pixels[5:15], 1, axis=3)
        expected = match_images(queries, [pixels[:7], pixels[7:]], mirror=True)
        some = [stored.take(np.arange(7)), stored.take(np.arange(7, 40))]
        for one, other in zip(match_images(queries, some, mirror=True), expected, strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("declared", [False, True])
def test_training_has_the_same_bits(tmp_path: Path, declared: bool) -> None:
    """A run on the training split, and a refit on all images."""
    parts = {"train": make_images(90), "test": make_images(30, seed=5)}
    if declared:
        parts["val"] = make_images(30, seed=7)
    arrays = {f"x_{part}": images.images for part, images in parts.items()}
    labels = {f"y_{part}": images.labels for part, images in parts.items()}
    np.savez(tmp_path / "it.npz", **arrays, **labels)
    recipe, bits = make_recipe(epochs=2, passes=2, sampling="balanced"), []
    for size in (LARGE, SMALL):
        with working_with(size):
            data = sv.load_data(tmp_path / "it.npz")
            assert isinstance(data.train.images, StoredImages) == (size == SMALL)
            first = make_job(data, tmp_path / size / "first")
            if declared:
                first = replace(first, split=make_split(data.train, val=data.val))
            run_recipe(recipe, first, TrainingSplit())
            again = first.at(tmp_path / size / "again")
            run_recipe(recipe, again, Refit(first.folder))
            tested = sv.evaluate(first.folder, data)
            weights = hash_file(again.folder / "model" / "model.safetensors")
            bits.append((read_bits(first.folder), weights, tested.accuracy))
            sv.explain(first.folder, data)
    assert bits[0] == bits[1]
