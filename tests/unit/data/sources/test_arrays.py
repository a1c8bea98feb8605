"""Arrays in memory and in npz files."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.data.loading.load import from_arrays
from smallvision.data.sealed_test import open_sealed_test
from tests.support.sources import LABELS, PIXELS


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
    assert np.array_equal(open_sealed_test(data.test).images, PIXELS[:8])


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
    assert np.array_equal(open_sealed_test(data.test).labels, LABELS[:8])


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
        (PIXELS[:, :, :, :7], LABELS, {}, "8x7 pixels; expected 8 to 224"),
        (PIXELS.astype(str), LABELS, {}, "expected numbers"),
        ([[[1, 2], [3]]], [0], {}, "images do not form one array"),
        (PIXELS[:0], LABELS[:0], {}, "there are no images"),
        (PIXELS, LABELS[:-1], {}, "there are 40 images but 39 labels"),
        (PIXELS, LABELS * 0.5, {}, "type float64; expected (N,) whole numbers or strings"),
        (PIXELS, np.eye(4)[LABELS], {}, "argmax(axis=1)"),
        (PIXELS, LABELS - 1, {}, "run from -1; remove images without a label"),
        (PIXELS, LABELS, {"class_names": list("abc")}, "labels from 0 to 3; expected 0 to 2"),
        (PIXELS, LABELS, {"class_names": list("abca")}, "3 distinct"),
        (PIXELS, LABELS, {"class_names": ["a", "b", "c", ""]}, "a class name is empty"),
        (PIXELS, LABELS, {"class_names": ["a", "b", "c", "d" * 256]}, "beyond 255 characters"),
        (PIXELS, LABELS, {"test_labels": None}, "go together"),
        (PIXELS, LABELS, {"test_labels": LABELS[:8] + 9}, "test_labels: '9' is not among"),
        (PIXELS, LABELS, {"test_images": PIXELS[:8, :1]}, "the test images have shape (1, 8, 10)"),
        (PIXELS, LABELS * 0, {}, "there is one class"),
    ],
)
def test_says_what_is_wrong(images, labels, changes, words, refuses):
    with refuses(words):
        from_arrays(images, labels, **parts(**changes))
