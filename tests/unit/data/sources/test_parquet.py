"""Parquet shards: columns, parts, names and damage."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from smallvision.data.decoding import parquet_file
from smallvision.data.loading.assemble import SIGNS
from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.sources import parquet
from smallvision.data.sources.cifar_archives import CIFAR_CLASSES
from smallvision.data.sources.source import SourceOptions
from smallvision.data.sources.table import recognize
from smallvision.errors import SettingError
from tests.support.sources import encode_picture, make_pixels


@pytest.mark.parametrize("plain", [False, True], ids=["struct", "plain bytes"])
@pytest.mark.parametrize("image", ["img", "image"])
def test_reads_both_columns_kinds(plain, image, tmp_path, write_parquet):
    options = {"plain": plain, "image": image, "names": list("abcdefghij")}
    write_parquet(tmp_path / "set" / "train-00000-of-00001.parquet", n=30, **options)
    write_parquet(tmp_path / "set" / "test-00000-of-00001.parquet", n=20, seed=1, **options)
    data = load_data(tmp_path / "set")
    pixels = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), dtype=np.uint8)
    assert np.array_equal(data.train.images, pixels)
    assert np.array_equal(data.train.labels, np.arange(30) % 10)
    assert data.train.class_names == tuple("abcdefghij")
    assert (len(open_sealed_test(data.test)), data.source, data.notes) == (20, "Parquet", (SIGNS,))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_reads_lossy_pictures(kind, tmp_path, write_parquet):
    place = write_parquet(tmp_path / "set.parquet", n=30, kind=kind, names=list("abcdefghij"))
    assert load_data(place).train.shape == (3, 32, 32)


def test_shards_are_read_in_order_from_sub_folders(tmp_path, write_parquet):
    for i in range(3):
        name = f"train-{i:05d}-of-00003.parquet"
        write_parquet(tmp_path / "set" / "plain_text" / name, seed=i, names=list("abcdefghij"))
    write_parquet(tmp_path / "set" / "test" / "0000.parquet", seed=9, names=list("abcdefghij"))
    write_parquet(tmp_path / "set" / "validation" / "0000.parquet", n=20, names=list("abcdefghij"))
    data = load_data(tmp_path / "set")
    shards = [
        np.random.default_rng(i).integers(0, 256, (10, 3, 32, 32), dtype=np.uint8) for i in range(3)
    ]
    assert np.array_equal(data.train.images, np.concatenate(shards))
    assert (len(data.val), len(data.test)) == (20, 10)


def test_a_single_file_is_divided(tmp_path, write_parquet):
    data = load_data(write_parquet(tmp_path / "pets.parquet", n=50, names=list("abcdefghij")))
    assert (len(data.train), len(data.test), data.name) == (40, 10, "pets")


def test_fine_labels_are_preferred(tmp_path, write_parquet):
    place = write_parquet(tmp_path / "set.parquet", n=300, K=100, label="fine_label")
    assert load_data(place).train.num_classes == 100


@pytest.mark.parametrize(
    ("image", "K", "names"),
    [
        ("img", 10, CIFAR_CLASSES["cifar10"]),
        ("image", 10, tuple("0123456789")),
        ("img", 3, tuple("012")),
    ],
)
def test_names_are_guessed_only_where_it_looks_like_cifar(image, K, names, tmp_path, write_parquet):
    data = load_data(write_parquet(tmp_path / "set.parquet", n=30, K=K, image=image))
    assert data.train.class_names == names
    assert data.notes[0].startswith("The files name no classes")


def missing_shard(folder, write):
    write(folder / "train-00000-of-00002.parquet")
    return "train-00001-of-00002.parquet is missing", "get all"


def no_train(folder, write):
    write(folder / "test-00000-of-00001.parquet")
    return "none is called train-…", ""


def empty_file(folder, write):
    write(folder / "train.parquet").write_bytes(b"")
    return "train.parquet cannot be read as Parquet", "get it again"


def cut_file(folder, write):
    path = write(folder / "train.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    return "train.parquet cannot be read as Parquet", "get it again"


def label_too_high(folder, write):
    write(folder / "train.parquet", names=list("abc"), K=4)
    return "train.parquet holds labels from 0 to 3", "expected 0 to 2 (3 classes)"


def label_negative(folder, write):
    write(folder / "train.parquet", labels=[-1] * 10)
    return "train.parquet holds labels from -1 to -1", "expected 0"


def label_missing(folder, write):
    write(folder / "train.parquet", labels=[None, *range(9)])
    return "train.parquet: 1 rows have no label", "remove them"


def label_lists(folder, write):
    write(folder / "train.parquet", label="label", labels=[[1]] * 10)
    return "none holds labels; name the column with label_column", ""


def label_fraction(folder, write):
    write(folder / "train.parquet", labels=[0.5] * 10)
    return "column 'label' holds no whole numbers", ""


def other_columns(folder, write):
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True)
    table = pa.table({"photo": ["a.png"] * 10, "label": [*range(10)]})
    pq.write_table(table, folder / "train.parquet")
    return "train.parquet: it has the columns photo, label; none holds pictures", "image_column"


def broken_picture(folder, write):
    path = write(folder / "train.parquet", names=list("abcdefghij"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"IHDR", b"IHXX", 4))
    return "pictures cannot be read: train.parquet, row", "replace or remove them"


@pytest.mark.parametrize(
    "damage",
    [
        *(missing_shard, no_train, empty_file, cut_file, label_too_high),
        *(label_negative, label_missing, label_lists, label_fraction, other_columns),
        broken_picture,
    ],
)
def test_names_the_file_that_is_wrong(damage, tmp_path, write_parquet, refuses):
    words = damage(tmp_path / "set", write_parquet)
    with refuses(tmp_path / "set", *words):
        load_data(tmp_path / "set")


def test_pictures_outside_the_file(tmp_path, refuses):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table({"image": [{"bytes": None, "path": "/etc/passwd"}] * 6, "label": [0, 1] * 3})
    table = table.set_column(
        0, "image", table["image"].cast(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    )
    pq.write_table(table, tmp_path / "set.parquet")
    with refuses("set.parquet, row 0: the picture is not inside the file"):
        load_data(tmp_path / "set.parquet")


def test_without_pyarrow_it_says_what_to_install(tmp_path, write_parquet, refuses, monkeypatch):
    place = write_parquet(tmp_path / "set.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with refuses(place, "pip install 'smallvision[parquet]'"):
        load_data(place)


def test_shards_agree_on_columns_and_names(tmp_path, write_parquet, refuses):
    """Names in another order would give every label of that file another meaning."""
    names = list("abcdefghij")
    write_parquet(tmp_path / "train.parquet", n=30, names=names)
    write_parquet(tmp_path / "test.parquet", n=20, names=names[::-1])
    with refuses("test.parquet has 'j' as class 0, unlike 'a' elsewhere", "expected"):
        load_data(tmp_path)
    write_parquet(tmp_path / "test.parquet", n=20, image="image", names=names)
    with refuses("test.parquet has columns image and label, unlike img and label elsewhere"):
        load_data(tmp_path)
    write_parquet(tmp_path / "test.parquet", n=20)
    assert load_data(tmp_path).train.class_names == tuple(names), "names may be left out"


def test_labels_that_are_no_classes_are_not_named(tmp_path, write_parquet, refuses, monkeypatch):
    monkeypatch.setattr(parquet, "MAX_CLASSES", 9)
    write_parquet(tmp_path / "set.parquet", labels=[*range(9), 300_000_000])
    with refuses("column 'label' holds 10 different labels", "at most 9 classes"):
        load_data(tmp_path / "set.parquet")
    write_parquet(tmp_path / "set.parquet", labels=[*"abcdefghij"])
    with refuses("column 'label' holds 10 different labels", "at most 9 classes"):
        load_data(tmp_path / "set.parquet")
    write_parquet(tmp_path / "long.parquet", labels=["a" * 300, "b"] * 5)
    with refuses("a text of 300 characters", "label_column"):
        load_data(tmp_path / "long.parquet")
    monkeypatch.setattr(parquet_file, "MOST_WORDS", 8)
    with refuses("column 'label' holds 10 different texts", "label_column"):
        load_data(tmp_path / "set.parquet")


def test_shards_are_looked_for_one_by_one(write_parquet, tmp_path, refuses):
    for number in range(3):
        write_parquet(tmp_path / "set" / f"train-{number:05d}-of-99999.parquet", n=2)
    with refuses("train-00003-of-99999.parquet is missing; get all 99999 shards"):
        load_data(tmp_path / "set")


def test_shards_are_counted(write_parquet, tmp_path, refuses, monkeypatch):
    for number in range(3):
        write_parquet(tmp_path / "set" / f"train-{number}.parquet", n=2)
    monkeypatch.setattr(parquet, "MAX_SHARDS", 2)
    with refuses("there are 3 Parquet files; expected at most 2"):
        load_data(tmp_path / "set")


NAMES = list("abcdefghij")
ROUND = [*range(10)] * 3


def write_table(path, columns, n=30):
    """A Parquet file of pictures in `image`, and other columns."""
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pixels = make_pixels(n)
    contents = [encode_picture(one.transpose(1, 2, 0)) for one in pixels]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"image": contents, **columns}), path)
    return path


def make_labels_of_kinds():
    pa = pytest.importorskip("pyarrow")
    words = [f"class {label}" for label in ROUND]
    numbers = tuple(map(str, range(10)))
    spelt = tuple(f"class {k}" for k in range(10))
    return {
        "text": (words, spelt),
        "long text": (pa.array(words, pa.large_string()), spelt),
        "a dictionary": (pa.array(words).dictionary_encode(), spelt),
        "a dictionary of numbers": (pa.array(ROUND).dictionary_encode(), numbers),
        "floats": ([float(label) for label in ROUND], numbers),
        "small numbers": (pa.array(ROUND, pa.uint8()), numbers),
        "counted from 1": ([label + 1 for label in ROUND], tuple(map(str, range(1, 11)))),
        "with gaps": (
            [label * 100 for label in ROUND],
            tuple(str(k * 100) for k in range(10)),
        ),
        "numbers as text": ([str(label + 1) for label in ROUND], tuple(map(str, range(1, 11)))),
        "bools": ([label % 2 == 1 for label in ROUND], ("False", "True")),
    }


@pytest.mark.parametrize("version", ["1.0", "2.6"])
@pytest.mark.parametrize(
    "kind",
    [
        *("text", "long text", "a dictionary", "a dictionary of numbers", "floats"),
        *("small numbers", "counted from 1", "with gaps", "numbers as text", "bools"),
    ],
)
def test_labels_of_any_kind(kind, version, tmp_path):
    labels, names = make_labels_of_kinds()[kind]
    write_table(tmp_path / "train.parquet", {"label": labels})
    write_table(tmp_path / "test.parquet", {"label": labels})
    data = load_data(tmp_path)
    assert data.train.class_names == names
    wanted = [label % 2 for label in ROUND] if kind == "bools" else ROUND
    assert data.train.labels.tolist() == wanted
    assert open_sealed_test(data.test).labels.tolist() == wanted


def test_names_and_labels_that_count_from_1(tmp_path, write_parquet):
    place = write_parquet(
        tmp_path / "set.parquet", n=30, names=NAMES, labels=[label + 1 for label in ROUND]
    )
    data = load_data(place)
    assert data.train.class_names == tuple(NAMES)
    assert data.train.counts.sum() == len(data.train)
    assert "The labels count from 1." in data.notes


def test_an_unknown_word_in_the_test_part(tmp_path, refuses):
    write_table(tmp_path / "train.parquet", {"label": ["cat", "dog"] * 15})
    write_table(tmp_path / "test.parquet", {"label": ["cat", "cow"] * 15})
    with refuses("test.parquet: 'cow' is not among the training classes"):
        load_data(tmp_path)
    write_table(tmp_path / "test.parquet", {"label": [0, 1] * 15})
    with refuses("'0' is not among the training classes"):
        load_data(tmp_path)


def test_columns_are_found_by_their_types(tmp_path, refuses):
    columns = {"id": [*range(30)], "caption": ["a"] * 30, "species": ["cat", "dog"] * 15}
    data = load_data(write_table(tmp_path / "a.parquet", columns))
    assert data.train.class_names == ("cat", "dog")
    columns = {"mood": [0, 1, 2] * 10, "colour": ["red", "blue"] * 15}
    place = write_table(tmp_path / "b.parquet", columns)
    with refuses("mood, colour might hold labels; name the column with label_column"):
        load_data(place)
    assert load_data(place, label_column="mood").train.num_classes == 3
    assert load_data(place, label_column="colour").train.class_names == ("blue", "red")
    with refuses("there is no column 'x'; it has image, mood, colour"):
        load_data(place, label_column="x")
    with refuses("there is no column 'x'"):
        load_data(place, image_column="x")


def test_fine_and_coarse_labels(tmp_path):
    columns = {"fine_label": ROUND, "coarse_label": [label // 5 for label in ROUND]}
    place = write_table(tmp_path / "set.parquet", columns)
    data = load_data(place)
    assert data.train.num_classes == 10
    assert any("coarse_label can be named with label_column" in note for note in data.notes)
    assert load_data(place, label_column="coarse_label").train.num_classes == 2


def test_pixel_values_hold_pictures(tmp_path, write_parquet):
    place = write_parquet(tmp_path / "set.parquet", n=30, image="pixel_values", names=NAMES)
    assert load_data(place).train.shape == (3, 32, 32)


def test_a_column_groups(tmp_path, refuses):
    columns = {"label": ROUND, "person": [f"p{i // 3}" for i in range(30)]}
    place = write_table(tmp_path / "set.parquet", columns)
    layout = recognize(place, SourceOptions(group_by="person"))
    assert layout.read("train").groups == tuple(columns["person"])
    with refuses("has no column 'x'"):
        load_data(place, group_by="x")


def test_further_splits_are_left_alone(tmp_path, write_parquet):
    write_parquet(tmp_path / "train.parquet", n=30, names=NAMES)
    write_parquet(tmp_path / "test.parquet", n=20, names=NAMES)
    write_table(tmp_path / "unsupervised-00000-of-00001.parquet", {"text": ["x"] * 30})
    data = load_data(tmp_path)
    assert (len(data.train), len(data.test)) == (30, 20)
    (left_out,) = data.left_out
    assert (left_out.count, left_out.example) == (1, "unsupervised-00000-of-00001.parquet")


@pytest.mark.parametrize("labels", [[-1] * 20, [None] * 20])
def test_a_test_part_without_labels_is_left_out(labels, tmp_path, write_parquet):
    """Contests publish their test images without labels."""
    pa = pytest.importorskip("pyarrow")
    write_parquet(tmp_path / "train.parquet", n=30, names=NAMES)
    write_table(tmp_path / "test.parquet", {"label": pa.array(labels, pa.int64())}, n=20)
    write_parquet(tmp_path / "test.parquet", n=20, names=NAMES, labels=labels)
    data = load_data(tmp_path)
    assert len(data.train) + len(data.test) == 30
    assert [(one.reason, one.count) for one in data.left_out] == [("without a label", 20)]


# Relatives: huggingface/datasets#203 and #2703 (a configuration is asked for), #6979 (some of many
# shards), rom1504/img2dataset#174 (gaps in the numbers of shards).
CONFIGS = {
    "folders": ("{}/train-00000-of-00001.parquet", "{}/test-00000-of-00001.parquet"),
    "folders of splits": ("{}/train/0000.parquet", "{}/test/0000.parquet"),
    "starts of names": ("{}-train.parquet", "{}-test.parquet"),
    "data folders": ("data/{}/train-0.parquet", "data/{}/test-0.parquet"),
}


@pytest.mark.parametrize("form", CONFIGS)
def test_a_configuration_is_asked_for(form, tmp_path, write_parquet, refuses):
    for seed, config in enumerate(("cats", "dogs")):
        for n, name in zip((30, 20), CONFIGS[form], strict=True):
            place = tmp_path / "set" / name.format(config)
            write_parquet(place, n=n, seed=seed, names=NAMES)
    with refuses("it holds 2 configurations (cats, dogs); choose one with config"):
        load_data(tmp_path / "set")
    data = load_data(tmp_path / "set", config="dogs")
    assert (len(data.train), len(data.test)) == (30, 20)
    assert np.array_equal(data.train.images, make_pixels(30, seed=1))
    assert [(one.reason, one.count) for one in data.left_out] == [
        ("files of another configuration", 2)
    ]
    with pytest.raises(SettingError, match="no configuration 'dog'; did you mean 'dogs'"):
        load_data(tmp_path / "set", config="dog")


def test_folders_that_divide_one_set_are_no_configurations(tmp_path, write_parquet):
    for year in (2020, 2021):
        write_parquet(tmp_path / "set" / f"year={year}" / "part-0.parquet", n=30, names=NAMES)
    write_parquet(tmp_path / "one" / "plain_text" / "train.parquet", n=30, names=NAMES)
    assert len(load_data(tmp_path / "one", config="plain_text").train) == 20
    with pytest.raises(SettingError, match="no configuration 'x'"):
        load_data(tmp_path / "one", config="x")
    write_parquet(tmp_path / "set" / "year=2021" / "part-0.parquet", n=30, seed=5, names=NAMES)
    data = load_data(tmp_path / "set")
    assert len(data.train) + len(data.test) == 60


SHARDS = {
    "the usual names": ("train-00000-of-00002", "train-00001-of-00002"),
    "with a hash": ("train-00000-of-00002-b2ad6e2ce5d7b9d8", "train-00001-of-00002"),
    "with underscores": ("train_0_of_2", "train_1_of_2"),
    "counted from 1": ("train-1-of-2", "train-2-of-2"),
    "with the name of the set": ("pets-train-00000-of-00002", "pets-train-00001-of-00002"),
    "without a part": ("data-00000-of-00002", "data-00001-of-00002"),
}


@pytest.mark.parametrize("form", SHARDS)
@pytest.mark.parametrize("gone", [0, 1])
def test_a_missing_shard_is_noticed_whatever_it_is_called(
    form, gone, tmp_path, write_parquet, refuses
):
    names = SHARDS[form]
    first = write_parquet(tmp_path / "set" / f"{names[1 - gone]}.parquet", n=30, names=NAMES)
    missing = re.sub(r"-b2.*", "", names[gone])
    if form == "counted from 1" and gone == 1:
        missing = "train-0-of-2"  # the only one that is there does not tell where counting begins
    with refuses(f"{missing}.parquet is missing; get all"):
        load_data(tmp_path / "set")
    assert any("is one of 2 files, as its name says" in note for note in load_data(first).notes)
    write_parquet(tmp_path / "set" / f"{names[gone]}.parquet", n=30, seed=1, names=NAMES)
    data = load_data(tmp_path / "set")
    assert len(data.train) + len(data.test) == 60


@pytest.mark.parametrize("name", ["{:04}", "part-{:05}-4f0a-c000.snappy", "train-{:05}"])
def test_a_gap_in_the_numbers_is_noticed(name, tmp_path, write_parquet, refuses):
    for number in (0, 1, 3):
        write_parquet(tmp_path / f"{name.format(number)}.parquet", n=20, seed=number, names=NAMES)
    with refuses(f"{name.format(2)}.parquet is missing; get all shards"):
        load_data(tmp_path)
    write_parquet(tmp_path / f"{name.format(2)}.parquet", n=20, seed=2, names=NAMES)
    data = load_data(tmp_path)
    assert len(data.train) + len(data.test) == 80


def test_years_are_no_numbers_of_shards(tmp_path, write_parquet):
    for year in (2019, 2021):
        write_parquet(tmp_path / f"train-{year}.parquet", n=20, seed=year, names=NAMES)
    data = load_data(tmp_path)
    assert len(data.train) + len(data.test) == 40


def test_a_split_that_was_cut_is_noted(tmp_path, write_parquet):
    write_parquet(tmp_path / "partial-train" / "0000.parquet", n=30, names=NAMES)
    write_parquet(tmp_path / "test" / "0000.parquet", n=20, names=NAMES)
    data = load_data(tmp_path)
    assert (len(data.train), len(data.test)) == (30, 20)
    assert "partial-train holds only a part of its split, as its name says." in data.notes
