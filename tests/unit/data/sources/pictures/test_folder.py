"""Class folders: divided or not, mixed or even, and what is said when something is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import open_sealed_test
from tests.support.sources import encode_picture, write_pictures


def test_reads_sorted_classes_and_seals_a_fifth(tmp_path):
    data = load_data(write_pictures(tmp_path / "pets", ("dog", "cat", "emu"), n=10))
    assert data.train.class_names == ("cat", "dog", "emu")
    assert data.train.counts.tolist() == [8, 8, 8]
    assert open_sealed_test(data.test).counts.tolist() == [2, 2, 2]
    assert (data.name, data.source, data.train.shape) == ("pets", "folder of images", (3, 16, 16))
    assert data.notes == ("6 images were set aside as the test set and sealed.",)


def test_every_image_keeps_the_name_of_its_file(tmp_path, monkeypatch):
    """Through the seal, a selection and the cache."""
    place = write_pictures(tmp_path / "pets", ("dog", "cat"), n=10)
    train = load_data(place).train
    told = [train.name_file(i) for i in range(len(train))]
    assert len(set(told)) == len(train) == 16
    for name, pixels, label in zip(told, train.images, train.labels, strict=True):
        assert Path(name).parts[0] == train.class_names[label]
        decoded = np.asarray(Image.open(place / name)).transpose(2, 0, 1)
        assert np.array_equal(decoded, pixels)
    assert train.take(np.array([3, 1])).files == (told[3], told[1])
    monkeypatch.setattr("smallvision.data.sources.pictures.listing.read_pictures", None)
    assert load_data(place).train.files == train.files


def test_pixels_and_labels_match_the_files(tmp_path):
    for k, name in enumerate(("a", "b")):
        (tmp_path / "set" / "train" / name).mkdir(parents=True)
        for i in range(3):
            shade = np.full((8, 8), 100 * k + i, dtype=np.uint8)
            (tmp_path / "set" / "train" / name / f"{i}.png").write_bytes(encode_picture(shade))
    train = load_data(tmp_path / "set", seed=1).train
    assert all(pixels[0, 0, 0] // 100 == label for pixels, label in zip(*_pair(train), strict=True))
    assert train.shape == (1, 8, 8)


def _pair(images):
    return images.images, images.labels


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Validation"])
def test_reads_declared_parts(val, tmp_path):
    root = tmp_path / "pets"
    for i, part in enumerate(("train", val, "test")):
        write_pictures(root / part, n=4 + i)
    data = load_data(root)
    assert (len(data.train), len(data.val), len(data.test)) == (8, 10, 12)
    assert data.notes == ()


def test_val_alone_leaves_the_test_to_be_carved(tmp_path):
    for part in ("train", "val"):
        write_pictures(tmp_path / "pets" / part, n=5)
    data = load_data(tmp_path / "pets")
    assert (len(data.train), len(data.val), len(data.test)) == (8, 10, 2)


def test_train_may_be_a_class_of_trains(tmp_path):
    data = load_data(write_pictures(tmp_path / "toys", ("car", "train")))
    assert data.train.class_names == ("car", "train")


def test_the_test_images_do_not_decide_the_shape(tmp_path):
    write_pictures(tmp_path / "set" / "train", size=(12, 12), grey=True)
    write_pictures(tmp_path / "set" / "test", size=(40, 30))
    data = load_data(tmp_path / "set")
    assert data.train.shape == open_sealed_test(data.test).shape == (1, 12, 12)
    assert data.notes == (
        "10 of 10 images were resized and cropped to 12x12 pixels, which cut 25 % of their pixels "
        "away.",
        "10 of 10 colour images were made grey, like the rest.",
    )


def test_image_size_resizes(tmp_path):
    data = load_data(write_pictures(tmp_path / "pets"), image_size=24)
    assert data.train.shape == (3, 24, 24)


def test_hidden_and_other_files_are_ignored(tmp_path):
    root = write_pictures(tmp_path / "pets")
    (root / ".git").mkdir()
    (root / "README.md").write_text("pets")
    (root / "cat" / ".hidden.png").write_bytes(b"junk")
    (root / "cat" / "Thumbs.db").write_bytes(b"junk")
    (root / "cat" / ".cache").mkdir()
    (root / "cat" / ".cache" / "x.png").write_bytes(b"junk")
    assert len(load_data(root).train) == 8


def test_a_circle_of_links_ends(tmp_path):
    root = write_pictures(tmp_path / "pets")
    (root / "cat" / "circle").symlink_to(root)
    assert len(load_data(root).train) == 8


def test_identical_pictures_stay_on_one_side(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(20):
            content = encode_picture(rng.integers(0, 256, (8, 8), dtype=np.uint8))
            for copy in range(1 + (i < 5)):
                (tmp_path / "set" / name / f"{i}-{copy}.png").write_bytes(content)
    for seed in range(3):
        data = load_data(tmp_path / "set", seed=seed)
        train, test = ({pixels.tobytes() for pixels in images} for images in _both(data))
        assert not train & test


def _both(data):
    return data.train.images, open_sealed_test(data.test).images


def break_image(root):
    (root / "cat" / "2.png").write_bytes(b"not a picture")
    return "cat/2.png is no PNG", "replace or remove it"


def empty_image(root):
    (root / "cat" / "2.png").write_bytes(b"")
    return "cat/2.png is empty (0 bytes)", "replace or remove it"


def cut_image(root):
    path = root / "dog" / "1.png"
    path.write_bytes(path.read_bytes()[:-40])
    return "dog/1.png cannot be read", "replace or remove it"


def dangling_link(root):
    (root / "cat" / "9.png").symlink_to(root / "nowhere.png")
    return "cat/9.png cannot be read", "replace or remove it"


def empty_class(root):
    (root / "emu").mkdir()
    return "class folder 'emu' of train holds no images", "add some or remove it"


def single_image(root):
    for i in range(1, 5):
        (root / "dog" / f"{i}.png").unlink()
    return "class 'dog' has one image", "add more or remove the folder"


def two_images(root):
    for i in range(2, 5):
        (root / "dog" / f"{i}.png").unlink()
    return "class 'dog' has 2 images", "at least 3"


def single_class(root):
    for path in (root / "dog").iterdir():
        path.unlink()
    (root / "dog").rmdir()
    return "one class folder ('cat')", "expected at least two"


@pytest.mark.parametrize(
    "damage",
    [
        *(empty_class, single_image, two_images, single_class),
    ],
)
def test_says_what_is_wrong_and_what_to_do(damage, tmp_path, refuses):
    root = write_pictures(tmp_path / "pets")
    words = damage(root)
    with refuses(root, *words):
        load_data(root)


DAMAGES = [break_image, empty_image, cut_image, dangling_link]


@pytest.mark.parametrize("damage", DAMAGES)
def test_strict_refuses_an_unreadable_picture(damage, tmp_path, refuses):
    root = write_pictures(tmp_path / "pets")
    words = damage(root)
    with refuses(root, *words):
        load_data(root, strict=True)


@pytest.mark.parametrize("damage", DAMAGES)
def test_one_unreadable_picture_stops_nobody(damage, tmp_path):
    """Elsewhere training ends, without the file's name (lucidrains/lightweight-gan 109)."""
    root = write_pictures(tmp_path / "pets", n=6)
    words, _ = damage(root)
    data = load_data(root)
    (left,) = data.left_out
    assert (left.reason, left.count) == ("unreadable", 1)
    assert left.example.startswith(words)
    present = sum(1 for path in root.rglob("*.png"))
    assert len(data.train) + len(data.test) == present - 1


