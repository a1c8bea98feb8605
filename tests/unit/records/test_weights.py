from pathlib import Path

import pytest
import torch

from smallvision.errors import RecordError
from smallvision.records.weights import check_manifest, load_tensors, save_tensors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_tensors(tmp_path / "a", {"model": {"w": torch.arange(64.0)}}, {"about": {"x": 1}})
    return tmp_path / "a"


def test_round_trip(folder: Path) -> None:
    check_manifest(folder)
    assert torch.equal(load_tensors(folder, "model")["w"], torch.arange(64.0))


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
