"""Lists of pictures beside class folders tell the parts."""

from __future__ import annotations

import pytest

from smallvision.data.loading.load import load_data
from smallvision.errors import DataError
from tests.support.sources import write_pictures

NAMES = [f"{kind}/{i}" for kind in ("cat", "dog") for i in range(10)]


@pytest.fixture
def root(tmp_path):
    write_pictures(tmp_path / "set" / "images", n=10)
    (tmp_path / "set" / "meta").mkdir()
    return tmp_path / "set"


def write(root, name, lines):
    (root / "meta" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def count(data):
    return len(data.train), len(data.val or ()), len(data.test)


def list_left_out(data):
    return {one.reason: one.count for one in data.left_out}


def test_each_list_is_a_part_and_what_is_in_none_is_left_out(root):
    write(root, "train.txt", NAMES[:6] + NAMES[10:16])
    write(root, "test_list.txt", [f"{name}.png 1" for name in NAMES[6:9] + NAMES[16:18]])
    data = load_data(root)
    assert count(data) == (12, 0, 5)
    assert list_left_out(data)["in no list of a part"] == 3
    assert any("meta/test_list.txt and meta/train.txt tell the parts" in n for n in data.notes)


def test_the_rest_is_trained_on_where_no_list_tells_the_training_part(root):
    write(root, "testing_list.txt", NAMES[:2] + NAMES[10:12])
    write(root, "validation_list.txt", NAMES[2:3] + NAMES[12:13])
    assert count(load_data(root)) == (14, 2, 4)


def test_the_first_of_several_divisions_is_taken_and_that_is_said(root):
    for number in (10, 2):
        write(root, f"train{number}.txt", NAMES[number:10] + NAMES[12:])
        write(root, f"test{number}.txt", NAMES[:2] + NAMES[10:12])
    data = load_data(root)
    assert count(data) == (16, 0, 4)
    assert any("the first of 2 divisions" in note for note in data.notes)


def test_a_list_that_changes_divides_anew(root):
    write(root, "test.txt", NAMES[:2] + NAMES[10:12])
    assert count(load_data(root)) == (16, 0, 4)
    write(root, "test.txt", NAMES[:3] + NAMES[10:13])
    assert count(load_data(root)) == (14, 0, 6)


@pytest.mark.parametrize(
    "lines",
    [["cat", "dog"], ["how to train", "and test"], [*NAMES[:5], "a", "b"], ["0", "1"], [""]],
    ids=["classes", "words", "half", "names of several", "empty"],
)
def test_other_text_is_no_list(root, lines):
    write(root, "test.txt", lines)
    data = load_data(root)
    assert data.carved
    assert list_left_out(data) == {"no picture": 1}


def test_a_picture_in_two_lists_is_refused(root):
    write(root, "train.txt", NAMES)
    write(root, "test.txt", NAMES[:1])
    with pytest.raises(DataError, match=r"images/cat/0.png is in the lists meta/.* and meta/"):
        load_data(root)


def test_named_parts_come_before_lists(root):
    write(root, "test.txt", NAMES[:2] + NAMES[10:12])
    assert load_data(root, train=root / "images").carved
