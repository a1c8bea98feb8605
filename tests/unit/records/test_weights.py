"""Folders of tensors, any damage of which is found."""

from pathlib import Path

import pytest
import torch

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.schema import TtaRecord
from smallvision.records.weights import (
    check_manifest,
    copy_tensors,
    load_tensors,
    read_manifest,
    save_tensors,
)
from tests.support.records import HASH, edit_json

ABOUT = TtaRecord(mirror=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_tensors(tmp_path / "a", {"model": {"w": torch.arange(64.0)}}, {"about": ABOUT})
    return tmp_path / "a"


def test_round_trip(folder: Path) -> None:
    check_manifest(folder)
    assert torch.equal(load_tensors(folder, "model")["w"], torch.arange(64.0))
    assert store.read(folder / "about.json", TtaRecord) == ABOUT
    assert set(read_manifest(folder)) == {"model.safetensors", "about.json"}


def test_a_copy_is_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    copy_tensors(folder, tmp_path / "b")
    check_manifest(tmp_path / "b")
    for path in folder.iterdir():
        assert (tmp_path / "b" / path.name).read_bytes() == path.read_bytes()


def test_a_damaged_folder_is_not_copied(folder: Path, tmp_path: Path) -> None:
    (folder / "about.json").write_text("{}")
    with pytest.raises(RecordError, match="damaged"):
        copy_tensors(folder, tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "about.json"])
@pytest.mark.parametrize("offset", [1, -5])
def test_one_flipped_bit_is_found(folder: Path, name: str, offset: int) -> None:
    content = bytearray((folder / name).read_bytes())
    content[offset] ^= 4
    (folder / name).write_bytes(content)
    with pytest.raises(RecordError, match="damaged"):
        check_manifest(folder)


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(RecordError, match="missing"):
        check_manifest(folder)


def test_a_folder_without_manifest_is_incomplete(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(RecordError, match="missing"):
        check_manifest(folder)


def test_a_manifest_names_no_file_outside_its_folder(folder: Path) -> None:
    edit_json(folder / "manifest.json", files={"../secret": HASH})
    with pytest.raises(RecordError, match=r"'files\.\.\./secret' is '\.\./secret'"):
        check_manifest(folder)


def test_tensors_that_are_none_are_one_line(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(RecordError, match="cannot be read"):
        load_tensors(folder, "model")
