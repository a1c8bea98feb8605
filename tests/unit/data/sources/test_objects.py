"""Objects in Python: pairs, tables, torch and Hugging Face data sets, and wrong ones.

Libraries that need not be installed have stand-ins with the same methods. Relatives of these cases:
python-pillow/Pillow#274 and #3159 (12 bits in 16, conversions that clip), fastai/fastai#582 (paths
with an array of labels), keras-team/autokeras#226 (labels of a table with an array of images).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from smallvision.data.loading.load import as_dataset, load_data
from smallvision.data.sealed_test import open_sealed_test
from smallvision.errors import SettingError
from tests.support.sources import LABELS, PIXELS, encode_picture, write_pictures

PICTURES = [Image.fromarray(one.transpose(1, 2, 0)) for one in PIXELS]
ENCODED = [encode_picture(one) for one in PICTURES]
WORDS = np.array(["ant", "bee", "cat", "dog"])[LABELS]
PAIR = (PIXELS, LABELS)


class Column(list):
    """A column of a stand-in for a pandas table, which is reached by position through `iloc`."""

    @property
    def iloc(self):
        return list(self)

    def __getitem__(self, number):
        if isinstance(number, int):
            raise KeyError(number)  # a table whose index was filtered has no row 0
        return super().__getitem__(number)

    def to_list(self):
        return list(self)


class Table:
    """A stand-in for a table of pandas."""

    def __init__(self, **columns):
        self._columns = columns
        self.columns = list(columns)

    def __len__(self):
        return len(next(iter(self._columns.values())))

    def __getitem__(self, name):
        return Column(self._columns[name])


class ClassLabel(SimpleNamespace):
    """A stand-in for the feature of Hugging Face, which is told by its name."""


class HubSet:
    """A stand-in for a Hugging Face data set, which counts the rows that it decodes."""

    def __init__(self, features, **columns):
        self.features, self._columns, self.decoded = features, columns, 0
        self.column_names = list(columns)

    def __len__(self):
        return len(next(iter(self._columns.values())))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self._columns[key]
        self.decoded += 1
        return {name: column[key] for name, column in self._columns.items()}


class Folder(Dataset):
    """A torch data set with class names, as torchvision makes them."""

    classes = ("ant", "bee", "cat", "dog")

    def __init__(self, transform=lambda one: one, label=int):
        self.transform, self.label = transform, label

    def __len__(self):
        return len(PICTURES)

    def __getitem__(self, number):
        return self.transform(PICTURES[number]), self.label(LABELS[number])


class Broken(Folder):
    """A data set of which some images cannot be read."""

    def __init__(self, bad):
        super().__init__()
        self.bad = bad

    def __getitem__(self, number):
        if number in self.bad:
            raise OSError("image file is truncated")
        return super().__getitem__(number)


class Noisy(Folder):
    """A data set with a random augmentation in it."""

    def __getitem__(self, number):
        noise = np.random.default_rng().integers(0, 9, PIXELS[0].shape, dtype=np.uint8)
        return PIXELS[number] // 2 + noise, int(LABELS[number])


def to_tensor(picture):
    return torch.from_numpy(np.asarray(picture).transpose(2, 0, 1) / 255).float()


def hub_set(n=40, **more):
    names = {"image": SimpleNamespace(), "label": ClassLabel(names=["ant", "bee", "cat", "dog"])}
    return HubSet({**names, **more}, image=PICTURES[:n], label=LABELS[:n].tolist())


FORMS = {
    "a pair": lambda: PAIR,
    "a list of two": lambda: [PIXELS, LABELS],
    "tensors": lambda: (torch.tensor(PIXELS), torch.tensor(LABELS)),
    "tensors with gradients": lambda: (torch.tensor(PIXELS / 255, requires_grad=True), LABELS),
    "lists": lambda: (PIXELS.tolist(), LABELS.tolist()),
    "a list of arrays": lambda: (list(PIXELS), list(LABELS)),
    "a list of tensors": lambda: (
        list(torch.tensor(PIXELS)),
        [torch.tensor(int(label)) for label in LABELS],
    ),
    "an array of objects": lambda: (np.array([*PIXELS, None], object)[:-1], LABELS),
    "pictures": lambda: (PICTURES, LABELS),
    "encoded pictures": lambda: (ENCODED, LABELS),
    "pairs": lambda: list(zip(PICTURES, LABELS.tolist(), strict=True)),
    "pairs of arrays and tensors": lambda: [
        (one, torch.tensor(label)) for one, label in zip(PIXELS, LABELS, strict=True)
    ],
    "dicts": lambda: [
        {"image": one, "label": label} for one, label in zip(PICTURES, LABELS, strict=True)
    ],
    "a dict of columns": lambda: {"pixel_values": PIXELS, "target": LABELS},
    "a torch data set": Folder,
    "a torch data set of tensors": lambda: Folder(to_tensor),
    "a part of a torch data set": lambda: Subset(Folder(), range(40)),
    "tensors as a data set": lambda: TensorDataset(torch.tensor(PIXELS), torch.tensor(LABELS)),
    "a Hugging Face data set": hub_set,
    "a table of pictures": lambda: Table(image=PICTURES, label=LABELS.tolist()),
    "a table of encoded pictures": lambda: Table(
        image=[{"bytes": one, "path": None} for one in ENCODED], label=LABELS.tolist()
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_images(form):
    data = load_data(FORMS[form](), test=PAIR)
    assert np.array_equal(data.train.images, PIXELS)
    assert np.array_equal(data.train.labels, LABELS)
    assert data.train.class_names in (tuple("0123"), Folder.classes)
    assert len(data.test) == 40
    assert data.place is None


def test_a_parquet_table_in_memory():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"image": ENCODED, "label": WORDS.tolist()})
    data = load_data(table)
    assert data.train.class_names == Folder.classes
    assert len(data.train) + len(data.test) == 40


PARTS = {
    "by words": {"train": PAIR, "test": PAIR},
    "as Keras has them": (PAIR, PAIR),
    "of a Hugging Face dict": {"train": hub_set(), "validation": hub_set(8), "test": hub_set()},
    "in a column": Table(
        image=PICTURES * 2, label=[*LABELS, *LABELS], split=["train"] * 40 + ["test"] * 40
    ),
}


@pytest.mark.parametrize("form", PARTS)
def test_parts_are_kept_apart(form):
    data = load_data(PARTS[form])
    assert (len(data.train), len(data.test)) == (40, 40)
    assert np.array_equal(open_sealed_test(data.test).images, PIXELS)
    assert (len(data.val) if data.val else 0) == (8 if "Hugging" in form else 0)


def test_further_splits_are_left_alone_and_counted():
    data = load_data({"train": PAIR, "test": PAIR, "unsupervised": hub_set()})
    (left_out,) = data.left_out
    assert (left_out.count, left_out.example) == (40, "unsupervised")
    assert len(data.train) == 40


@pytest.mark.parametrize("white", [1, 255, 1023, 4095, 65_535])
@pytest.mark.parametrize("whole", [True, False])
def test_other_parts_have_the_scale_of_the_training_images(white, whole):
    """A dark test set would otherwise be taken for one on another scale."""
    kind = np.float32 if white <= 255 else np.uint16
    images = np.rint(PIXELS / 255 * white).astype(kind) if white > 1 else PIXELS / 255
    dark = (images * 0.003).astype(images.dtype)
    test = (dark if whole else list(dark), LABELS)
    data = load_data((images if whole else list(images), LABELS), test=test)
    assert np.abs(data.train.images.astype(int) - PIXELS).max() <= 1
    assert open_sealed_test(data.test).images.max() <= 1


@pytest.mark.parametrize(
    ("images", "same"),
    [
        (PIXELS > 127, False),
        (np.clip(PIXELS / 255 * 1.06 - 0.03, -0.03, 1.03), False),
        (torch.tensor(PIXELS / 255, dtype=torch.bfloat16), False),
        (torch.tensor(PIXELS / 255, dtype=torch.float16), False),
        (PIXELS.astype(np.uint16), True),
        (PIXELS * 1.0, True),
        (np.concatenate([PIXELS, np.full_like(PIXELS[:, :1], 255)], axis=1), True),
    ],
)
def test_types_and_ranges(images, same):
    data = load_data((images, LABELS), test=PAIR)
    most = 0 if same else 130 if images.dtype == bool else 9
    assert np.abs(data.train.images.astype(int) - PIXELS).max() <= most
    assert data.train.images.max() == 255


def test_a_dark_set_is_noted():
    data = load_data((PIXELS // 16, LABELS))
    assert any("run to 15, where 255 is white" in note for note in data.notes)


def test_flat_rows_are_square_images():
    images = np.random.default_rng(0).integers(0, 256, (40, 64), dtype=np.uint8)
    assert load_data((images, LABELS)).train.shape == (1, 8, 8)
    columns = {f"pixel{k}": images[:, k].tolist() for k in range(64)}
    data = load_data(Table(label=LABELS.tolist(), **columns), test=(images, LABELS))
    assert np.array_equal(data.train.images.reshape(40, 64), images)


def test_pictures_of_other_sizes_are_resized_and_arrays_if_asked():
    mixed = [*PICTURES[:-1], Image.new("L", (50, 40))]
    data = load_data((mixed, LABELS), test=(mixed, LABELS))
    assert data.train.shape[1] == data.train.shape[2]
    assert any("resized" in note for note in data.notes)
    assert load_data(PAIR, image_size=16, test=PAIR).train.shape == (3, 16, 16)
    assert load_data(
        (np.zeros((40, 300, 200, 3), np.uint8) + LABELS[:, None, None, None] * 9, LABELS),
        test=PAIR,
        image_size=32,
    ).train.shape == (3, 32, 32)


def test_a_few_unreadable_images_are_left_out(refuses):
    data = load_data(Broken({3, 17}), test=PAIR)
    assert np.array_equal(data.train.images, np.delete(PIXELS, [3, 17], axis=0))
    assert np.array_equal(data.train.labels, np.delete(LABELS, [3, 17]))
    (left_out,) = data.left_out
    assert (left_out.reason, left_out.count) == ("unreadable", 2)
    assert "number 3 of the data set cannot be read (OSError" in left_out.example
    with refuses("number 3 of the data set cannot be read"):
        load_data(Broken({3}), strict=True)
    with refuses("number 3", "3 more of 40"):
        load_data(Broken({3, 4, 5, 6}))


def test_random_transforms_are_noted():
    assert any("at random" in note for note in load_data(Noisy()).notes)
    assert not any("at random" in note for note in load_data(Folder()).notes)


def test_a_hub_set_is_decoded_once():
    source = hub_set()
    load_data({"train": source, "test": PAIR})
    assert source.decoded <= 2 * len(source) + 2, "the columns, the sizes of some, then all"


CLASS_NAMES = [
    (LABELS, ["ant", "bee", "cat", "dog"]),
    (LABELS + 1, ["ant", "bee", "cat", "dog"]),
    (LABELS.astype(float), {0: "ant", 1: "bee", 2: "cat", 3: "dog"}),
    (LABELS * 5, {0: "ant", 5: "bee", 10: "cat", 15: "dog"}),
    (LABELS, {"ant": 0, "bee": 1, "cat": 2, "dog": 3}),
    (WORDS, {"ant": 0, "bee": 1, "cat": 2, "dog": 3}),
    (WORDS, {"ant": "ant", "bee": "bee", "cat": "cat", "dog": "dog"}),
    (np.eye(4)[LABELS], ["ant", "bee", "cat", "dog"]),
    (np.eye(4, dtype=bool)[LABELS], ["ant", "bee", "cat", "dog"]),
    (torch.eye(4)[torch.tensor(LABELS)], ["ant", "bee", "cat", "dog"]),
    (WORDS.astype("S"), None),
    (WORDS.tolist(), None),
    ([word.encode() for word in WORDS], None),
    (WORDS.astype(object), None),
]


@pytest.mark.parametrize(("labels", "names"), CLASS_NAMES)
def test_class_names(labels, names):
    data = load_data((PIXELS, labels), class_names=names, test=(PIXELS, labels))
    assert data.train.class_names == ("ant", "bee", "cat", "dog")
    assert np.array_equal(data.train.labels, LABELS)


def test_bools_and_numbers_in_natural_order():
    data = load_data((PIXELS, LABELS > 1), test=(PIXELS, LABELS > 1))
    assert data.train.class_names == ("False", "True")
    named = load_data((PIXELS, LABELS > 1), class_names=["no", "yes"])
    assert named.train.class_names == ("no", "yes")
    by_dict = load_data((PIXELS, LABELS > 1), class_names={False: "no", True: "yes"})
    assert by_dict.train.class_names == ("no", "yes")
    texts = [f"class {label * 5}" for label in LABELS]
    assert load_data((PIXELS, texts)).train.class_names == (
        "class 0", "class 5", "class 10", "class 15"
    )  # fmt: skip
    long = [f"{label}{'0' * 5000}" for label in LABELS]
    from smallvision.data.decoding.labels import sort_names

    assert len(sort_names(long)) == 4, "numbers beyond what Python reads as one"


def test_a_table_of_paths(tmp_path, refuses, monkeypatch):
    write_pictures(tmp_path / "pets", n=10)
    paths = sorted((tmp_path / "pets").rglob("*.png"))
    labels = [path.parent.name for path in paths]
    table = Table(file=[str(path) for path in paths], species=labels, n=list(range(20)))
    data = load_data(table)
    assert (data.train.class_names, data.place) == (("cat", "dog"), None)
    assert len(data.train) + len(data.test) == 20
    same = load_data((paths, labels))
    assert np.array_equal(same.train.images, data.train.images)
    monkeypatch.chdir(tmp_path)
    relative = [str(path.relative_to(tmp_path)) for path in paths]
    assert len(load_data((relative, labels)).train) == len(data.train)
    others = load_data((paths, ["red", "blue"] * 10))
    assert others.train.class_names == ("blue", "red"), "the same files with other labels"
    split = Table(file=[*map(str, paths)], label=labels, split=["train", "test"] * 10)
    parts = load_data(split)
    assert (len(parts.train), len(parts.test)) == (10, 10)
    with refuses("none of the 2 files exists (first: a.png)", str(tmp_path)):
        load_data((["a.png", "b.png"], ["a", "b"]))
    with refuses("20 paths but 1 labels"):
        load_data((paths, ["a"]))


def test_columns_are_named_where_they_cannot_be_told(refuses):
    table = Table(photo=PICTURES, colour=WORDS.tolist(), mood=LABELS.tolist())
    with refuses("colour, mood might hold labels; name the column with label_column"):
        load_data(table)
    assert load_data(table, label_column="colour").train.class_names == Folder.classes
    with refuses("there is no column 'x'; it has photo, colour, mood"):
        load_data(table, label_column="x")
    both = Table(image=PICTURES, fine_label=WORDS.tolist(), coarse_label=(LABELS // 2).tolist())
    assert load_data(both, label_column="coarse_label").train.num_classes == 2
    assert load_data(both).train.class_names == Folder.classes


def test_a_column_groups(refuses):
    table = Table(
        image=PICTURES, label=LABELS.tolist(), person=(np.arange(len(LABELS)) // 2).tolist()
    )
    assert load_data(table, group_by="person").train.num_classes == 4
    with refuses("there is no column 'x' to group by"):
        load_data(table, group_by="x")


def test_rare_classes_are_left_out_if_asked(refuses):
    labels = WORDS.copy()
    labels[:2] = "yak"
    val = (255 - PIXELS, labels)
    data = load_data((PIXELS, labels), val=val, test=(PIXELS, WORDS), min_per_class=5)
    assert data.train.class_names == Folder.classes
    assert (len(data.train), len(data.val), len(data.test)) == (38, 38, 40)
    (left_out,) = data.left_out
    assert (left_out.count, left_out.example) == (4, "yak")
    assert np.array_equal(data.train.labels, LABELS[2:])
    with refuses("0 of 5 classes have 99 or more training images"):
        load_data((PIXELS, labels), min_per_class=99)
    with pytest.raises(SettingError, match="min_per_class is 0"):
        load_data((PIXELS, labels), min_per_class=0)


class Endless(IterableDataset):
    """A data set that has no length."""

    def __iter__(self):
        yield from zip(PIXELS, LABELS, strict=True)


class NoSet:
    """An object of no known kind."""


WRONG = {
    "an array alone": (PIXELS, "an ndarray alone has no labels; expected sv.load_data((images,"),
    "a tensor alone": (torch.tensor(PIXELS), "a Tensor alone has no labels"),
    "a picture": (PICTURES[0], "alone has no labels", "sv.classify(model, images)"),
    "pictures alone": (PICTURES, "a list of images has no labels; expected sv.load_data((images,"),
    "arrays alone": (list(PIXELS), "has no labels"),
    "paths alone": (["a.png", "b.png", "c.png"], "a list of images has no labels"),
    "a loader": (DataLoader(Folder()), "expected sv.load_data(loader.dataset)"),
    "a generator": (iter([]), "can be read once and in order", "sv.load_data(list(pairs))"),
    "an endless data set": (Endless(), "an Endless can be read once and in order"),
    "the wrong order": ((LABELS, PIXELS), "the labels come first; expected (images, labels)"),
    "nothing": (None, "a NoneType holds no images with labels; expected a name, a path"),
    "a number": (3, "an int holds no images"),
    "an object": (NoSet(), "a NoSet holds no images"),
    "bytes": (b"x", "a bytes holds no images"),
    "a network": (torch.nn.Linear(2, 2), "a Linear holds no images"),
    "settings": ({"epochs": 3}, "a dict holds no images"),
    "an empty dict": ({}, "a dict without rows"),
    "an empty list": ([], "a list holds no images"),
    "an empty table": (Table(image=[], label=[]), "a Table without rows"),
    "three things": ((PIXELS, LABELS, LABELS), "has no labels"),
    "no training part": ({"test": PAIR}, "it has test but no 'train'"),
    "two training parts": ({"train": PAIR, "Train": PAIR}, "'Train' is a second part"),
    "images that are none": ([({"bytes": b"x"}, 1)] * 4, "images, number 0"),
    "pairs without a label": ([(PIXELS[0],)] * 4, "number 0 of the data set is a tuple"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_object_gets_the_right_call(case, refuses):
    source, *words = WRONG[case]
    with refuses(*words):
        load_data(source)


def test_classes_of_parts_agree(refuses):
    other = Folder()
    other.classes = ("dog", "cat", "bee", "ant")
    with refuses("the classes of test are not those of train, or in another order"):
        load_data(Folder(), test=other)


def test_options_and_objects(refuses):
    with pytest.raises(SettingError, match="label_from does not apply to this source"):
        load_data(PAIR, label_from="(.)")
    with pytest.raises(SettingError, match="data_dir is for cifar10"):
        load_data(PAIR, data_dir="x")
    with pytest.raises(SettingError, match="test is a tuple, and the source is a path"):
        load_data("digits", test=PAIR)
    with pytest.raises(SettingError, match="class_names does not apply to 'digits'"):
        load_data("digits", class_names=["a"])
    data = load_data(PAIR, name="mine", mirror_safe=False)
    assert (data.name, data.mirror_safe) == ("mine", False)
    with refuses("a data set already"):
        load_data(data)
    assert as_dataset(data) is data
    assert len(as_dataset(PAIR).train) == 32


def test_the_objects_stay_their_owner_s():
    images, labels = PIXELS.copy(), LABELS.copy()
    data = load_data((list(images), labels), test=(images, labels))
    images[:] = 0
    assert np.array_equal(data.train.images, PIXELS)
    assert np.array_equal(open_sealed_test(data.test).images, PIXELS)


def test_a_stand_in_is_what_it_stands_for():
    assert not isinstance(Table(a=[1]), Mapping)
    for name in ("pandas", "datasets"):
        module = pytest.importorskip(name)
        frame = getattr(module, "DataFrame", None) or module.Dataset
        assert hasattr(frame, "__getitem__")
