"""Records of another process: read when they change, and kept where they are damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smallvision.records import store
from smallvision.records.schema import EpochMetrics, SeedSummary
from smallvision.watching.record_cache import RecordCache
from tests.support.records import make_metrics
from tests.support.study_folder import SEEDS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store.write(tmp_path / "seeds.json", SEEDS)
    return tmp_path / "seeds.json"


def test_a_file_that_has_not_changed_is_not_read_again(path: Path) -> None:
    cache = RecordCache()
    first = cache.read(path, SeedSummary)
    assert first == SEEDS
    assert cache.read(path, SeedSummary) is first
    store.write(path, SEEDS.change(mean=0.5))
    changed = cache.read(path, SeedSummary)
    assert changed is not None
    assert changed.mean == 0.5


def test_a_damaged_record_keeps_what_it_said_and_is_told(path: Path) -> None:
    cache = RecordCache()
    cache.read(path, SeedSummary)
    path.write_text(path.read_text()[:40])
    for _ in range(2):
        cache.begin()
        assert cache.read(path, SeedSummary) == SEEDS
        assert "seeds.json is damaged" in cache.faults[path]
    store.write(path, SEEDS.change(mean=0.5))
    cache.begin()
    restored = cache.read(path, SeedSummary)
    assert restored is not None
    assert restored.mean == 0.5
    assert cache.faults == {}


def test_a_record_that_is_damaged_from_the_first_is_none(path: Path) -> None:
    cache = RecordCache()
    path.write_text("{")
    assert cache.read(path, SeedSummary) is None
    assert list(cache.faults) == [path]


def test_a_record_that_goes_away_is_none(path: Path) -> None:
    cache = RecordCache()
    cache.read(path, SeedSummary)
    path.unlink()
    assert cache.read(path, SeedSummary) is None
    assert cache.find_written(path) == 0.0
    assert cache.faults == {}


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    store.write(tmp_path / "elsewhere.json", SEEDS)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.json")
    (tmp_path / "status.json").write_text("{}")  # which makes it a folder of records
    cache = RecordCache()
    assert cache.read(path, SeedSummary) is None
    assert "is a link" in cache.faults[path]


def test_lines_grow_and_a_torn_one_is_left_out(tmp_path: Path) -> None:
    path, cache = tmp_path / "metrics.jsonl", RecordCache()
    assert cache.read_lines(path, EpochMetrics) == ()
    store.append(path, make_metrics(1))
    assert [line.epoch for line in cache.read_lines(path, EpochMetrics)] == [1]
    store.append(path, make_metrics(2))
    with path.open("a") as file:
        file.write('{"epoch": 3, "st')
    assert [line.epoch for line in cache.read_lines(path, EpochMetrics)] == [1, 2]
    assert cache.faults == {}


def test_the_newest_file_tells_the_time(path: Path) -> None:
    cache = RecordCache()
    os.utime(path, (1000.0, 1000.0))
    cache.read(path, SeedSummary)
    assert (cache.find_written(path), cache.find_newest()) == (1000.0, 1000.0)
