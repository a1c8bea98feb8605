"""Tables of pictures and classes: what is understood, what is counted, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.decoding.formats import rows as rows_module
from smallvision.data.loading.load import load_data
from smallvision.data.sources.pictures import tables
from smallvision.data.sources.pictures.listing import lay_out
from smallvision.errors import SettingError
from tests.support.sources import encode_picture

RNG = np.random.default_rng(0)


def write_files(root, files):
    """Pictures of noise, and text where a name has a text."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.write_bytes(encode_picture(RNG.integers(0, 256, (9, 9, 3), dtype=np.uint8)))
        else:
            path.write_text(text)
    return root


def pictures(folder, names, suffix=".png"):
    return {f"{folder}{name}{suffix}": None for name in names}


def table(header, names, *, labels=("cat", "dog"), delimiter=","):
    lines = [delimiter.join([name, labels[i % len(labels)]]) for i, name in enumerate(names)]
    return "\n".join([*([header] if header else []), *lines]) + "\n"


TEN = [f"p{i}" for i in range(10)]
TWELVE = [f"q{i}" for i in range(12)]
CLASSES = ("cat", "dog")


def json_lines(names, **more):
    return "\n".join(
        json.dumps({"file_name": f"{name}.png", "label": CLASSES[i % 2], **more})
        for i, name in enumerate(names)
    )


def split_table(names, words):
    rows = [f"{name},{CLASSES[i % 2]},{words[i]}" for i, name in enumerate(names)]
    return "\n".join(["id,label,split", *rows])


EIGHT_TWO_TWO = ["train"] * 8 + ["valid"] * 2 + ["test"] * 2

