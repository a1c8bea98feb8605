"""The opening of a test set: written down and counted before any image is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import SealedTest
from smallvision.evaluation.open_test import Opening, open_test
from smallvision.records.ledger import read_openings
from tests.support.images import make_images
from tests.support.records import HASH, OTHER_HASH


def open_for(dataset: DataSet, folder: Path) -> tuple[ImageSet, Opening]:
    folder.mkdir(exist_ok=True)
    return open_test(dataset, folder, study="s", model="m", command="c")


def test_the_ledger_is_written_before_the_images_are_seen(dataset: DataSet, tmp_path: Path) -> None:
    written = []

    def look() -> ImageSet:
        written.append(len(read_openings(tmp_path / "run")))
        return make_images(30)

    locked = SealedTest(look, size=30, fingerprint=HASH)
    images, _ = open_for(replace(dataset, test=locked), tmp_path / "run")
    assert len(images) == 30
    assert written == [1]
    (entry,) = read_openings(tmp_path / "run")
    assert (entry.study, entry.model, entry.command, entry.n) == ("s", "m", "c", 30)
    assert entry.data_fingerprint == HASH


def test_openings_are_counted_here_and_on_the_machine(dataset: DataSet, tmp_path: Path) -> None:
    counts = [open_for(dataset, tmp_path / name)[1] for name in ("a", "a", "b")]
    assert counts == [Opening(1, 1), Opening(2, 2), Opening(1, 3)]
    other = replace(
        dataset, test=SealedTest(lambda: make_images(9), size=9, fingerprint=OTHER_HASH)
    )
    assert open_for(other, tmp_path / "b")[1] == Opening(2, 1), "these are other images"


def test_the_same_photographs_at_another_size_are_counted_on(
    dataset: DataSet, tmp_path: Path
) -> None:
    tests = [
        SealedTest(lambda: make_images(9), size=9, fingerprint=fingerprint, origin=HASH)
        for fingerprint in (HASH, OTHER_HASH)
    ]
    opened = [open_for(replace(dataset, test=test), tmp_path / "a")[1] for test in tests]
    assert opened == [Opening(1, 1), Opening(2, 2)]
    entries = read_openings(tmp_path / "a")
    assert [entry.data_fingerprint for entry in entries] == [HASH, OTHER_HASH]
    assert [entry.origin for entry in entries] == [HASH, HASH]


def test_a_machine_may_be_without_a_memory(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "a file"
    nowhere.write_text("no place for a cache")
    monkeypatch.setenv("SMALLVISION_CACHE", str(nowhere))
    assert open_for(dataset, tmp_path / "run")[1] == Opening(1, None)
