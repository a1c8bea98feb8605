"""Parts of a source become a data set with a sealed test set."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.loading.load import from_arrays, load_data
from smallvision.data.related import find_copies
from smallvision.data.sealed_test import open_sealed_test
from tests.support.sources import LABELS, PIXELS, find_archive, write_pictures


def test_a_fifth_is_sealed_when_no_test_is_given():
    data = from_arrays(PIXELS, LABELS, name="mine", mirror_safe=False, seed=3)
    assert (len(data.train), len(data.test), data.name, data.mirror_safe) == (32, 8, "mine", False)
    again = from_arrays(PIXELS, LABELS, seed=3)
    other = from_arrays(PIXELS, LABELS, seed=4)
    assert data.test.fingerprint == again.test.fingerprint != other.test.fingerprint


def test_a_class_too_small_to_divide(refuses):
    with refuses("class '1' has 2 images", "at least 3"):
        from_arrays(PIXELS, np.array([0] * 38 + [1] * 2))


def test_what_chooses_a_model_does_not_test_it(tmp_path):
    """Half of the training images are validation images too; none of these is set aside."""
    given = {"x_train": PIXELS, "y_train": LABELS, "x_val": PIXELS[:20], "y_val": LABELS[:20]}
    np.savez(tmp_path / "set.npz", **given)
    data = load_data(tmp_path / "set.npz")
    assert not find_copies(open_sealed_test(data.test).images, data.val.images).any()
    assert len(data.train) + len(data.test) == len(PIXELS)


@pytest.fixture
def sealed_sets(tmp_path, write_parquet, write_cifar) -> list[DataSet]:
    write_pictures(tmp_path / "pets")
    write_parquet(tmp_path / "set.parquet", n=50)
    return [
        load_data("digits"),
        load_data(tmp_path / "pets"),
        load_data(tmp_path / "set.parquet"),
        load_data(write_cifar(find_archive("cifar10", "binary"))),
    ]


def test_nothing_but_the_seal_leads_to_the_test_images(sealed_sets):
    for data in sealed_sets:
        assert set(vars(data.test)) == {"size", "fingerprint", "origin"}
        assert set(vars(data)) == {field.name for field in dataclasses.fields(DataSet)}
        test = open_sealed_test(data.test)
        assert (len(test), test.fingerprint) == (data.test.size, data.test.fingerprint)
        # Taken out of a larger array, the training images must not drag the rest along.
        base = data.train.images.base
        assert base is None or base.nbytes <= data.train.images.nbytes + 128


@pytest.mark.parametrize(
    ("names", "C", "safe"),
    [
        ("0123456789", 1, False),
        ("0123456789", 3, True),  # numbers of classes without names, as of photographs
        ("ABCDE", 3, False),
        ("ab", 3, True),  # few, so that they are called so for short
        (("cat", "dog", "emu", "fox", "gnu"), 1, True),
    ],
)
def test_letters_and_digits_are_not_mirrored(names, C, safe):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(names)), 6)
    images = rng.integers(0, 256, (len(labels), C, 8, 8), dtype=np.uint8)
    data = load_data((images, labels), class_names=list(names))
    assert data.mirror_safe == safe
    assert any("--mirror" in note for note in data.notes) != safe
    told = load_data((images, labels), class_names=list(names), mirror_safe=not safe)
    assert told.mirror_safe != safe


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Cat", "cat", "dog"), "'Cat' and 'cat'. If"),
        (("T-shirt", "t shirt", "dog"), "'T-shirt' and 't shirt'. If"),
        (("1", "01", "dog"), ""),
    ],
)
def test_names_that_differ_in_capitals_alone_are_told(tmp_path, names, said):
    data = load_data(write_pictures(tmp_path / "pets", names))
    notes = [note for note in data.notes if "differ in capitals" in note]
    assert len(notes) == bool(said)
    assert said in "".join(notes)


@pytest.mark.parametrize("sided", [True, False])
def test_images_that_show_left_and_right_are_not_mirrored(sided: bool) -> None:
    images = np.zeros((120, 8, 8, 3), np.uint8)
    labels = np.arange(120) % 2
    for image, label in zip(images, labels, strict=True):
        half = image if sided else image.swapaxes(0, 1)
        half[:, 4 * label : 4 * label + 4] = 200
    images[:, 0, 0, 0] = np.arange(120)  # so that no image is there twice
    data = load_data((images, labels))
    assert data.mirror_safe != sided
    assert (
        any("100 % of the images and 0 % of their mirror" in note for note in data.notes) == sided
    )
    assert load_data((images, labels), mirror_safe=True).mirror_safe
