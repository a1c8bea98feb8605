"""Classes in the names of pictures."""

from __future__ import annotations

import pytest

from smallvision.data.loading.load import load_data
from smallvision.data.sources.pictures import patterns
from smallvision.errors import SettingError
from tests.unit.data.sources.test_tables import write_files

CATS = {f"cat.{i}.png": None for i in range(6)} | {f"dog.{i}.png": None for i in range(6)}
PETS = {f"Great_Dane_{i}.png": None for i in range(5)} | {f"pug_{i}.png": None for i in range(5)}

# Name -> (files, label_from, classes, counts of train, val and test, left out by reason).
LAYOUTS = {
    "dogs against cats": (CATS, r"^([a-z]+)\.", ("cat", "dog"), (10, None, 2), {}),
    "pets": (PETS, r"^(.+)_\d+", ("Great_Dane", "pug"), (8, None, 2), {}),
    "in a folder": (
        {f"images/{name}": None for name in PETS}, r"^(.+)_\d+", ("Great_Dane", "pug"),
        (8, None, 2), {},
    ),
    "in parts": (
        {f"train/{name}": None for name in CATS} | {"test/cat.9.png": None, "test/dog.9.png": None},
        r"^([a-z]+)\.", ("cat", "dog"), (12, None, 2), {},
    ),
    "pictures to predict": (
        {f"train/{name}": None for name in CATS} | {f"test1/{i}.png": None for i in range(9)},
        r"^([a-z]+)\.", ("cat", "dog"), (10, None, 2), {patterns.NO_LABEL: 9},
    ),
    "other names and other files": (
        CATS | {"7.png": None, "READ.me": "hello"}, r"^([a-z]+)\.", ("cat", "dog"),
        (10, None, 2), {patterns.NO_MATCH: 1, "no picture": 1},
    ),
    "in the path": (
        {f"{kind}-{i}/{i}.png": None for kind in ("oak", "elm") for i in range(5)},
        r"(\w+)-\d+/", ("elm", "oak"), (8, None, 2), {},
    ),
    "a group that may be empty": (
        CATS | {"9.png": None}, r"^([a-z]*)\.?", ("cat", "dog"), (10, None, 2),
        {patterns.NO_MATCH: 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_classes_in_names(name, tmp_path):
    files, label_from, classes, counts, left_out = LAYOUTS[name]
    data = load_data(write_files(tmp_path / "set", files), label_from=label_from)
    found = len(data.train), None if data.val is None else len(data.val), len(data.test)
    assert (data.train.class_names, found) == (classes, counts)
    assert {one.reason: one.count for one in data.left_out} == left_out


def test_a_pattern_that_matches_nothing(tmp_path, refuses):
    with refuses("label_from '^(z+)' matches no name of a picture, such as cat.0.png"):
        load_data(write_files(tmp_path, CATS), label_from="^(z+)")


@pytest.mark.parametrize(
    ("label_from", "words"),
    [("cat", "with one group"), ("(a)(b)", "with one group"), ("(", "no regular expression")],
)
def test_what_is_no_pattern(label_from, words, tmp_path):
    with pytest.raises(SettingError, match=words):
        load_data(write_files(tmp_path, CATS), label_from=label_from)


def test_a_folder_without_pictures(tmp_path, refuses):
    with refuses(tmp_path, "there are no images"):
        load_data(write_files(tmp_path, {"a.txt": "hello"}), label_from="(a)")
