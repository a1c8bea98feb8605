"""Stored predictions; tests/battery/hostile_models.py has what no predictions are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smallvision.errors import RecordError
from smallvision.records.predictions import Predictions, read_predictions, write_predictions

ROWS = np.array([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]], dtype=np.float32)
WHOLE = Predictions(np.array([7, 3, 5]), np.array([1, 0, 1]), ROWS)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_predictions(tmp_path, WHOLE)
    assert all(map(np.array_equal, read_predictions(tmp_path), WHOLE))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"probabilities": np.full((3, 2), np.nan, dtype=np.float32)}, "not finite"),
        ({"probabilities": ROWS * 0.9}, "add up to 1"),
        ({"probabilities": ROWS.astype(np.float64)}, "expected float32"),
        ({"labels": np.array([1, 0, 2])}, "run from 0 to 2; expected 0 to 1"),
        ({"labels": np.array([1, 0])}, "expected int64, one for each row"),
        ({"indices": np.array([7, 3, 7])}, "an image twice"),
        ({"indices": np.array([7, 3, -5])}, "below 0"),
    ],
)
def test_what_no_predictions_are_is_refused(
    tmp_path: Path, changes: dict[str, np.ndarray], said: str
) -> None:
    write_predictions(tmp_path, WHOLE._replace(**changes))
    with pytest.raises(RecordError, match=f"val.npz holds no predictions: .*{said}"):
        read_predictions(tmp_path)


def test_predictions_of_another_number_of_classes_are_refused(tmp_path: Path) -> None:
    write_predictions(tmp_path, WHOLE)
    assert read_predictions(tmp_path, 2)
    with pytest.raises(RecordError, match="2 classes; its model has 3"):
        read_predictions(tmp_path, 3)
