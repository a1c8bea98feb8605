"""Claims of an npz are compared with its bytes before memory is set aside."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from smallvision.data.decoding import npz_file
from smallvision.data.decoding.npz_file import open_npz
from tests.battery.bounds_archives import header, npy, pack


@pytest.fixture
def place(tmp_path):
    def make(content):
        path = tmp_path / "it.npz"
        path.write_bytes(content)
        return path

    return make


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["u1", "<i8", ">f4", "U5"])
def test_arrays_come_out_as_they_went_in(save, order, kind, tmp_path):
    array = np.asarray(np.arange(12).reshape(3, 4), dtype=kind, order=order)
    save(tmp_path / "it.npz", x=array, empty=np.empty((0, 3)))
    with open_npz(tmp_path / "it.npz") as arrays:
        assert arrays.names == ["x", "empty"]
        found = arrays.read("x")
        assert (arrays.claim("x").shape, arrays.claim("x").dtype) == ((3, 4), array.dtype)
        assert arrays.read("empty").shape == (0, 3)
    assert np.array_equal(found, array)


def test_the_directory_is_bounded(place, refuses, monkeypatch):
    path = place(pack({}))
    monkeypatch.setattr(npz_file, "MAX_DIRECTORY_BYTES", 100)
    with refuses("its directory has 10", "expected at most 100"), open_npz(path):
        pass


def test_the_directory_of_a_large_file_is_bounded(tmp_path, refuses, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)  # from where sizes are kept elsewhere
    path = tmp_path / "it.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(np.arange(9)))
    assert b"PK\6\7" in path.read_bytes()
    with open_npz(path) as arrays:
        assert arrays.read("x").tolist() == list(range(9))
    monkeypatch.setattr(npz_file, "MAX_DIRECTORY_BYTES", 50)
    with refuses("its directory has"), open_npz(path):
        pass


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (header((3,)) + b"abcd", "x claims 3 bytes and holds 4"),
        (header((5,)) + b"abcd", "x claims 5 bytes and holds 4"),
        (header((4,), "|O") + b"abcd", "x holds Python objects"),
        (header((-4,)), "x has the shape (-4,)"),
        (header("(4,)" + " " * 10_000, long=True) + b"abcd", "the header of x has 10,0"),
        (b"\x80\x04.", "x is no array"),
    ],
)
def test_a_claim_is_compared(content, words, place, refuses):
    with (
        refuses("it cannot be read as plain arrays", words),
        open_npz(place(pack({"x.npy": content}))) as arrays,
    ):
        arrays.read("x")


def test_a_bomb_is_one_by_the_bytes_of_the_file(place, refuses, monkeypatch):
    monkeypatch.setattr(npz_file, "BOMB_BYTES", 1000)
    monkeypatch.setattr(npz_file, "BOMB_RATIO", 2)
    path = place(pack({"x.npy": npy(np.zeros(5000))}))
    with refuses("x unpacks to 40,128 bytes"), open_npz(path) as arrays:
        arrays.read("x")
