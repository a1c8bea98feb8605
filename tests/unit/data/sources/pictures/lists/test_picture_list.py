"""What texts and tables beside pictures say of them: classes, parts, names of classes."""

from __future__ import annotations

import pytest

from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import open_sealed_test
from smallvision.errors import DataError
from tests.catalogs.test_public_layouts import grow

LOOSE = ("imgs/{0-15}.png",)
TWO = ("train/{b,c}/t{0-5}.png", "val/v{0-3}.png")


@pytest.fixture
def make(tmp_path):
    def build(pictures, texts):
        root = grow(tmp_path / "set", pictures)
        for name, lines in texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            text = lines if isinstance(lines, str) else "\n".join(lines) + "\n"
            (root / name).write_text(text)
        return root

    return build


def count(data):
    carved = len(data.test) if data.carved else 0
    return len(data.train) + carved, len(data.val or ()), len(data.test) - carved


def list_left_out(data):
    return {one.reason: one.count for one in data.left_out}


def label(pattern, numbers, names=("cat", "dog")):
    return [pattern.format(i=i, k=names[i % 2], z=i % 2) for i in numbers]


# classes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "imgs/{i}.png {k}",
        "imgs/{i}.png,{k}",
        '"imgs/{i}.png"\t"{k}"',
        "./imgs/{i}.png; {k}",
        "{i} {k}",
    ],
    ids=["space", "comma", "quoted", "semicolon", "no suffix"],
)
def test_lists_tell_the_classes_of_loose_pictures(line, make):
    data = load_data(
        make(LOOSE, {"train.txt": label(line, range(10)), "test.txt": label(line, range(10, 16))})
    )
    assert data.train.class_names == ("cat", "dog")
    assert count(data) == (10, 0, 6)
    assert list_left_out(data) == {}


def test_the_labels_are_those_of_the_lines(make):
    lines = [f"imgs/{i}.png {'cat' if i < 6 else 'dog'}" for i in range(12)]
    data = load_data(
        make(
            ("imgs/{0-15}.png",),
            {"train.txt": lines, "test.txt": ["imgs/12.png cat", "imgs/13.png dog"]},
        )
    )
    assert data.train.labels.tolist() == [0] * 6 + [1] * 6
    assert open_sealed_test(data.test).labels.tolist() == [0, 1]
    assert list_left_out(data) == {"named by no row of the table": 2}


def test_a_class_may_have_several_words(make):
    data = load_data(make(LOOSE, {"labels.txt": label("{i} {k} of the house", range(16))}))
    assert data.train.class_names == ("cat of the house", "dog of the house")


def test_paths_with_spaces(make):
    data = load_data(
        make(
            ("my imgs/a b {0-15}.png",), {"labels.txt": label("my imgs/a b {i}.png {k}", range(16))}
        )
    )
    assert count(data) == (16, 0, 0)


def test_a_first_line_with_names_of_columns_is_passed_over(make):
    data = load_data(make(LOOSE, {"labels.txt": ["file class", *label("{i} {k}", range(16))]}))
    assert (data.train.class_names, count(data)) == (("cat", "dog"), (16, 0, 0))


@pytest.mark.parametrize(
    "texts",
    [
        {"boxes.txt": [f"{i} {i % 2} 0 9 9" for i in range(16)]},
        {"notes.txt": ["taken in May", "with a telephone"]},
        {"labels.txt": [f"{i} {i}" for i in range(16)]},
    ],
    ids=["boxes", "words", "as many classes as pictures"],
)
def test_texts_that_tell_no_classes(texts, make):
    with pytest.raises(DataError, match="one class folder"):
        load_data(make(LOOSE, texts))


