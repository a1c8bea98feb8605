"""Data sets of several sizes go through all steps, and the record says what that took."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.throughput import large
from benchmarks.throughput.large import COMPARED, FEW, GrowthPoint, LargeRecord, Source
from benchmarks.throughput.large_steps import LOOK, STEPS
from smallvision.data.loading.load import load_data
from smallvision.errors import DataError
from smallvision.records import store


def make_record(like: LargeRecord) -> LargeRecord:
    (point,) = like.points
    assert point.seconds is not None
    points = [
        point.change(
            source=source,
            images=count,
            seconds=dict.fromkeys(point.seconds, 1 + count / 1000000.0),
        )
        for source in (Source.npz, Source.parquet)
        for count in (FEW, 10_000, COMPARED, 4_000_000)
    ]
    return like.change(points=tuple(points))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks are those of Linux")
def test_a_size_is_measured_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALLVISION_WORKING_SET", "1MB")  # so that images lie in a file
    large.large(Source.npz, [400], scratch=tmp_path, out=tmp_path / "here")
    path = tmp_path / "here" / "large.json"
    record = store.read(path, LargeRecord)
    (point,) = record.points
    assert point.seconds is not None
    assert {*point.seconds} == {*STEPS, LOOK} == {*point.peaks} == {*point.elapsed}
    assert point.microseconds == 1e6 * sum(point.seconds[step] for step in STEPS) / 400
    assert record.working_set == 10**6
    assert [each.name for each in tmp_path.iterdir() if each.is_dir()] == ["here"]
    store.write(path, make_record(record))
    monkeypatch.setattr(large, "BENCH", tmp_path)
    text = "\n".join(large.write_block())
    assert "| npz | 4,000,000 |" in text
    assert "| 6 | 1.00 |" in text, "what any number of images takes is taken off"
    drawn = large.draw_plot()
    assert drawn is not None
    plot = ElementTree.fromstring(drawn)
    assert len(plot.findall(".//{*}circle")) == 2 * 6


@pytest.mark.parametrize("source", [*Source])
def test_all_sources_hold_the_same_images(tmp_path: Path, source: Source) -> None:
    if source == Source.parquet:
        pytest.importorskip("pyarrow")
    data = load_data(large.WRITERS[source](tmp_path, 500))
    assert (len(data.train), data.train.shape) == (400, (3, 32, 32))
    chosen = data.train.images[:]
    pixels, _ = next(large.draw_images(500))
    assert chosen[0].transpose(1, 2, 0).tolist() in pixels[:50].tolist()


def test_too_small_a_disk_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = large.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(large.shutil, "disk_usage", lambda _: free)
    with pytest.raises(DataError, match=r"has no room for 25\.8 GB: name another folder"):
        large.measure(Source.npz, 4_000_000, 4 * 10**9, tmp_path)


def test_a_point_knows_its_sum_and_peak() -> None:
    steps = dict.fromkeys((*STEPS, LOOK), 1.0)
    point = GrowthPoint(
        source=Source.npz,
        images=6,
        bytes=1,
        seconds=steps,
        elapsed=steps,
        alike=3,
        peaks={step: number for number, step in enumerate(steps)},
        limit=None,
        val_accuracy=0.1,
        test_accuracy=0.1,
    )
    assert (point.microseconds, point.peak) == (1e6, 6)
