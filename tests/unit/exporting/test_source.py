"""Which images an export is checked on: never test images, and never the wrong ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.split import read_split
from smallvision.errors import DataError
from smallvision.exporting.source import ExportSource, find_images, find_source
from smallvision.runs.refit import refit_run
from tests.support.images import make_dataset
from tests.support.runs import make_job, train_tiny


def find(source: ExportSource, data: DataSet | None, **options: object):
    return find_images(source, data, None, **{"most": 10, "labelled": False, **options})


def find_numbers(images: np.ndarray, dataset: DataSet) -> set[int]:
    """The numbers of images in a data set."""
    rows = {image.tobytes(): i for i, image in enumerate(dataset.train.images)}
    return {rows[image.tobytes()] for image in images}


def test_validation_images_and_training_images_to_measure_on(
    source: ExportSource, run: Path, rows: DataSet
) -> None:
    found, split = find(source, rows), read_split(run)
    assert found.kind == "validation"
    chosen = find_numbers(found.images, rows)
    assert len(chosen) == 10
    assert chosen < set(split.val.tolist())
    assert chosen != set(split.val[:10].tolist()), "which may all be of one class"
    assert find_numbers(found.calibration, rows) <= set(split.train.tolist())
    assert not found.notes


def test_images_of_another_data_set(source: ExportSource) -> None:
    with pytest.raises(DataError, match="trained on other images"):
        find(source, make_dataset(seed=5))


def test_a_run_whose_data_are_gone(source: ExportSource) -> None:
    """A run on arrays remembers no place."""
    found = find(source, None)
    assert (found.kind, found.labels) == ("made up", None)
    assert "made up" in found.notes[0]
    assert "/" not in found.notes[0], "a path, which --to hub would publish"
    assert len(np.unique(found.images)) == 256
    with pytest.raises(DataError, match="no record tells where"):
        find(source, None, labelled=True)


def test_a_saved_model_alone(source: ExportSource, rows: DataSet) -> None:
    alone = replace(source, run=None)
    assert find(alone, None).kind == "made up"
    found = find(alone, rows, labelled=True)
    assert found.kind == "labelled"
    assert "may have been trained" in found.notes[0]
    with pytest.raises(DataError, match="--data"):
        find(alone, None, labelled=True)
    with pytest.raises(DataError, match="other classes"):
        find(alone, make_dataset(num_classes=4))


def test_a_model_that_has_seen_its_validation_images(rows: DataSet, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train_tiny(rows, folder, epochs=1, model={"name": "linear"})
    assert find(find_source(folder), rows).kind == "validation"
    refit_run(folder, make_job(rows, folder))
    found = find(find_source(folder), rows)
    assert found.kind == "labelled"
    assert "has been trained on" in found.notes[0]