# As FGVC Aircraft has them.
def test_lists_of_several_kinds_of_classes_are_refused_until_one_is_named(make, refuses):
    texts = {
        f"images_{kind}_{part}.txt": label("{i} {k} " + kind, numbers)
        for kind in ("family", "variant")
        for part, numbers in (("train", range(10)), ("val", range(10, 12)), ("test", range(12, 16)))
    }
    texts["images_variant_trainval.txt"] = label("{i} {k} variant", range(12))
    root = make(LOOSE, texts)
    with refuses("several lists hold pictures with classes", "images_family_test.txt", "--train"):
        load_data(root)
    data = load_data(
        root,
        train=root / "images_variant_trainval.txt",
        test=root / "images_variant_test.txt",
    )
    assert data.train.class_names == ("cat variant", "dog variant")
    assert count(data) == (12, 0, 4)


def test_a_list_of_training_and_validation_together_is_not_needed_beside_both(make):
    texts = {
        "train.txt": label("{i} {k}", range(8)),
        "val.txt": label("{i} {k}", range(8, 12)),
        "trainval.txt": label("{i} {k}", range(12)),
        "test.txt": label("{i} {k}", range(12, 16)),
    }
    assert count(load_data(make(LOOSE, texts))) == (8, 4, 4)


# parts ----------------------------------------------------------------------------------------

TEN = ("images/{b,c}/{0-4}.png",)


@pytest.mark.parametrize(
    ("name", "words", "counts"),
    [
        ("train_test_split.txt", ("1", "0", "1"), (8, 0, 2)),
        ("splits.txt", ("train", "test", "val"), (4, 2, 4)),
        ("list_eval_partition.txt", ("0", "1", "2"), (4, 4, 2)),
        ("split.csv", ("train", "valid", "test"), (4, 4, 2)),
    ],
)  # fmt: skip
def test_one_list_tells_the_part_of_every_picture(name, words, counts, make):
    numbers = {0: 0, 1: 0, 2: 1, 3: 1, 4: 2}
    if "train_test" in name:
        numbers = {0: 0, 1: 2, 2: 0, 3: 2, 4: 1}
    header = ["file,split"] if name.endswith("csv") else []
    lines = [f"{k}/{i}.png {words[numbers[i]]}" for k in "bc" for i in range(5)]
    if header:
        lines = [line.replace(" ", ",") for line in lines]
    assert count(load_data(make(TEN, {name: [*header, *lines]}))) == counts


@pytest.mark.parametrize(
    ("name", "words"),
    [("folds.txt", "01"), ("split.txt", "01"), ("split.txt", "012")],
    ids=["folds", "a split of two numbers", "a split of three"],
)
def test_numbers_that_may_mean_anything_tell_no_parts(name, words, make):
    lines = [f"{k}/{i}.png {words[i % len(words)]}" for k in "bc" for i in range(5)]
    assert load_data(make(TEN, {name: lines})).carved


def test_a_table_beside_class_folders_tells_parts_alone(make):
    lines = [
        "name,artist,split",
        *(f"{k}/{i}.png,p{i},{'train' if i < 3 else 'test'}" for k in "bc" for i in range(5)),
    ]
    data = load_data(make(TEN, {"meta.csv": lines}))
    assert count(data) == (6, 0, 4)
    assert list_left_out(data) == {}


@pytest.mark.parametrize(
    ("column", "yes", "counts"),
    [("is_valid", "True", (8, 2, 0)), ("is_test", "1", (8, 0, 2)), ("is_train", "1.0", (2, 0, 8))],
)
def test_a_column_may_say_whether_a_picture_is_in_a_part(column, yes, counts, make):
    no = {"True": "False", "1": "0", "1.0": "0.0"}[yes]
    lines = [f"{k}/{i}.png,{k},{yes if i == 4 else no}" for k in "bc" for i in range(5)]
    data = (
        load_data(make(TEN, {"labels.csv": [f"file,label,{column}", *lines]}), min_per_class=1)
        if counts[0] > 2
        else None
    )
    if data is None:
        with pytest.raises(DataError, match="class 'b' has one image"):
            load_data(make(TEN, {"labels.csv": [f"file,label,{column}", *lines]}))
        return
    assert count(data) == counts


