"""Which checkpoints are written and which are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from smallvision.records.layout import list_checkpoints, paused_folder
from tests.support.faults import inject
from tests.support.runs import Interrupt, read_bits, train_in_two_sessions, train_tiny


@pytest.mark.parametrize("keep", ["best", "cycles"])
def test_pruned_checkpoints_can_be_resumed_from(
    dataset: DataSet, tmp_path: Path, keep: str
) -> None:
    train_tiny(dataset, tmp_path / "whole", epochs=6, checkpoints=keep)
    torn = train_in_two_sessions(dataset, tmp_path / "torn", 5, epochs=6, checkpoints=keep)
    assert torn.notes == ()
    assert read_bits(tmp_path / "whole") == read_bits(tmp_path / "torn")


def test_best_last_and_cycle_ends_are_kept(dataset: DataSet, tmp_path: Path) -> None:
    status = train_tiny(dataset, tmp_path, epochs=7)
    kept = {int(path.name) for path in (tmp_path / "checkpoints").iterdir()}
    assert {4, 7, status.best_epoch} <= kept
    assert len(kept) < 7


def test_a_spoilt_state_is_not_gone_on_from(dataset: DataSet, tmp_path: Path) -> None:
    """The gradient of the step before the signal was no number, so the weights are none."""
    with inject({8}, "gradient"), pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, tmp_path, Interrupt(1))
    assert list_checkpoints(tmp_path) == [1]
    assert not paused_folder(tmp_path).exists()
    assert train_tiny(dataset, tmp_path).status == "done"
