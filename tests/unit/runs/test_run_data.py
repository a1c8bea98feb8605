"""The split of a run is checked against the one in its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from smallvision.errors import RecordError
from tests.support.images import make_dataset
from tests.support.runs import train_tiny


def test_a_changed_split_file_is_noticed(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path)
    other = tmp_path.parent / "other"
    train_tiny(dataset, other, split_seed=9)
    shutil.copy(other / "split.npz", tmp_path / "split.npz")
    with pytest.raises(RecordError, match="does not match the hashes"):
        train_tiny(dataset, tmp_path)


def test_a_folder_of_another_split_or_of_other_images_is_refused(
    dataset: DataSet, tmp_path: Path
) -> None:
    train_tiny(dataset, tmp_path)
    with pytest.raises(RecordError, match="other data or another split"):
        train_tiny(dataset, tmp_path, split_seed=9)
    with pytest.raises(RecordError, match="other data or another split"):
        train_tiny(make_dataset(seed=1), tmp_path)