def test_lists_divide_pictures_whose_classes_stand_in_their_names(make):
    names = [f"{k}_{i}" for k in ("cat", "dog") for i in range(5)]
    root = make(
        ("p/{cat,dog}_{0-4}.png",),
        {
            "train.txt": [n for n in names if n[-1] < "3"],
            "test.txt": [n for n in names if n[-1] > "2"],
        },
    )
    data = load_data(root, label_from="^([a-z]+)_")
    assert (count(data), list_left_out(data)) == ((6, 0, 4), {})


# loose parts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "texts",
    [
        {"val.txt": label("v{i}.png {k}", range(4), "bc")},
        {"val/labels.csv": ["file,species", *label("v{i}.png,{k}", range(4), "bc")]},
        {"val.txt": label("v{i}.png {z}", range(4)), "classes.txt": ["b", "c"]},
        {"val.txt": label("v{i}.png {z}", range(4)), "names.txt": ["/a/b 0", "/a/c 1"]},
        {
            "val.txt": label("v{i}.png {z}", range(4)),
            "train.txt": [f"{k}/t{i}.png {'bc'.index(k)}" for k in "bc" for i in range(6)],
        },
    ],
    ids=["words", "table", "numbers of lines", "numbers and names", "numbers of training"],
)
def test_a_list_tells_the_classes_of_a_part_without_class_folders(texts, make):
    data = load_data(make(TWO, texts))
    assert count(data) == (12, 4, 0)
    assert data.val.labels.tolist() == [0, 1, 0, 1]
    assert "without a label" not in list_left_out(data)


def test_numbers_that_nothing_explains_are_no_classes(make):
    data = load_data(make(TWO, {"val.txt": label("v{i}.png {z}", range(4))}))
    assert data.val is None
    assert list_left_out(data) == {"without a label": 4, "no picture": 1}


def test_what_a_list_of_a_loose_part_does_not_name_is_counted(make):
    root = make(("train/{b,c}/t{0-5}.png", "val/v{0-30}.png"), {})
    (root / "val.txt").write_text(
        "\n".join([*label("v{i}.png {k}", range(28), "bc"), "gone.png b"])
    )
    data = load_data(root)
    assert len(data.val) == 28
    assert list_left_out(data) == {
        "without a label": 3,
        "listed, and not there or there more than once": 1,
    }


# names of classes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folders", "texts", "names"),
    [
        ("{0,1}", {"classes.txt": "cat\ndog\n"}, ("cat", "dog")),
        ("{1,2}", {"classes.txt": "cat\nbig dog\n"}, ("cat", "big dog")),
        ("{00007,00012}", {"names.txt": "7 stop\n12 go, on\n30 wait\n"}, ("stop", "go")),
        ("{n01,n02}", {"words.txt": "n01 crane\nn02 crane\n"}, ("crane (n01)", "crane (n02)")),
        ("{0,1}", {"notes.txt": "cat\ndog\n"}, ("0", "1")),
        ("{0,1}", {"classes.txt": "cat\ndog\nbird\n"}, ("0", "1")),
        ("{b,c}", {"classes.txt": "b black\nc white\n"}, ("b", "c")),
    ],
)  # fmt: skip
def test_texts_name_classes_that_are_called_by_numbers(folders, texts, names, make):
    data = load_data(make((f"set/{folders}/{{0-5}}.png",), texts))
    assert set(data.train.class_names) == set(names)


def test_pictures_name_classes_that_are_called_by_numbers_alone(make):
    lines = [f"{k}_{i}.png {z}" for z, k in enumerate(("pug", "beagle")) for i in range(5)]
    data = load_data(make(("p/{pug,beagle}_{0-4}.png",), {"labels.txt": lines}))
    assert set(data.train.class_names) == {"pug", "beagle"}
    lines[0] = "pug_0.png 1"
    data = load_data(make(("p/{pug,beagle}_{0-4}.png",), {"labels.txt": lines}))
    assert set(data.train.class_names) == {"0", "1"}
