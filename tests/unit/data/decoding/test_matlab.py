"""MATLAB files: what is read of them, and how hostile ones are refused."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import io as scipy_io

from smallvision.data.decoding.formats import matlab
from smallvision.data.decoding.formats.mat_tables import read_mat_tables
from smallvision.data.decoding.formats.matlab import read_mat
from smallvision.errors import DataError

HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"


def element(kind, body):
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def matrix(kind, shape, content, name=b"x"):
    head = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack("<2i", *shape))
    return element(14, head + element(1, name) + content)


@pytest.mark.parametrize("packed", [False, True])
def test_what_scipy_writes_is_read(packed, tmp_path):
    values = {
        "numbers": np.arange(6.0).reshape(2, 3),
        "text": "Äpfel",
        "cells": np.array(["a", "bc", np.array([3])], dtype=object),
        "table": np.array(["one  ", "three"]),
        "one": {"inner": {"deep": np.arange(3, dtype=np.uint8)}},
        "many": np.array([[("a", 1), ("b", 2)]], dtype=[("name", object), ("k", object)]),
        "sparse": scipy_sparse(),
    }
    scipy_io.savemat(tmp_path / "x.mat", values, do_compression=packed)
    read = read_mat(tmp_path / "x.mat")
    np.testing.assert_array_equal(read["numbers"], values["numbers"])
    assert read["text"] == "Äpfel"
    assert read["cells"][:2] == ["a", "bc"]
    assert read["table"] == ["one", "three"]
    assert read["one"]["inner"][0]["deep"][0].tolist() == [[0, 1, 2]]
    assert read["many"]["name"] == ["a", "b"]
    assert read["sparse"] is None


def scipy_sparse():
    from scipy import sparse

    return sparse.eye(3, format="csc")


def test_tables_are_lists_of_the_same_length(tmp_path):
    values = {
        "one": {"k": np.array([[1.0, 2.0, 2.5]]), "name": np.array(["a", "b", ""], dtype=object)},
        "classes": np.array([["x", "y"]], dtype=object),
        "pixels": np.zeros((4, 4)),
    }
    scipy_io.savemat(tmp_path / "x.mat", values)
    first, second = read_mat_tables(tmp_path / "x.mat")
    assert first.columns == ("k", "name")
    assert first.rows == [("1", "a"), ("2", "b"), ("2.5", "")]
    assert (second.columns, second.rows) == (("classes",), [("x",), ("y",)])


def nest(depth):
    inner = matrix(6, (1, 1), element(9, struct.pack("<d", 1)))
    for _ in range(depth):
        inner = matrix(1, (1, 1), inner)
    return inner


# What each file claims, and words of the one line.
HOSTILE = {
    "four hundred million cells": (matrix(1, (20_000, 20_000), b""), "400,000,000 cells are"),
    "as many structures": (
        matrix(2, (20_000, 20_000), element(5, struct.pack("<i", 2)) + element(1, b"a\0")),
        "400,000,000 cells are claimed",
    ),
    "fields without a length": (
        matrix(2, (1, 1), element(5, struct.pack("<i", 0)) + element(1, b"a\0")),
        "its fields have no names",
    ),
    "too many fields": (
        matrix(2, (1, 1), element(5, struct.pack("<i", 1)) + element(1, b"a" * 500)),
        "there are too many",
    ),
    "cells in cells": (nest(500), "in each other"),
    "a negative shape": (matrix(1, (-1, 2), b""), "claims the shape (-1, 2)"),
    "numbers of no known type": (matrix(6, (1, 1), element(99, bytes(8))), "damaged"),
    "text of numbers": (matrix(4, (1, 2), element(2, b"abc")), "claims the shape"),
    "a packed bomb": (element(15, zlib.compress(bytes(150_000_000)))[:-8], "x.mat"),
    "cut short": (matrix(6, (1, 1), element(9, bytes(8)))[:-5], "cut short"),
    "another version": (None, "no .mat file of version 5"),
}


@pytest.mark.parametrize(("content", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_one_line(content, words, tmp_path):
    path = tmp_path / "x.mat"
    path.write_bytes(b"hello" if content is None else HEADER + content)
    tracemalloc.start()
    try:
        with pytest.raises(
            DataError, match=words.replace("(", r"\(").replace(")", r"\)")
        ) as caught:
            read_mat_tables(path)
        assert tracemalloc.get_traced_memory()[1] < 210_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_many_values_are_refused(tmp_path, monkeypatch):
    cells = np.array([["a"] * 50], dtype=object)
    scipy_io.savemat(tmp_path / "x.mat", {"a": cells})
    monkeypatch.setattr(matlab, "_MOST_VALUES", 40)
    with pytest.raises(DataError, match="more than 40 values"):
        read_mat(tmp_path / "x.mat")


def test_version_7_3_says_how_to_save_it(tmp_path):
    (tmp_path / "x.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(600))
    with pytest.raises(DataError, match="save it with '-v7'"):
        read_mat(tmp_path / "x.mat")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.data())
def test_any_damage_is_read_or_one_error(tmp_path, data):
    path = tmp_path / "x.mat"
    values = {"a": np.array([["b", "c"]], dtype=object), "s": {"k": np.arange(5)}, "t": "text"}
    scipy_io.savemat(path, values)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(128, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(128, len(content)))]))
    with suppress(DataError):
        read_mat_tables(path)
