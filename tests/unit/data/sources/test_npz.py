"""Arrays in npz files."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.data.decoding import npz_file
from smallvision.data.loading.load import load_data
from tests.support.sources import LABELS, PIXELS


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
    monkeypatch.setattr(npz_file, "BOMB_BYTES", 500)
    monkeypatch.setattr(npz_file, "BOMB_RATIO", 2)
    with refuses(place, "images unpacks to"):
        load_data(place)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"y": np.array(["a" * 201] * 40)}, "y hold 804 bytes each"),
        (
            {"y": np.zeros((40, 1001), np.int8)},
            "y have shape (40, 1001); expected one number or name",
        ),
        ({"class_names": np.arange(1001)}, "class_names holds 1,001 names"),
        ({"class_names": np.array("a")}, "class_names is no list"),
    ],
)
def test_labels_that_take_more_than_images(arrays, words, tmp_path, refuses):
    place = tmp_path / "mine.npz"
    np.savez(place, **({"x": PIXELS, "y": LABELS} | arrays))
    with refuses(place, words):
        load_data(place)
