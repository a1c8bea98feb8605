"""What names of folders tell, and how what is left out is said."""

from __future__ import annotations

import pytest

from smallvision.data.sources.source import (
    LeftOut,
    describe_left_out,
    merge_left_out,
    record_left_out,
    tell_part,
)

TRAIN = (
    *("train", "Train", "TRAIN", "training", "trainset", "train_set", "training-data", "trainval"),
    *(
        "seg_train",
        "asl_alphabet_train",
        "TrainImages",
        "images_train",
        "train2017",
        "Train_Alphabet",
    ),
)
VAL = ("val", "valid", "Validation", "validation_set", "imagenet-val", "val2017", "dev", "ValSet")
TEST = (
    "test",
    "tests",
    "Testing",
    "TEST",
    "test_set",
    "testset",
    "seg_test",
    "test1",
    "evaluation",
)
NONE = (
    *("cat", "trains", "trainer", "restrain", "contest", "latest", "valley", "value", "developer"),
    *("train_test_split", "", "10", "2test2train"),
)


@pytest.mark.parametrize(
    ("names", "part"), [(TRAIN, "train"), (VAL, "val"), (TEST, "test"), (NONE, None)]
)
def test_a_name_tells_a_part_by_its_words(names, part):
    assert {name: tell_part(name) for name in names} == dict.fromkeys(names, part)


def test_what_is_left_out_is_told_in_one_sentence():
    merged = merge_left_out(
        [
            LeftOut("no picture", 1, "a.txt"),
            LeftOut("hidden", 1, ".a"),
            LeftOut("no picture", 2, "b"),
        ]
    )
    assert describe_left_out(merged) == ("Left out: no picture (3, such as a.txt); hidden (.a).",)
    assert describe_left_out(()) == ()
    assert [(one.reason, one.count) for one in record_left_out(merged)] == [
        ("no picture", 3),
        ("hidden", 1),
    ]
