"""Arrays in memory and in npz files."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.data.loading.from_arrays import from_arrays
from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import break_seal
from smallvision.data.split import find_copies, make_split
from smallvision.exploration.explore import explore_images
from smallvision.records import files

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, 3, 8, 10), dtype=np.uint8)
LABELS = np.arange(40) % 4


def parts(**changed):
    given = {"test_images": PIXELS[:8], "test_labels": LABELS[:8]}
    return {**given, **changed}


@pytest.mark.parametrize(
    ("images", "shape"),
    [
        (PIXELS, (3, 8, 10)),
        (PIXELS.transpose(0, 2, 3, 1), (3, 8, 10)),
        (PIXELS[:, 0], (1, 8, 10)),
        (PIXELS[:, :1], (1, 8, 10)),
        (PIXELS[:, 0, :, :, None], (1, 8, 10)),
        (PIXELS.astype(np.int64), (3, 8, 10)),
        (PIXELS.tolist(), (3, 8, 10)),
    ],
)
def test_any_usual_layout(images, shape):
    data = from_arrays(images, LABELS, test_images=images, test_labels=LABELS)
    assert data.train.shape == shape
    assert np.array_equal(data.train.images, PIXELS[:, : shape[0]])
    assert data.train.images.flags.c_contiguous
    assert data.notes == ()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_fractions_become_whole_numbers(kind):
    levels = (PIXELS / 255).astype(kind)
    data = from_arrays(levels, LABELS, **parts())
    assert np.abs(data.train.images.astype(int) - PIXELS).max() <= (kind is np.float16)
    assert data.notes[0].startswith("The images were fractions from 0 to 1")


def test_the_caller_s_arrays_stay_theirs():
    images, labels = PIXELS.copy(), LABELS.copy()
    test_images = PIXELS[:8].copy()
    data = from_arrays(images, labels, **parts(test_images=test_images))
    images[:] = 0
    labels[:] = 0
    test_images[:] = 0
    assert np.array_equal(data.train.images, PIXELS)
    assert np.array_equal(data.train.labels, LABELS)
    assert np.array_equal(break_seal(data.test).images, PIXELS[:8])


@pytest.mark.parametrize(
    ("labels", "class_names", "names"),
    [
        (LABELS, None, tuple("0123")),
        (LABELS.astype(np.uint8), list("abcd"), tuple("abcd")),
        (LABELS[:, None], list("abcd"), tuple("abcd")),
        (LABELS * 10 + 5, None, ("5", "15", "25", "35")),
        (np.array(["ant", "bee", "cat", "dog"])[LABELS], None, ("ant", "bee", "cat", "dog")),
        (np.array(["a", "b", "c", "d"], object)[LABELS], None, tuple("abcd")),
        (np.array(["d", "c", "b", "a"])[LABELS], list("dcba"), tuple("dcba")),
    ],
)
def test_any_kind_of_label(labels, class_names, names):
    data = from_arrays(
        PIXELS, labels, class_names=class_names, test_images=PIXELS[:8], test_labels=labels[:8]
    )
    assert data.train.class_names == names
    assert np.array_equal(data.train.labels, LABELS)
    assert np.array_equal(break_seal(data.test).labels, LABELS[:8])


def test_a_fifth_is_sealed_when_no_test_is_given():
    data = from_arrays(PIXELS, LABELS, name="mine", mirror_safe=False, seed=3)
    assert (len(data.train), len(data.test), data.name, data.mirror_safe) == (32, 8, "mine", False)
    again = from_arrays(PIXELS, LABELS, seed=3)
    other = from_arrays(PIXELS, LABELS, seed=4)
    assert data.test.fingerprint == again.test.fingerprint != other.test.fingerprint


WITH_NAN = PIXELS / 255
WITH_NAN[3, 0, 0, 0] = np.nan


@pytest.mark.parametrize(
    ("images", "labels", "changes", "words"),
    [
        (WITH_NAN, LABELS, {}, "images hold NaN"),
        (PIXELS * 1.0, LABELS, {}, "images run from 0 to 255; expected fractions"),
        (PIXELS.astype(int) - 1, LABELS, {}, "images run from -1"),
        (PIXELS.astype(int) + 1, LABELS, {}, "to 256"),
        (PIXELS[0], LABELS, {}, "40 labels"),
        (PIXELS[:, :2], LABELS, {}, "images have shape (40, 2, 8, 10)"),
        (PIXELS[:, :, :, :7], LABELS, {}, "8x7 pixels; expected 8 to 96"),
        (PIXELS.astype(str), LABELS, {}, "expected numbers"),
        ([[[1, 2], [3]]], [0], {}, "images do not form one array"),
        (PIXELS[:0], LABELS[:0], {}, "there are no images"),
        (PIXELS, LABELS[:-1], {}, "there are 40 images but 39 labels"),
        (PIXELS, LABELS * 0.5, {}, "type float64; expected (N,) whole numbers or strings"),
        (PIXELS, np.eye(4)[LABELS], {}, "argmax(axis=1)"),
        (PIXELS, LABELS - 1, {}, "run from -1; remove images without a label"),
        (PIXELS, LABELS, {"class_names": list("abc")}, "labels from 0 to 3; expected 0 to 2"),
        (PIXELS, LABELS, {"class_names": list("abca")}, "3 distinct"),
        (PIXELS, LABELS, {"test_labels": None}, "go together"),
        (PIXELS, LABELS, {"test_labels": LABELS[:8] + 9}, "test_labels: '9' is not among"),
        (PIXELS, LABELS, {"test_images": PIXELS[:8, :1]}, "the test images have shape (1, 8, 10)"),
        (PIXELS, LABELS * 0, {}, "there is one class"),
    ],
)
def test_says_what_is_wrong(images, labels, changes, words, refuses):
    with refuses(words):
        from_arrays(images, labels, **parts(**changes))


def test_a_class_too_small_to_divide(refuses):
    with refuses("class '1' has 2 images", "at least 3"):
        from_arrays(PIXELS, np.array([0] * 38 + [1] * 2))


@pytest.mark.parametrize("keys", [("images", "labels"), ("x", "y"), ("x_train", "y_train")])
def test_npz_under_any_usual_name(keys, tmp_path):
    place = tmp_path / "mine.npz"
    np.savez(place, **dict(zip(keys, (PIXELS, LABELS), strict=True)))
    data = load_data(place)
    assert (len(data.train), len(data.test), data.name) == (32, 8, "mine")


def test_npz_with_all_parts_and_names(tmp_path):
    arrays = {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:8], "y_test": LABELS[:8]}
    arrays |= {"x_val": PIXELS[8:12] / 255, "y_val": LABELS[8:12], "class_names": list("abcd")}
    np.savez_compressed(tmp_path / "mine.npz", **arrays)
    data = load_data(tmp_path / "mine.npz")
    assert (len(data.train), len(data.val), len(data.test)) == (40, 4, 8)
    assert data.train.class_names == data.val.class_names == tuple("abcd")
    assert data.notes[0].startswith("The x_val were fractions")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"pictures": PIXELS}, "it holds pictures; expected images and labels"),
        ({"images": PIXELS}, "it holds 'images' without its partner"),
        ({"x": PIXELS, "y": LABELS[:5]}, "there are 40 x but 5 y"),
        ({"x": PIXELS, "y": np.array([{}] * 40)}, "cannot be read as plain arrays"),
        ({"x": np.array([PIXELS, None], object), "y": LABELS}, "cannot be read as plain arrays"),
    ],
)
def test_npz_with_the_wrong_content(arrays, words, tmp_path, refuses):
    place = tmp_path / "mine.npz"
    np.savez(place, **arrays)
    with refuses(place, words):
        load_data(place)


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "text"])
def test_npz_that_is_damaged(damage, tmp_path, refuses):
    place = tmp_path / "mine.npz"
    np.savez(place, images=PIXELS, labels=LABELS)
    content = bytearray(place.read_bytes())
    content[5000] ^= 1
    place.write_bytes(
        {"empty": b"", "cut": content[:6000], "flipped": content, "text": b"hello"}[damage]
    )
    with refuses(place, "cannot be read as plain arrays", "make it again"):
        load_data(place)


def test_npz_that_claims_terabytes(tmp_path, monkeypatch, refuses):
    place = tmp_path / "mine.npz"
    np.savez_compressed(place, images=np.zeros_like(PIXELS), labels=LABELS)
    monkeypatch.setattr(files, "BOMB_BYTES", 500)
    monkeypatch.setattr(files, "BOMB_RATIO", 2)
    with refuses(place, "images.npy unpacks to"):
        load_data(place)


def write_npz(place, **arrays):
    np.savez(place / "set.npz", **arrays)
    return place / "set.npz"


def test_what_chooses_a_model_does_not_test_it(tmp_path):
    """Half of the training images are validation images too; none of these is set aside."""
    given = {"x_train": PIXELS, "y_train": LABELS, "x_val": PIXELS[:20], "y_val": LABELS[:20]}
    data = load_data(write_npz(tmp_path, **given))
    assert not find_copies(break_seal(data.test).images, data.val.images).any()
    assert len(data.train) + len(data.test) == len(PIXELS)


def test_a_class_without_training_images_is_explored_too(tmp_path):
    """Where validation images are declared, nothing needs to be divided."""
    rest = np.flatnonzero(LABELS != 3)
    given = {"x_train": PIXELS[rest], "y_train": LABELS[rest], "class_names": list("abcd")}
    for part in ("val", "test"):
        given |= {f"x_{part}": PIXELS[:8], f"y_{part}": LABELS[:8]}
    data = load_data(write_npz(tmp_path, **given))
    split = make_split(data.train, val=data.val)
    record = explore_images(data.train.take(split.train), mirror_safe=True, num_val=8).record
    assert record["counts"][3] == 0
    assert len(record["pictures"]["classes"]) == 4
