"""Arrays in npz files."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.data.decoding import npz_file
from smallvision.data.loading.load import load_data
from tests.support.sources import LABELS, PIXELS, plant_tree


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


TRAIN, TEST = (PIXELS, LABELS), (PIXELS[:8], LABELS[:8])
VAL = (PIXELS[8:12], LABELS[8:12])
COLUMN = LABELS[:, None]

# Name -> (arrays, counts of train, val and test).
USUAL = {
    "X and y": ({"X": PIXELS, "y": LABELS}, (32, None, 8)),
    "X_train": (
        dict(zip(("X_train", "y_train", "X_test", "y_test"), (*TRAIN, *TEST), strict=True)),
        (40, None, 8),
    ),
    "train_images, as MedMNIST has it, with labels in a column": (
        {
            **dict(zip(("train_images", "train_labels"), (PIXELS, COLUMN), strict=True)),
            **dict(zip(("val_images", "val_labels"), (VAL[0], VAL[1][:, None]), strict=True)),
            **dict(zip(("test_images", "test_labels"), (TEST[0], TEST[1][:, None]), strict=True)),
        },
        (40, 4, 8),
    ),
    "data and target": ({"data": PIXELS, "target": LABELS}, (32, None, 8)),
    "data and labels": ({"data": PIXELS, "labels": LABELS}, (32, None, 8)),
    "arrays without a name": ({"arr_0": PIXELS, "arr_1": LABELS}, (32, None, 8)),
    "valid": (
        dict(zip(("x_train", "y_train", "x_valid", "y_valid"), (*TRAIN, *VAL), strict=True)),
        (32, 4, 8),
    ),
    "training without its word": (
        dict(zip(("images", "labels", "test_images", "test_labels"), (*TRAIN, *TEST), strict=True)),
        (40, None, 8),
    ),
}


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("kind", ["npz", "a folder of npy", "one of the npy"])
def test_the_usual_names_in_both_formats(name, kind, tmp_path):
    arrays, counts = USUAL[name]
    place = tmp_path / "set"
    if kind == "npz":
        place = tmp_path / "mine.npz"
        np.savez(place, **arrays)
    else:
        place.mkdir()
        for key, array in arrays.items():
            np.save(place / f"{key}.npy", array)
        if kind == "one of the npy":
            place /= f"{next(iter(arrays))}.npy"
    data = load_data(place)
    found = len(data.train), None if data.val is None else len(data.val), len(data.test)
    assert (found, data.train.num_classes, data.left_out) == (counts, 4, ())


def test_rows_of_pixels_become_images(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (40, 784), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", data=grey, target=LABELS)
    data = load_data(tmp_path / "a.npz")
    assert data.train.shape == (1, 28, 28)
    assert data.notes[0] == "The rows of data were taken for images of 28x28 pixels."
    colour = np.random.default_rng(0).integers(0, 256, (40, 3072), dtype=np.uint8)
    np.savez(tmp_path / "b.npz", x=colour, y=LABELS)
    data = load_data(tmp_path / "b.npz")
    assert data.train.shape == (3, 32, 32)
    assert "all red pixels of an image first" in data.notes[0]


def test_arrays_in_no_part_are_counted(tmp_path):
    np.savez(tmp_path / "a.npz", images=PIXELS, data=PIXELS.reshape(40, -1), target=LABELS)
    (left,) = load_data(tmp_path / "a.npz").left_out
    assert (left.reason, left.example) == ("an array that belongs to no part", "data")


def test_names_of_classes_under_other_names(tmp_path):
    names = np.array(list("abcd"))
    np.savez(tmp_path / "a.npz", data=PIXELS, target=LABELS, target_names=names)
    assert load_data(tmp_path / "a.npz").train.class_names == tuple("abcd")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (np.array([{}] * 40), "Python objects"),
        (
            b"\x93NUMPY\1\0\x50\0{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000,)}",
            "",
        ),
        (b"hello", "cannot be read as plain arrays"),
    ],
)
def test_npy_that_cannot_be_read(content, words, tmp_path, refuses):
    np.save(tmp_path / "y.npy", LABELS)
    path = tmp_path / "x.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content, allow_pickle=True)
    with refuses(tmp_path, "cannot be read as plain arrays", words):
        load_data(tmp_path)


def test_an_npy_that_claims_more_than_it_holds(tmp_path, refuses):
    np.save(tmp_path / "y.npy", LABELS)
    np.save(tmp_path / "x.npy", PIXELS)
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(content.replace(b"(40, 3, 8, 10)", b"(99, 3, 8, 10)"))
    with refuses("x claims 23,760 bytes and holds 9,600"):
        load_data(tmp_path)


def test_a_lone_npy_without_labels(tmp_path, refuses):
    np.save(tmp_path / "images.npy", PIXELS)
    with refuses("images.npy", "'images' without its partner; expected the labels beside it"):
        load_data(tmp_path / "images.npy")


# a file for each class ---------------------------------------------------------------------------


def write_classes(root, **arrays):
    root.mkdir(parents=True, exist_ok=True)
    for name, pixels in arrays.items():
        np.save(root / f"{name}.npy", pixels)
    return root


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: pixels,
        lambda pixels: pixels.reshape(len(pixels), -1),  # as Quick, Draw! has them
        lambda pixels: pixels / 255,
        np.asfortranarray,
    ],
)
def test_a_file_for_each_class(change, tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (40, 9, 9), dtype=np.uint8)
    root = write_classes(tmp_path / "a", dog=change(grey[:25]), cat=change(grey[25:40]))
    data = load_data(root)
    assert (data.train.class_names, len(data.train) + len(data.test)) == (("cat", "dog"), 40)
    plain = load_data((np.concatenate([grey[25:40], grey[:25]]), ["cat"] * 15 + ["dog"] * 25))
    assert data.train.fingerprint == plain.train.fingerprint


def test_files_for_each_class_in_folders_of_parts(tmp_path, refuses):
    for part, n in (("train", 10), ("test", 4)):
        write_classes(tmp_path / part, cat=PIXELS[:n], dog=PIXELS[n : 2 * n])
    data = load_data(tmp_path)
    assert (len(data.train), len(data.test)) == (20, 8)
    write_classes(tmp_path / "test", cow=PIXELS[:4])
    with refuses(tmp_path, "test has a class 'cow' that train lacks"):
        load_data(tmp_path)


def test_classes_of_other_sizes_are_refused(tmp_path, refuses):
    root = write_classes(tmp_path / "a", cat=PIXELS[:10], dog=PIXELS[:10].reshape(10, -1))
    with refuses(root, "dog.npy holds", "expected images of the same size and type"):
        load_data(root)


def test_a_file_of_one_class_alone(tmp_path, refuses):
    root = write_classes(tmp_path / "a", cat=PIXELS[:10], dog=PIXELS[:10])
    with refuses(root / "cat.npy", "of .npy files that hold one class each, name the folder"):
        load_data(root / "cat.npy")


def test_arrays_beside_pictures_are_no_classes(tmp_path, own_cache):
    root = plant_tree(tmp_path / "set", "cat:5 dog:5")
    write_classes(root, features=PIXELS, ids=np.arange(10))
    data = load_data(root)
    assert data.train.class_names == ("cat", "dog")
    assert [(one.reason, one.count) for one in data.left_out] == [("no picture", 2)]
