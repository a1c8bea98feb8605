"""Files are whole or absent, and what reads them survives any damage."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from smallvision.errors import RecordError
from smallvision.records import files


def test_a_write_replaces_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "é")
    assert path.read_bytes() == "é".encode()

    def fill(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fill)
    with pytest.raises(RecordError, match=r"cannot write .*a\.txt \(5 bytes\): No space left"):
        files.write_text(path, "other")
    assert path.read_bytes() == "é".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_pipe_is_not_overwritten(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(RecordError, match="no regular file"):
        files.write_text(pipe, "x")
    assert pipe.is_fifo()


def test_a_folder_cannot_take_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(RecordError, match="cannot write"):
        files.make_folder(tmp_path / "a" / "b")
    assert files.make_folder(tmp_path / "c" / "d").is_dir()


def test_npz_round_trip(tmp_path: Path) -> None:
    files.write_npz(tmp_path / "a.npz", x=np.arange(3), y=np.eye(2))
    y, x = files.read_npz(tmp_path / "a.npz", "y", "x")
    assert x.tolist() == [0, 1, 2]
    assert y.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("length", [0, 10, 60])
def test_a_damaged_npz_is_one_line(tmp_path: Path, length: int) -> None:
    files.write_npz(tmp_path / "a.npz", x=np.arange(300))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[:length] if length < 60 else content[:-40] + bytes(40))
    with pytest.raises(RecordError, match=r"a\.npz cannot be read"):
        files.read_npz(tmp_path / "a.npz", "x")


@pytest.mark.parametrize(("offset", "bit"), [(6, 0x40), (8, 1), (8, 0x20), (10, 0x40)])
def test_any_flipped_bit_of_an_npz_is_one_line(tmp_path: Path, offset: int, bit: int) -> None:
    """Those of the directory of a zip file say how a member is packed."""
    path = tmp_path / "a.npz"
    files.write_npz(path, a=np.arange(9))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + offset] ^= bit
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"a\.npz cannot be read"):
        files.read_npz(path, "a")


def test_a_missing_array_is_one_line(tmp_path: Path) -> None:
    files.write_npz(tmp_path / "a.npz", x=np.arange(3))
    with pytest.raises(RecordError, match=r"a\.npz cannot be read"):
        files.read_npz(tmp_path / "a.npz", "y")


def test_a_bomb_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, x=np.zeros(150_000_000, np.uint8))
    with pytest.raises(RecordError, match="unpacks to 150,000,128 bytes"):
        files.read_npz(path, "x")


def test_arrays_that_unpack_to_too_much_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    files.write_npz(path, a=np.zeros(4000, dtype=np.uint8), b=np.zeros(4000, dtype=np.uint8))
    monkeypatch.setattr(files, "MAX_ARRAY_BYTES", 8500)
    files.read_npz(path, "a", "b")
    monkeypatch.setattr(files, "MAX_ARRAY_BYTES", 5000)
    with pytest.raises(RecordError, match=r"its arrays unpack to 8,256 bytes"):
        files.read_npz(path, "a")