def test_a_folder_without_images(tmp_path, refuses):
    (tmp_path / "empty").mkdir()
    with refuses("empty", "there are no images", "one folder per class"):
        load_data(tmp_path / "empty")


def test_loose_images(tmp_path, refuses):
    root = write_pictures(tmp_path / "pets")
    with refuses("images lie loose", "one folder per class"):
        load_data(root / "cat")


def test_a_test_folder_without_train(tmp_path, refuses):
    write_pictures(tmp_path / "pets" / "test")
    with refuses("there is test/ but no train/"):
        load_data(tmp_path / "pets")


def test_a_class_that_was_never_learned(tmp_path, refuses):
    write_pictures(tmp_path / "pets" / "train")
    write_pictures(tmp_path / "pets" / "test", ("cat", "dog", "emu"))
    with refuses("test has a class 'emu' that train lacks"):
        load_data(tmp_path / "pets")


def test_two_validation_folders(tmp_path, refuses):
    for part in ("train", "val", "valid"):
        write_pictures(tmp_path / "pets" / part)
    with refuses("both val"):
        load_data(tmp_path / "pets")


def test_an_unreadable_file(tmp_path, refuses, monkeypatch):
    root = write_pictures(tmp_path / "pets")

    def deny(*_, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", deny)
    with refuses("cat/0.png cannot be read (Permission denied)"):
        load_data(root)
