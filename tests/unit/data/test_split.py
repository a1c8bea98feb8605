"""A split on disk is the split that was made, or it is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.sources.source import LeftOut
from smallvision.data.split import (
    describe_split,
    make_split,
    read_split,
    read_split_record,
    write_split,
)
from smallvision.errors import RecordError
from smallvision.records.files import write_npz
from smallvision.records.schema import LeftOutRecord
from smallvision.study.study_record import describe_source
from tests.support.images import make_images


def test_a_split_comes_back_from_disk(dataset: DataSet, tmp_path: Path) -> None:
    split = make_split(dataset.train, subset=0.5, seed=3)
    write_split(tmp_path, dataset, split)
    found = read_split(tmp_path)
    assert vars(found).keys() == vars(split).keys()
    for name, value in vars(split).items():
        assert np.array_equal(getattr(found, name), value), name


def test_the_record_tells_counts_and_fingerprints(dataset: DataSet, tmp_path: Path) -> None:
    write_split(tmp_path, dataset, make_split(dataset.train))
    record = read_split_record(tmp_path)
    assert (record.train_n, record.val_n) == (96, 24)
    assert (record.counts.train, record.counts.val) == ((32,) * 3, (8,) * 3)
    assert record.data_fingerprint == dataset.train.fingerprint
    assert record.test_fingerprint == dataset.test.fingerprint
    assert (record.val_fingerprint, record.duplicates, record.dropped) == (None, 0, 0)


def test_the_records_tell_what_is_left_out(dataset: DataSet) -> None:
    dataset = replace(dataset, left_out=(LeftOut("no picture", 3, "cat/a.txt"),))
    entry = LeftOutRecord(reason="no picture", count=3, example="cat/a.txt")
    assert describe_split(dataset, make_split(dataset.train)).left_out == (entry,)
    assert describe_source(dataset).left_out == (entry,)


def test_the_record_of_a_declared_validation_set(dataset: DataSet, tmp_path: Path) -> None:
    val = make_images(30, seed=7)
    declared = replace(dataset, val=val)
    write_split(tmp_path, declared, make_split(declared.train, val=val))
    record = read_split_record(tmp_path)
    assert (record.train_n, record.val_n, record.counts.val) == (120, 30, (10,) * 3)
    assert record.val_fingerprint == val.fingerprint


def test_other_indices_than_those_of_the_record_are_refused(
    dataset: DataSet, tmp_path: Path
) -> None:
    split = make_split(dataset.train)
    write_split(tmp_path, dataset, split)
    write_npz(tmp_path / "split.npz", train=split.train[1:], val=split.val)
    with pytest.raises(RecordError, match="does not match the hashes"):
        read_split(tmp_path)