# Relatives in public trackers: names without their suffix (ieee8023/covid-chestxray-dataset 96,
# keras-team/keras-preprocessing 88 and 169), paths that find nothing (keras-preprocessing 92),
# tables that other names than metadata.csv, or another folder, hide (huggingface/datasets 4814,
# 5193, 6777, 7005, 7337), rows and pictures that lack each other (datasets 4311).
# Name -> (files, options, what is named, counts of train, val and test, left out by reason).
LAYOUTS = {
    "kaggle with images": (
        {"labels.csv": table("id,breed", TEN), **pictures("images/", TEN)},
        {}, "", (8, None, 2), {},
    ),
    "names with suffixes": (
        {"labels.csv": table("filename,label", [f"{n}.png" for n in TEN]), **pictures("", TEN)},
        {}, "", (8, None, 2), {},
    ),
    "the table itself is named": (
        {"labels.csv": table("id,breed", TEN), **pictures("images/", TEN)},
        {}, "labels.csv", (8, None, 2), {},
    ),
    "semicolons": (
        {"a.csv": table("image;class", TEN, delimiter=";"), **pictures("x/", TEN)},
        {}, "", (8, None, 2), {},
    ),
    "tabs": (
        {"a.tsv": table("image\tclass", TEN, delimiter="\t"), **pictures("x/", TEN)},
        {}, "", (8, None, 2), {},
    ),
    "a list without names of columns": (
        {"a.csv": table("", [f"{n}.png" for n in TEN]), **pictures("x/", TEN)},
        {}, "", (8, None, 2), {},
    ),
    "a text file with spaces, named": (
        {"list.txt": table("", [f"x/{n}.png" for n in TEN], delimiter=" "), **pictures("x/", TEN)},
        {}, "list.txt", (8, None, 2), {},
    ),
    "paths of another machine": (
        {
            "a.csv": table("path,label", [f"C:\\Users\\me\\img\\{n}.png" for n in TEN]),
            **pictures("img/", TEN),
        },
        {}, "", (8, None, 2), {},
    ),
    "absolute paths of another machine": (
        {
            "a.csv": table("path,label", [f"/kaggle/input/x/b/{n}.png" for n in TEN]),
            **pictures("b/", TEN),
            **pictures("c/", TEN),
        },
        {}, "", (8, None, 2), {tables.NO_ROW: 10},
    ),
    "hugging face, one table": (
        {"metadata.csv": table("file_name,label", [f"{n}.png" for n in TEN]), **pictures("", TEN)},
        {}, "", (8, None, 2), {},
    ),
    "hugging face, a table in each part": (
        {
            "train/metadata.jsonl": json_lines(TEN), **pictures("train/", TEN),
            "test/metadata.jsonl": json_lines(TEN[:4]), **pictures("test/", TEN[:4]),
        },
        {}, "", (10, None, 4), {},
    ),
    "hugging face, parts in the paths": (
        {
            "metadata.csv": table(
                "file_name,label",
                [f"train/{n}.png" for n in TEN] + [f"test/{n}.png" for n in TEN[:4]],
            ),
            **pictures("train/", TEN), **pictures("test/", TEN[:4]),
        },
        {}, "", (10, None, 4), {},
    ),
    "a column of parts": (
        {"a.csv": split_table(TWELVE, EIGHT_TWO_TWO), **pictures("x/", TWELVE)},
        {}, "", (8, 2, 2), {},
    ),
    "a column of parts with another word": (
        {"a.csv": split_table(TWELVE, ["TRAIN"] * 10 + ["extra"] * 2), **pictures("x/", TWELVE)},
        {}, "", (8, None, 2), {tables.NO_PART: 2},
    ),
    "a table for each part, names that repeat": (
        {
            "train.csv": table("id,label", TEN), **pictures("train/", TEN),
            "test.csv": table("id,label", TEN[:6]), **pictures("test/", TEN[:6]),
        },
        {}, "", (10, None, 6), {},
    ),
    "kaggle with pictures to predict": (
        {
            "train.csv": table("image_id,label", TEN), **pictures("train_images/", TEN),
            "sample_submission.csv": table("image_id,label", TWELVE, labels=("cat",)),
            "test.csv": "image_id\n" + "\n".join(TWELVE), **pictures("test_images/", TWELVE),
        },
        {}, "", (8, None, 2), {tables.NO_LABEL: 12, "no picture": 2},
    ),
    "one column for each class": (
        {
            "truth.csv": "image,MEL,NV,UNK\n"
            + "\n".join(f"{n},{i % 2}.0,{1 - i % 2}.0,0.0" for i, n in enumerate(TEN)),
            **pictures("x/", TEN),
        },
        {}, "", (8, None, 2), {},
    ),
    "a column of classes that is named": (
        {
            "a.csv": "id,age,sex,kind\n"
            + "\n".join(f"{n},{i % 3},{'mf'[i % 2]},{'ab'[i % 2]}" for i, n in enumerate(TEN)),
            **pictures("x/", TEN),
        },
        {"label_column": "kind"}, "", (8, None, 2), {},
    ),
    "labels and words for them": (
        {
            "a.csv": "file,label,class_name\n"
            + "\n".join(f"{n},{i % 2},{CLASSES[i % 2]}" for i, n in enumerate(TEN)),
            **pictures("x/", TEN),
        },
        {}, "", (8, None, 2), {},
    ),
    "rows without picture or class, pictures without row": (
        {
            "a.csv": table("id,label", [*TEN, "gone"]) + "p10,\np11,nan\n",
            **pictures("x/", [*TEN, "p10", "p11", "p12"]),
        },
        {}, "", (8, None, 2), {tables.GONE: 1, tables.NO_LABEL: 2, tables.NO_ROW: 1},
    ),
    "a row twice, and one picture with two classes": (
        {
            "a.csv": table("id,label", [*TWELVE, *TEN]) + "p0,dog\np1,dog\nq0,cat\n",
            **pictures("x/", TEN + TWELVE),
        },
        {}, "", (17, None, 4), {tables.TORN: 1},
    ),
    "class folders with a table of all": (
        {
            "a.csv": table("path,label", [f"{CLASSES[i % 2]}/{n}.png" for i, n in enumerate(TEN)]),
            **pictures("cat/", TEN[::2]), **pictures("dog/", TEN[1::2]),
        },
        {}, "", (8, None, 2), {},
    ),
    "class folders with a table of something else": (
        {
            "bad.csv": table("file,why", ["p0", "p1", "p2", "p3"], labels=("dark", "blurred")),
            **pictures("cat/", TEN), **pictures("dog/", TWELVE),
        },
        {}, "", (18, None, 4), {"no picture": 1},
    ),
    "class folders with a table of cameras": (
        {
            "info.csv": table(
                "file,camera", [f"{n}.png" for n in TEN + TWELVE], labels=("a", "b", "c")
            ),
            **pictures("cat/", TEN), **pictures("dog/", TWELVE),
        },
        {}, "", (18, None, 4), {"no picture": 1},
    ),
    "a byte order mark and numbers with decimals": (
        {"a.csv": "\ufeff" + table("id,label", TEN, labels=("0.0", "1.0")), **pictures("x/", TEN)},
        {}, "", (8, None, 2), {},
    ),
    "rare classes left out": (
        {"a.csv": table("id,label", TEN) + "q0,cow\n", **pictures("x/", [*TEN, "q0"])},
        {"min_per_class": 2}, "", (8, None, 2),
        {"of a class with fewer than 2 training pictures": 1},
    ),
    "a table of another name, nested values beside the class": (
        {
            "metadata1000.jsonl": json_lines(TEN, objects={"bbox": [[1, 2]]}, tags=["a"]),
            **pictures("images/", TEN),
        },
        {}, "", (8, None, 2), {},
    ),
    "folders with spaces and other cases": (
        {
            "a.csv": table("filepath,label", [f"Top view_1-2/{n}.PNG" for n in TEN]),
            **pictures("March 29 2018/Top view_1-2/", TEN),
        },
        {}, "", (8, None, 2), {},
    ),
    "a name that two pictures have": (
        {
            "a.csv": table("id,label", [*TEN, "q0"]), **pictures("x/", [*TEN, "q0"]),
            **pictures("y/", ["q0"]),
        },
        {}, "", (8, None, 2), {tables.GONE: 1, tables.NO_ROW: 2},
    ),
    "files of another suffix": (
        {"a.csv": table("id,label", TEN), **pictures("x/", TEN, ".dat")},
        {"suffixes": (".dat",)}, "", (8, None, 2), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_table_is_understood(name, tmp_path):
    files, options, named, counts, left_out = LAYOUTS[name]
    data = load_data(write_files(tmp_path / "set", files) / named, **options)
    found = len(data.train), None if data.val is None else len(data.val), len(data.test)
    assert found == counts
    assert data.train.num_classes == 2
    assert {one.reason: one.count for one in data.left_out} == left_out


def test_the_words_are_taken_from_the_right_columns(tmp_path):
    for name, wanted in {
        "one column for each class": ("MEL", "NV"),
        "labels and words for them": CLASSES,
        "a byte order mark and numbers with decimals": ("0", "1"),
        "a column of classes that is named": ("a", "b"),
    }.items():
        files, options, *_ = LAYOUTS[name]
        data = load_data(write_files(tmp_path / name.replace(" ", "-"), files), **options)
        assert data.train.class_names == wanted


def test_a_person_is_no_class(tmp_path):
    lines = [f"{name},{'ab'[i % 2]},{'xyz'[i % 3]}" for i, name in enumerate(TEN)]
    files = {"a.csv": "\n".join(["image,patient_id,finding", *lines]), **pictures("x/", TEN)}
    assert load_data(write_files(tmp_path, files)).train.class_names == ("x", "y", "z")


def test_each_picture_gets_the_class_of_its_row(tmp_path):
    files = {"a.csv": "id,label\n"}
    for i in range(12):
        files["a.csv"] += f"p{i},{'dark' if i % 3 else 'bright'}\n"
    root = write_files(tmp_path, files)
    for i in range(12):
        pixels = np.full((9, 9), 10 + i if i % 3 else 200 + i, np.uint8)
        (root / f"p{i}.png").write_bytes(encode_picture(pixels))
    data = load_data(root)
    bright = data.train.labels == data.train.class_names.index("bright")
    assert (data.train.images.mean((1, 2, 3))[bright] > 150).all()
    assert (data.train.images.mean((1, 2, 3))[~bright] < 150).all()


def test_a_changed_table_is_read_anew(tmp_path):
    root = write_files(tmp_path, {"a.csv": table("id,label", TEN), **pictures("x/", TEN)})
    before = load_data(root).train.class_names
    (root / "a.csv").write_text(table("id,label", TEN, labels=("cow", "horse")))
    assert (before, load_data(root).train.class_names) == (CLASSES, ("cow", "horse"))


@pytest.fixture
def listings(monkeypatch):
    """What each table was understood as, the newest last."""
    found = []

    def keep(listing, *others):
        found.append(listing)
        return lay_out(listing, *others)

    monkeypatch.setattr(tables, "lay_out", keep)
    return found


@pytest.mark.parametrize(
    ("group_by", "wanted"), [("who", "person1"), (r"q(\d)", "2"), ("folder", "b")]
)
def test_groups_of_a_column_a_pattern_or_folders(group_by, wanted, tmp_path, listings):
    rows = "\n".join(f"{n},{CLASSES[i % 2]},person{i // 2}" for i, n in enumerate(TWELVE))
    files = {"a.csv": f"id,label,who\n{rows}", **pictures("x/a/", TWELVE[:2])}
    root = write_files(tmp_path, files | pictures("x/b/", TWELVE[2:]))
    load_data(root, group_by=group_by)
    assert {Path(each.path).stem: each.group for each in listings[0].parts["train"]}["q2"] == wanted


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        (
            {"a.csv": "id,age,sex\n" + "\n".join(f"{n},1,m" for n in TEN), **pictures("x/", TEN)},
            {}, ("a.csv", "which column holds the classes (id, age, sex)", "--label-column"),
        ),
        (
            {"a.csv": table("id,label", TWELVE), **pictures("x/", TEN)},
            {}, ("a.csv", "none of its columns names pictures"),
        ),
        (
            {"a.csv": table("id,label", TEN[:6] + TWELVE), **pictures("x/", TEN)},
            {}, ("12 of 18 rows name pictures that are not there, such as q0",),
        ),
        (
            {"a.csv": table("id,label", [*TEN, "gone"]), **pictures("x/", TEN)},
            {"strict": True}, ("1 of 11 rows", "such as gone"),
        ),
        (
            {"a.csv": table("id,label", TEN) + table("", TEN, labels=("dog", "cat")),
             **pictures("x/", TEN)},
            {}, ("10 of 10 pictures are named with several classes or parts", "'cat' (train)"),
        ),
        (
            {"a.csv": table("id,label", TEN), "b.csv": table("id,label", TEN),
             **pictures("x/", TEN)},
            {}, ("several tables hold pictures with classes (a.csv, b.csv)", "name one of them"),
        ),
        (
            {"test.csv": table("id,label", TEN), **pictures("x/", TEN)},
            {}, ("no table of the training part",),
        ),
        (
            {"a.csv": "id,label\n\"p0", **pictures("x/", TEN)},
            {}, ("a.csv",),
        ),
        (
            {"a.csv": "one column\n" * 3, **pictures("x/", TEN)},
            {}, ("a.csv", "cannot be read as a table"),
        ),
        (
            {"a.jsonl": "[1]\n", **pictures("x/", TEN)},
            {}, ("a.jsonl", "line 1 is no object"),
        ),
        (
            {"a.jsonl": "[" * 100_000, **pictures("x/", TEN)},
            {}, ("a.jsonl", "cannot be read as a table"),
        ),
        (
            {"sample_submission.csv": table("id,label", TEN), **pictures("x/", TEN)},
            {}, ("there is one class folder",),
        ),
    ],
)  # fmt: skip
def test_what_is_refused(files, options, words, tmp_path, refuses):
    root = write_files(tmp_path, files)
    with refuses(root, *words):
        load_data(root, **options)


