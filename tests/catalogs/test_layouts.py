"""The folders of pictures that people have: what each loads as, or why it is refused.

Where a case is one that people met elsewhere, the comment names the repository and the number.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from smallvision.data.loading.load import load_data
from smallvision.errors import DataError, SettingError
from tests.support.sources import plant_tree

BOTH = "train/cat:4 train/dog:4"
INNERMOST, PAIRS = "([^/]+)/[^/]+$", "([^/]+/[^/]+)/[^/]+$"  # as messages tell to type them


@dataclass(frozen=True)
class Loaded:
    """A folder that loads.

    Attributes:
        tree: what lies in it; see `plant_tree`.
        classes: the classes in order.
        parts: pictures in the training part and, where they are declared, in the others.
        left_out: counts by reason.
        note: words of a note.
        options: of `load_data`; `DIR` stands for the folder.
        inside: the folder to name, below the planted one.
    """

    tree: str
    classes: str
    parts: dict[str, int]
    left_out: dict[str, int] = field(default_factory=dict)
    note: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    inside: str = "."


@dataclass(frozen=True)
class Refused:
    """A folder that is refused, and words of the one line that says so."""

    tree: str
    words: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


TRAIN, VAL, TEST = "train", "val", "test"
LOOSE = "loose, outside of the class folders"

LOADED = {
    "class folders": Loaded("cat:5 dog:5", "cat dog", {TRAIN: 10}),
    "parts": Loaded(
        f"{BOTH} val/cat:1 val/dog:1 test/cat:2 test/dog:2",
        "cat dog",
        {TRAIN: 8, VAL: 2, TEST: 4},
    ),
    "parts in upper case": Loaded(
        "TRAIN/a:4 TRAIN/b:4 TEST/a:1 TEST/b:1", "a b", {TRAIN: 8, TEST: 2}
    ),
    # The names of Kaggle's cats and dogs for beginners.
    "training_set and test_set": Loaded(
        "training_set/cats:4 training_set/dogs:4 test_set/cats:2 test_set/dogs:2",
        "cats dogs",
        {TRAIN: 8, TEST: 4},
        note=f"test_set{os.sep} is read as the test part",
    ),
    "Training and Testing": Loaded(
        "Training/a:4 Training/b:4 Testing/a:1 Testing/b:1", "a b", {TRAIN: 8, TEST: 2}
    ),
    # The names of Food-11.
    "training, validation and evaluation": Loaded(
        "training/a:4 training/b:4 validation/a:1 validation/b:1 evaluation/a:2 evaluation/b:2",
        "a b",
        {TRAIN: 8, VAL: 2, TEST: 4},
    ),
    # The names of Intel's scenes: parts a folder deeper, and pictures to predict.
    "seg_train/seg_train, seg_test/seg_test and seg_pred/seg_pred": Loaded(
        "seg_train/seg_train/sea:4 seg_train/seg_train/street:4 "
        "seg_test/seg_test/sea:1 seg_test/seg_test/street:1 seg_pred/seg_pred:3",
        "sea street",
        {TRAIN: 8, TEST: 2},
        {"without a label": 3},
    ),
    # The names of the sign language alphabet: the test pictures have no class folders.
    "a test part without class folders": Loaded(
        "asl_train/asl_train/A:5 asl_train/asl_train/B:5 asl_test/asl_test/A_test.png",
        "A B",
        {TRAIN: 10},
        {"without a label": 1},
        note="Left out: without a label (asl_test/asl_test/A_test.png).",
    ),
    "trainset and testset": Loaded(
        "trainset/a:4 trainset/b:4 testset/a:1 testset/b:1", "a b", {TRAIN: 8, TEST: 2}
    ),
    "camel case and years": Loaded(
        "TrainImages/a:4 TrainImages/b:4 val2017/a:1 val2017/b:1", "a b", {TRAIN: 8, VAL: 2}
    ),
    # huggingface/datasets 4839: `val` beside `train`.
    "dev": Loaded(f"{BOTH} dev/cat:1 dev/dog:1", "cat dog", {TRAIN: 8, VAL: 2}),
    "parts in a lone folder": Loaded(
        f"archive/{BOTH.replace(' ', ' archive/')} archive/test/cat:1 archive/test/dog:1",
        "cat dog",
        {TRAIN: 8, TEST: 2},
    ),
    "parts inside of the class folders": Loaded(
        "cat/train:4 cat/test:1 dog/train:4 dog/test:2",
        "cat dog",
        {TRAIN: 8, TEST: 3},
        note="inside of the class folders",
    ),
    # Keras wants a folder around pictures to predict, whatever its name.
    "a test part with one folder of no class": Loaded(
        f"{BOTH} test/unknown:3", "cat dog", {TRAIN: 8}, {"without a label": 3}
    ),
    "a class called train": Loaded("bus:4 car:4 train:4", "bus car train", {TRAIN: 12}),
    "a class called train with a folder in it": Loaded(
        "bus:4 train/images:4", "bus train", {TRAIN: 8}
    ),
    # huggingface/datasets 5021: a word for a part in a name is not yet a part.
    "classes with words for parts": Loaded(
        "beaker:4 flask:4 test_tube:4", "beaker flask test_tube", {TRAIN: 12}
    ),
    # pytorch/vision 714.
    "numbers as classes": Loaded("1:3 2:3 10:3 21:3", "1 2 10 21", {TRAIN: 12}),
    "names with numbers": Loaded("c10:3 c9:3 c100:3", "c9 c10 c100", {TRAIN: 9}),
    "the training part alone": Loaded(
        f"{BOTH} test/cat:1 test/dog:1",
        "cat dog",
        {TRAIN: 8},
        note=f"test{os.sep} lies beside train{os.sep} and is not used",
        inside="train",
    ),
    "class folders in a lone folder": Loaded(
        "README.md src/model.py Dataset/cat:5 Dataset/dog:5",
        "cat dog",
        {TRAIN: 10},
        {"no picture": 2},
        note=f"The pictures are those in Dataset{os.sep}.",
    ),
    "class folders in two lone folders": Loaded(
        "a/b/cat:5 a/b/dog:5", "cat dog", {TRAIN: 10}, note=f"those in a{os.sep}b{os.sep}."
    ),
    # Tiny-ImageNet keeps the pictures of a class in a folder of their own.
    "pictures one folder deeper": Loaded(
        "train/n01/images:4 train/n01/boxes.txt train/n02/images:4 "
        "val/n01/images:1 val/n02/images:1",
        "n01 n02",
        {TRAIN: 8, VAL: 2},
        {"no picture": 1},
    ),
    "pictures at two depths": Loaded("cat:3 cat/more:2 dog:5", "cat dog", {TRAIN: 10}),
    # pytorch/vision 4925.
    "an empty folder beside the parts": Loaded(
        f"{BOTH} test/cat:1 test/dog:1 LICENSE.md logs/",
        "cat dog",
        {TRAIN: 8, TEST: 2},
        {"no picture": 1, "an empty folder": 1},
    ),
    # pytorch/vision 8297.
    "an empty class folder in the test part": Loaded(
        f"{BOTH} test/cat:2 test/dog/", "cat dog", {TRAIN: 8, TEST: 2}, {"an empty folder": 1}
    ),
    "an empty validation part": Loaded(
        f"{BOTH} val/cat/ val/dog/", "cat dog", {TRAIN: 8}, {"an empty folder": 2}
    ),
    "a test part with one of the classes": Loaded(
        f"{BOTH} test/cat:2", "cat dog", {TRAIN: 8, TEST: 2}
    ),
    # fastai/fastai 1552 and keras-team/keras 14042: what is no class was counted as one.
    "what macOS, Python and Jupyter leave behind": Loaded(
        "cat:5 dog:5 __MACOSX/cat/._0.png __pycache__/x.pyc .ipynb_checkpoints/ cat/.DS_Store",
        "cat dog",
        {TRAIN: 10},
    ),
    "hidden pictures": Loaded(
        "cat:5 dog:5 .thumbs/cat/0.png cat/.0.png", "cat dog", {TRAIN: 10}, {"hidden": 2}
    ),
    "loose pictures beside class folders": Loaded(
        "cat:5 dog:5 x.png y.png", "cat dog", {TRAIN: 10}, {LOOSE: 2}, note="such as x.png"
    ),
    "loose pictures in a part": Loaded(f"{BOTH} train/x.png", "cat dog", {TRAIN: 8}, {LOOSE: 1}),
    "files with other suffixes": Loaded(
        "cat:5 cat/0.xml dog:5 dog/1.xml labels.csv annotations/a.xml",
        "cat dog",
        {TRAIN: 10},
        {"no picture": 4},
    ),
    "a link out of the tree": Loaded(
        "in/cat:5 in/dog>out out:5", "cat dog", {TRAIN: 10}, inside="in"
    ),
    "a link back into the tree": Loaded(
        "cat:5 dog:5 cat/all>.", "cat dog", {TRAIN: 10}, {"behind a link": 1}
    ),
    "a link to a folder that is read already": Loaded(
        "cat:5 dog:5 dog/cats>cat", "cat dog", {TRAIN: 10}, {"behind a link": 1}
    ),
    "another suffix": Loaded(
        "cat/0.dat.png cat/1.png cat/2.png cat/3.png dog:4 dog/9.txt",
        "cat dog",
        {TRAIN: 8},
        {"no picture": 1},
        options={"suffixes": ["dat"]},
    ),
    "rare classes left out": Loaded(
        f"{BOTH} train/emu:2 test/cat:1 test/dog:1 test/emu:1",
        "cat dog",
        {TRAIN: 8, TEST: 2},
        {"of a class with fewer than 3 training pictures": 3},
        options={"min_per_class": 3},
    ),
    "a class of one picture left out": Loaded(
        "cat:5 dog:5 emu:1",
        "cat dog",
        {TRAIN: 10},
        {"of a class with fewer than 2 training pictures": 1},
        options={"min_per_class": 2},
    ),
    # pytorch/vision 8297 again: a class that lost its pictures is left out once that is asked for.
    "an empty class folder left out": Loaded(
        "cat:5 dog:5 emu/",
        "cat dog",
        {TRAIN: 10},
        {"an empty folder": 1},
        options={"min_per_class": 2},
    ),
    "named parts": Loaded(
        "first/cat:4 first/dog:4 second/cat:1 second/dog:1 third/cat:2 third/dog:2 rest/cat:7",
        "cat dog",
        {TRAIN: 8, VAL: 2, TEST: 4},
        {"outside of the named parts": 7},
        options={"train": "DIR/first", "val": "DIR/second", "test": "DIR/third"},
    ),
    "a named test part and a training part that is found": Loaded(
        "data/cat:4 data/dog:4 holdout/cat:1 holdout/dog:1",
        "cat dog",
        {TRAIN: 8, TEST: 2},
        options={"test": "holdout"},
    ),
    "a named test part beside the class folders": Loaded(
        "cat:4 dog:4 holdout/cat:1 holdout/dog:1",
        "cat dog",
        {TRAIN: 8, TEST: 2},
        options={"test": "holdout"},
    ),
    "a named test part elsewhere": Loaded(
        "in/cat:4 in/dog:4 out/cat:1 out/dog:1 out/notes.txt",
        "cat dog",
        {TRAIN: 8, TEST: 2},
        {"no picture": 1},
        options={"test": "DIR/../out"},
        inside="in",
    ),
    "another test part than the one that is found": Loaded(
        f"{BOTH} test/cat:3 test/dog:3 other/cat:1 other/dog:1",
        "cat dog",
        {TRAIN: 8, TEST: 2},
        {"outside of the named parts": 6},
        options={"test": "other"},
    ),
    "named parts inside of each other": Loaded(
        "a/cat:4 a/dog:4 a/held/cat:1 a/held/dog:1 a/held/more/cat:2 a/held/more/dog:2",
        "cat dog",
        {TRAIN: 8, VAL: 2, TEST: 4},
        options={"train": "a", "val": "a/held", "test": "a/held/more"},
    ),
    "named parts inside of each other, elsewhere": Loaded(
        "in/cat:4 in/dog:4 out/cat:2 out/dog:2 out/more/cat:1 out/more/dog:1",
        "cat dog",
        {TRAIN: 8, VAL: 2, TEST: 4},
        options={"val": "DIR/../out/more", "test": "DIR/../out"},
        inside="in",
    ),
    "a hidden folder that is named": Loaded(
        f"{BOTH} .held/cat:1 .held/dog:1 .x.png",
        "cat dog",
        {TRAIN: 8, TEST: 2},
        {"hidden": 1},
        options={"test": ".held"},
    ),
    "folders named as the classes": Loaded(
        "animals/cat:3 animals/dog:3 vehicles/bus:3 vehicles/car:3",
        "animals vehicles",
        {TRAIN: 12},
        options={"train": "DIR"},
    ),
    "bus, car and train named as the classes": Loaded(
        "bus:4 car:4 train/diesel:2 train/steam:2",
        "bus car train",
        {TRAIN: 12},
        options={"train": "DIR"},
    ),
    "train named as the training part": Loaded(
        "bus:4 car:4 train/diesel:3 train/steam:3",
        "diesel steam",
        {TRAIN: 6},
        {"outside of the named parts": 8},
        options={"train": "train"},
    ),
    "cat, dog and test named as the classes": Loaded(
        "cat:5 dog:5 test:3", "cat dog test", {TRAIN: 13}, options={"train": "DIR"}
    ),
    "one folder for each person": Loaded(
        "fall/anna:3 fall/ben:3 fall/cem:3 walk/anna:3 walk/ben:3 walk/cem:3",
        "fall walk",
        {TRAIN: 18},
        options={"group_by": "folder"},
    ),
    # chandrikadeb7/Face-Mask-Detection: the address of a picture with a size at its end.
    "pictures with an odd suffix beside others": Loaded(
        "cat:5 cat/5.jpg_1088Wx1632H dog:5",
        "cat dog",
        {TRAIN: 10},
        {"a picture without a usual suffix, which --suffix takes": 1},
    ),
    "pictures with an odd suffix that was named": Loaded(
        "cat:5 cat/5.jpg_1088Wx1632H dog:5",
        "cat dog",
        {TRAIN: 11},
        options={"suffixes": ["jpg_1088Wx1632H"]},
    ),
    "innermost folders as classes": Loaded(
        "animals/cat:3 animals/dog:3 vehicles/bus:3 vehicles/car:3",
        "bus car cat dog",
        {TRAIN: 12},
        options={"label_from": INNERMOST},
    ),
    # Alphabets and characters, as brendenlake/omniglot has them.
    "two levels of classes": Loaded(
        "greek/1:3 greek/2:3 korean/1:3 korean/2:3",
        "greek/1 greek/2 korean/1 korean/2",
        {TRAIN: 12},
        options={"label_from": PAIRS},
    ),
    # A column of muxspace/facial_expressions holds classes in both spellings.
    "classes that differ in capital letters": Loaded(
        "ANGER:3 anger:3 calm:3 a:3 A:3",
        "A ANGER a anger calm",
        {TRAIN: 15},
        note="Classes that differ in capital letters alone: 'ANGER' and 'anger'; each spelling",
    ),
}

REFUSED = {
    # The example of a class that is a part by its name.
    "bus, car and train": Refused(
        "bus:4 car:4 train/diesel:3 train/steam:3",
        ("two ways", "'bus', 'car', 'train'", "'diesel', 'steam'", "--train", "--test", "train="),
    ),
    "a folder that is no part beside train": Refused(
        f"{BOTH} extra/cat:3 extra/dog:3", ("'extra' beside the training part train", "--test DIR")
    ),
    "pictures that are no part beside train": Refused(
        f"{BOTH} extra:3", ("two ways", "'extra'", "--train")
    ),
    "folders of the same names": Refused(
        "first/cat:3 first/dog:3 second/cat:3 second/dog:3",
        (
            "'first', 'second' hold folders of the same names ('cat', 'dog')",
            "--train DIR",
            "train=",
            f"add --label-from '{INNERMOST}', or --label-from '{PAIRS}'",
        ),
    ),
    "pictures and masks": Refused(
        "cat/images:3 cat/masks:3 dog/images:3 dog/masks:3", ("same names ('images', 'masks')",)
    ),
    "the root of a repository": Refused(
        "Dataset/cat:9 Dataset/dog:9 figures:2",
        (
            "'Dataset' holds only folders ('cat', 'dog')",
            "Dataset if that is the whole set",
            "--train",
        ),
    ),
    "the root of a repository with parts": Refused(
        "figures:2 data/train/cat:4 data/train/dog:4 data/test/cat:1 data/test/dog:1",
        ("'data' holds only folders ('test', 'train')",),
    ),
    "classes of classes": Refused(
        "animals/cat:3 animals/dog:3 vehicles/bus:3 vehicles/car:3",
        ("holds only folders", f"add --label-from '{INNERMOST}'"),
    ),
    # huggingface/datasets 7880: parts without classes became classes.
    "parts without class folders": Refused(
        "train:4 test:2", ("'test', 'train' are parts by their names", "--label-from")
    ),
    "pictures to predict beside class folders": Refused(
        "cat:5 dog:5 Test1:3", ("'Test1' beside 'cat', 'dog' can be a class", "--train")
    ),
    "two training parts": Refused(
        "train/a:3 train/b:3 training/a:3 training/b:3", ("are both train", "--train DIR")
    ),
    "no training part": Refused("test/a:3 test/b:3", ("there is test/ but no train/", "--train")),
    "a test part beside class folders": Refused(
        "cat:4 dog:4 test/cat:1 test/dog:1",
        ("no train/", "name it with --test if 'cat', 'dog' are for training"),
    ),
    "an empty class folder in the training part": Refused(
        f"{BOTH} train/emu/", ("class folder 'emu' of train holds no images", "remove it")
    ),
    "one class": Refused("cat:5", ("one class folder ('cat')",)),
    "one class in a lone folder": Refused("pets/cat:5", ("one class folder ('cat')",)),
    "loose pictures": Refused("x.png y.png", ("images lie loose; expected",)),
    # The Yale faces: what follows the dot tells the light and the expression.
    "pictures with other suffixes": Refused(
        "cat/0.happy cat/1.sad", ("files like cat/0.happy are pictures: add --suffix '*'",)
    ),
    "pictures with other suffixes beside others": Refused(
        "plots:2 faces/0.happy", ("'plots'", "files like faces/0.happy are pictures: add --suffix")
    ),
    "no pictures": Refused("cat/notes dog/notes", ("avif); expected one folder",)),
    "a class that was never learned": Refused(
        f"{BOTH} test/emu:3 test/cat:1", ("test has a class 'emu' that train lacks",)
    ),
    "one picture of a class": Refused(
        "cat:5 dog:1", ("class 'dog' has one image", "--min-per-class 2", "min_per_class=2")
    ),
    "only rare classes": Refused(
        "cat:5 dog:5", ("0 of 2 classes have 9 or more",), {"min_per_class": 9}
    ),
    "no such folder": Refused(
        BOTH, ("nowhere, which is named for test, is no folder",), {"test": "nowhere"}
    ),
    "a named part around the folder": Refused(
        BOTH, ("which is named for test, holds",), {"test": "DIR/.."}
    ),
    "a named part without class folders": Refused(
        f"{BOTH} more:3", ("which is named for test, holds no class folders",), {"test": "more"}
    ),
    "one folder for two parts": Refused(
        f"{BOTH} x/cat:1 x/dog:1", ("named for two parts",), {"val": "x", "test": "x"}
    ),
    "groups that are not there": Refused(
        "cat:5 dog:5", ("all pictures lie directly",), {"group_by": "folder"}
    ),
    "groups that no name has": Refused(
        "cat:5 dog:5", ("matches no name", "0.png"), {"group_by": "(person)"}
    ),
}


def name_folder(options: dict[str, Any], root: Any) -> dict[str, Any]:
    return {
        key: value.replace("DIR", str(root)) if isinstance(value, str) else value
        for key, value in options.items()
    }


@pytest.mark.parametrize("case", LOADED.values(), ids=LOADED)
def test_a_folder_that_loads(case, tmp_path, own_cache):
    root = plant_tree(tmp_path / "set", case.tree) / case.inside
    data = load_data(root, **name_folder(case.options, root))
    assert data.train.class_names == tuple(case.classes.split())
    carved = any("set aside as the test set" in note for note in data.notes)
    train = len(data.train) + (len(data.test) if carved else 0)
    found = {TRAIN: train, VAL: len(data.val) if data.val else None}
    found[TEST] = None if carved else len(data.test)
    assert {part: n for part, n in found.items() if n is not None} == case.parts
    assert {one.reason: one.count for one in data.left_out} == case.left_out
    assert sum(note.startswith("Left out: ") for note in data.notes) == bool(case.left_out)
    assert case.note in "\n".join(data.notes)


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_folder_that_is_refused(case, tmp_path, own_cache):
    root = plant_tree(tmp_path / "set", case.tree)
    with pytest.raises(DataError) as caught:
        load_data(root, **name_folder(case.options, root))
    message = str(caught.value)
    assert message.startswith(str(root))
    assert "\n" not in message
    for words in case.words:
        assert words in message


@pytest.mark.parametrize("typed", ["set", "../here/set", "."])
def test_a_refusal_names_folders_as_they_were_typed(typed, tmp_path, monkeypatch, own_cache):
    home = tmp_path / "here"
    plant_tree(home / "set", REFUSED["the root of a repository"].tree)
    monkeypatch.chdir(home / "set" if typed == "." else home)
    with pytest.raises(DataError, match=f"name {re.escape(typed)}/Dataset if that") as caught:
        load_data(typed)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", ["first", "second", "set"])
def test_what_a_refusal_tells_to_type_loads(name, tmp_path, own_cache):
    root = plant_tree(tmp_path / "set", REFUSED["folders of the same names"].tree)
    folder = root if name == "set" else root / name
    data = load_data(root, train=folder)
    assert data.train.class_names == (("first", "second") if name == "set" else ("cat", "dog"))


@pytest.mark.parametrize("group_by", ["(", "person", "(a)(b)"])
def test_a_wrong_pattern_of_groups(group_by, tmp_path, own_cache):
    root = plant_tree(tmp_path / "set", "cat:5 dog:5")
    with pytest.raises(
        SettingError, match=re.escape(f"group_by {'' if group_by == '(' else 'is '}")
    ):
        load_data(root, group_by=group_by)
