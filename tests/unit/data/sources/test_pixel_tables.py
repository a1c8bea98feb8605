"""Images in the rows of a CSV."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.data.decoding.formats import pixel_rows
from smallvision.data.loading.load import load_data
from smallvision.data.sources.known import pixel_table

RNG = np.random.default_rng(0)


def make_rows(n, D=784):
    return RNG.integers(0, 256, (n, D)), [str(i % 4) for i in range(n)]


def write_pixel_table(path, n=20, *, D=784, header=True, last=False, labels=True):
    """A label and the pixels of an image in each row."""
    pixels, words = make_rows(n, D)
    names = [f"pixel{i}" for i in range(D)]
    lines = []
    for name, row in zip(
        ["label", *words], [names, *(map(str, row) for row in pixels)], strict=True
    ):
        own = [name] if labels else []
        lines.append(",".join([*row, *own] if last else [*own, *row]))
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines[0 if header else 1 :]) + "\n")
    return path


@pytest.mark.parametrize(("header", "last"), [(True, False), (True, True), (False, False)])
@pytest.mark.parametrize(("D", "shape"), [(784, (1, 28, 28)), (3072, (3, 32, 32))])
def test_a_column_for_each_pixel(header, last, D, shape, tmp_path):
    path = write_pixel_table(tmp_path / "a.csv", D=D, header=header, last=last)
    data = load_data(path)
    assert (len(data.train), len(data.test)) == (16, 4)
    assert (data.train.shape, data.train.class_names) == (shape, tuple("0123"))
    assert (data.notes[0] == pixel_table.UNNAMED) is not header


def test_pixels_and_classes_are_those_of_the_rows(tmp_path):
    rows = [f"{k},{','.join([str(10 * k + i)] * 64)}" for i in range(5) for k in range(3)]
    (tmp_path / "a.csv").write_text("label," + ",".join(f"p{i}" for i in range(64)) + "\n")
    with (tmp_path / "a.csv").open("a") as file:
        file.write("\n".join(rows))
    train = load_data(tmp_path / "a.csv").train
    assert (train.images[:, 0, 0, 0] // 10 == train.labels).all()


def test_the_parts_of_kaggle(tmp_path):
    write_pixel_table(tmp_path / "sign_mnist_train.csv")
    write_pixel_table(tmp_path / "sign_mnist_test.csv", 8)
    assert len(load_data(tmp_path).test) == 8


def test_images_to_predict_are_counted(tmp_path):
    write_pixel_table(tmp_path / "train.csv")
    write_pixel_table(tmp_path / "test.csv", 8, labels=False)
    data = load_data(tmp_path)
    assert (len(data.train), len(data.test)) == (16, 4)
    assert [one.example for one in data.left_out] == ["test.csv"]


def write_fer(path):
    pixels, words = make_rows(24, 48 * 48)
    uses = ["Training"] * 16 + ["PublicTest"] * 4 + ["Training"] * 4
    rows = [
        f"{word},{' '.join(map(str, row))},{use}"
        for word, row, use in zip(words, pixels, uses, strict=True)
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    return pixels


def test_all_pixels_in_one_column_and_a_column_of_parts(tmp_path):
    pixels = write_fer(tmp_path / "fer2013.csv")
    data = load_data(tmp_path)
    assert (len(data.train), len(data.test), data.train.shape) == (20, 4, (1, 48, 48))
    assert (data.train.images[16].ravel() == pixels[20]).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: row.replace(",", ",300,", 1).rpartition(",")[0], "must be in range(0, 256)"),
        (lambda row: row + ",7", "has 785 pixels; expected 784"),
        (lambda row: row.replace(",", ",x", 1), "something else than pixels"),
        (lambda row: row.replace(",", ",-1,", 1).rpartition(",")[0], "something else than pixels"),
    ],
)
def test_rows_of_something_else(change, words, tmp_path, refuses):
    path = write_pixel_table(tmp_path / "a.csv")
    lines = path.read_text().splitlines()
    lines[5] = change(lines[5])
    path.write_text("\n".join(lines))
    with refuses(path, "row 6 of a.csv", words):
        load_data(path)


def test_bounds_of_rows(tmp_path, monkeypatch, refuses):
    path = write_pixel_table(tmp_path / "a.csv")
    monkeypatch.setattr(pixel_rows, "MAX_ROWS", 19)
    with refuses("more than 19 rows"):
        load_data(path)