def test_a_form_for_answers_is_no_table_of_classes(tmp_path, refuses):
    form = "sample_submission.csv"
    root = write_files(tmp_path, {form: table("id,label", TEN), **pictures("x/", TEN)})
    with refuses(root / form, "a form to fill in by its name"):
        load_data(root / form)


def test_columns_that_are_not_there(tmp_path):
    root = write_files(tmp_path, {"a.csv": table("id,label", TEN), **pictures("x/", TEN)})
    with pytest.raises(SettingError, match="label_column is 'kind'; the columns are id, label"):
        load_data(root, label_column="kind")


def test_a_table_reaches_no_file_outside_its_folder(tmp_path, refuses):
    secret = write_files(tmp_path / "secret", pictures("", TEN))
    names = [f"../secret/{n}.png" for n in TEN[:5]] + [f"{secret}/{n}.png" for n in TEN[5:]]
    root = write_files(tmp_path / "set", {"a.csv": table("path,label", names), "x.png": None})
    with refuses("none of its columns names pictures"):
        load_data(root / "a.csv")


@pytest.mark.parametrize("named", ["set", "set/data/legend.csv"])
def test_a_table_in_a_folder_of_its_own_beside_the_pictures(named, tmp_path, own_cache):
    """As in muxspace/facial_expressions."""
    files = {"data/legend.csv": table("image,label", TEN), **pictures("images/", TEN)}
    write_files(tmp_path / "set", files | pictures("test/", ["q0"]))
    data = load_data(tmp_path / named)
    assert (data.train.class_names, len(data.train) + len(data.test)) == (("cat", "dog"), 10)


