"""The pictures of a part: read in one pass, those that cannot be read listed together."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import open_sealed_test
from smallvision.errors import DataError
from tests.support.sources import encode_picture, write_pictures


def spoil(root, count, part="train"):
    paths = sorted((root / part).rglob("*.png"))[:count]
    for path in paths:
        path.write_bytes(b"junk")
    return [str(path.relative_to(root)) for path in paths]


@pytest.mark.parametrize(("n", "bad", "read"), [(20, 3, True), (20, 4, False), (250, 5, True)])
def test_three_or_one_in_a_hundred_may_be_unreadable(n, bad, read, tmp_path, refuses):
    root = tmp_path / "set"
    write_pictures(root / "train", n=n)
    write_pictures(root / "test", n=3)
    names = spoil(root, bad)
    if not read:
        with refuses(f"{bad} of {2 * n} pictures cannot be read", *names, "up to 3 are left out"):
            load_data(root)
        return
    data = load_data(root)
    assert len(data.train) == 2 * n - bad
    assert [(one.reason, one.count) for one in data.left_out] == [("unreadable", bad)]
    assert data.left_out[0].example.startswith(names[0])
    (note,) = (note for note in data.notes if "Unreadable" in note)
    assert all(name in note for name in names)


def test_all_are_found_in_one_pass_and_the_first_ten_named(tmp_path):
    root = tmp_path / "set"
    write_pictures(root / "train", n=20)
    names = spoil(root, 12)
    with pytest.raises(DataError) as seen:
        load_data(root)
    said = str(seen.value)
    assert "12 of 40 pictures cannot be read" in said
    assert [name in said for name in names] == [True] * 10 + [False] * 2
    assert "; 2 more" in said


def test_the_labels_stay_with_their_pictures(tmp_path):
    root = tmp_path / "set"
    for part in ("train", "test"):
        for k, name in enumerate(("a", "b")):
            (root / part / name).mkdir(parents=True)
            for i in range(4):
                shade = np.full((8, 8), 100 * k + i, dtype=np.uint8)
                (root / part / name / f"{i}.png").write_bytes(encode_picture(shade))
    (root / "train" / "a" / "1.png").write_bytes(b"junk")
    (root / "test" / "a" / "0.png").write_bytes(b"junk")
    data = load_data(root)
    for images, shades in (
        (data.train, [0, 2, 3, 100, 101, 102, 103]),
        (open_sealed_test(data.test), [1, 2, 3, 100, 101, 102, 103]),
    ):
        assert images.images[:, 0, 0, 0].tolist() == shades
        assert images.labels.tolist() == [0] * 3 + [1] * 4


def test_a_class_without_any_readable_picture_is_refused(tmp_path, refuses):
    root = tmp_path / "set"
    write_pictures(root / "train", n=2)
    write_pictures(root / "test", n=2)
    spoil(root, 2)
    with refuses("no picture of class 'cat' can be read"):
        load_data(root)


def write_deep(root, part, peak, n=4):
    rng = np.random.default_rng(peak)
    for name in ("a", "b"):
        (root / part / name).mkdir(parents=True)
        for i in range(n):
            values = rng.integers(0, peak, (8, 8), dtype=np.uint16)
            values[0, 0] = peak
            (root / part / name / f"{i}.png").write_bytes(encode_picture(values))


@pytest.mark.parametrize("warm", [False, True])
def test_the_training_images_tell_how_deep_all_are(warm, tmp_path):
    """The darker test images are not made brighter than training images of the same values."""
    root = tmp_path / "set"
    write_deep(root, "train", 4095)
    write_deep(root, "test", 500)
    if warm:  # the depth is then known from the cache alone
        load_data(root)
    data = load_data(root)
    assert data.train.images.max() == 255
    assert data.preparation.bits == 12
    assert open_sealed_test(data.test).images.max() == 500 >> 4


def test_the_training_images_tell_the_fit_of_all(tmp_path):
    root = tmp_path / "set"
    write_pictures(root / "train", size=(200, 60))
    write_pictures(root / "test", size=(40, 40))
    data = load_data(root)
    assert data.preparation.fit == "pad"
    assert (data.sizes.distinct, data.sizes.largest) == (1, (60, 200))
    assert load_data(root, fit="crop").preparation.fit == "crop"


def test_openings_are_counted_by_the_files_at_every_size(tmp_path):
    """At another size the same photographs were counted as never opened."""
    root = write_pictures(tmp_path / "set", n=12, size=(40, 30))
    tests = [load_data(root, image_size=size).test for size in (16, 24)]
    assert tests[0].fingerprint != tests[1].fingerprint
    assert tests[0].origin == tests[1].origin
    assert load_data(root, image_size=16, seed=1).test.origin != tests[0].origin


def test_the_origin_of_a_declared_test_part_is_that_of_its_files(tmp_path):
    root = tmp_path / "set"
    write_pictures(root / "train", n=4)
    write_pictures(root / "test", n=4, size=(30, 20))
    digests = sorted(
        hashlib.sha256(path.read_bytes()).digest() for path in (root / "test").rglob("*.png")
    )
    wanted = f"sha256:{hashlib.sha256(b''.join(digests)).hexdigest()}"
    for size in (16, 16, 24):  # the second time from the cache
        assert load_data(root, image_size=size).test.origin == wanted


@pytest.mark.parametrize(
    ("ending", "kind"), [(".tif", "TIFF"), (".jfif", "JPEG"), (".JPE", "JPEG")]
)
def test_further_endings(ending, kind, tmp_path):
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(5):
            content = encode_picture(Image.new("RGB", (16, 16), (i * 40, 0, 0)), kind)
            (tmp_path / "set" / name / f"{i}{ending}").write_bytes(content)
    assert len(load_data(tmp_path / "set").train) == 8
