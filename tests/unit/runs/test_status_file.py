"""What happens to a run stays in its status, whatever comes after."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from smallvision.records import store
from smallvision.records.layout import read_status
from tests.support.runs import Interrupt, train_tiny


def test_a_change_of_machine_is_noted_for_good(dataset: DataSet, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, tmp_path, Interrupt(1))
    status = read_status(tmp_path)
    assert status.compute is not None
    elsewhere = status.change(compute=status.compute.change(threads=99))
    store.write(tmp_path / "status.json", elsewhere)
    with pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, tmp_path, Interrupt(2))
    status = train_tiny(dataset, tmp_path)
    assert ["another threads" in note for note in status.notes] == [True]
    assert status.moved