def test_bounds_of_tables(tmp_path, monkeypatch, refuses):
    root = write_files(tmp_path, {"a.csv": table("id,label", TEN), **pictures("x/", TEN)})
    for limit, value, words in (
        ("MAX_BYTES", 20, "expected at most 20"),
        ("MAX_CELLS", 10, "more than 10 cells"),
        ("MAX_ROWS", 9, "more than 9 rows"),
        ("MAX_COLUMNS", 1, "2 columns"),
    ):
        with monkeypatch.context() as patch, refuses("a.csv", words):
            patch.setattr(rows_module, limit, value)
            load_data(root)


def test_a_named_table_says_which_others_lie_beside_it(tmp_path, listings):
    files = {
        "train.csv": table("id,label", TEN),
        "test.csv": table("id,label", TEN[:6]),
        **pictures("train/", TEN),
        **pictures("test/", TEN[:6]),
    }
    data = load_data(write_files(tmp_path, files) / "train.csv")
    assert {one.reason: one.count for one in data.left_out} == {tables.NO_LABEL: 6}
    assert listings[0].notes[-1].startswith("Of the tables in its folder only train.csv was read")


def test_what_is_taken_for_what_is_said(tmp_path):
    for name, words in {
        "kaggle with images": "In labels.csv, 'id' names the pictures and 'breed' the classes.",
        "a column of parts": (
            "In a.csv, 'id' names the pictures, 'label' the classes and 'split' the parts."
        ),
        "one column for each class": (
            "In truth.csv, 'image' names the pictures and 3 columns the classes."
        ),
    }.items():
        files, options, *_ = LAYOUTS[name]
        data = load_data(write_files(tmp_path / name.replace(" ", "-"), files), **options)
        assert data.notes[0] == words


def test_tables_that_are_named_for_parts(tmp_path):
    files = {
        "one.csv": table("id,label", TEN),
        "two.csv": table("id,label", TWELVE[:3], labels=("dog",)),
        "labels/three.csv": table("id,label", ["r0"]),
        **pictures("x/", [*TEN, *TWELVE[:3], "r0", "r1"]),
    }
    root = write_files(tmp_path / "set", files)
    parts = {"train": "one.csv", "val": "two.csv", "test": root / "labels" / "three.csv"}
    for place in (root, root / "one.csv"):
        named = parts if place == root else {**parts, "train": None}
        data = load_data(place, **{part: path and root / path for part, path in named.items()})
        assert (len(data.train), len(data.val), len(data.test)) == (10, 3, 1)
        assert data.val.labels.tolist() == [1, 1, 1]
        assert {one.reason: one.count for one in data.left_out} == {tables.NO_ROW: 1}
