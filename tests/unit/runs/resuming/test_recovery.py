"""Runs that diverge or run out of memory, in one session or after an interruption."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from tests.support.faults import inject
from tests.support.runs import Interrupt, read_bits, train_tiny


@pytest.mark.parametrize("kind", ["loss", "memory"])
def test_an_interrupted_run_is_mended_like_one_that_was_not(
    dataset: DataSet, tmp_path: Path, kind: str
) -> None:
    """The epoch in which it fails is done again whole, not from where the signal came."""
    steps = 6
    with inject({steps + 4}, kind):
        train_tiny(dataset, tmp_path / "whole", nonfinite="roll-back")
    with pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, tmp_path / "torn", Interrupt(1), nonfinite="roll-back")
    with inject({2}, kind):  # step 4 of the second epoch once more
        train_tiny(dataset, tmp_path / "torn", nonfinite="roll-back")
    assert read_bits(tmp_path / "torn") == read_bits(tmp_path / "whole")
