from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from benchmarks.records import BENCH
from benchmarks.report import draw_page, read_folder
from smallvision.errors import RecordError
from smallvision.records import store
from tests.support.measurements import make_head, make_pipeline


@pytest.mark.parametrize("folder", sorted(BENCH.iterdir()), ids=lambda folder: folder.name)
def test_committed_measurements_can_be_drawn(folder: Path) -> None:
    records = read_folder(folder)
    assert len(records) == len(list(folder.glob("*.json")))
    page = draw_page(records)
    assert page == draw_page(records)
    for name, record in records:
        assert f'id="{name}"' in page
        assert record.environment.processor in page
        for table in record.tables:
            assert len(table.shares) in (0, len(table.rows))
            assert all(len(row) == len(table.columns) for row in table.rows)


def test_text_of_a_record_is_no_markup() -> None:
    record = make_pipeline(make_head(processor="<script>"), 3.0)
    page = draw_page([("pipeline", record)])
    assert "<script" not in page
    assert "3.0 times" in page


def test_a_page_replaces_nothing_but_a_page(
    tmp_path: Path, benchmarks: Callable[..., Result]
) -> None:
    path = tmp_path / "pipeline.json"
    store.write(path, make_pipeline(make_head(), 3.0))
    before = path.read_bytes()
    for _ in range(2):
        result = benchmarks("report", tmp_path)
        assert result.output.strip() == str(tmp_path / "report.html")
    result = benchmarks("report", tmp_path, "--out", path)
    assert isinstance(result.exception, RecordError)
    assert path.read_bytes() == before


def test_a_damaged_measurement_is_named(tmp_path: Path, benchmarks: Callable[..., Result]) -> None:
    (tmp_path / "step.json").write_text('{"kind": "step"}')
    result = benchmarks("report", tmp_path)
    assert isinstance(result.exception, RecordError)
    assert "step.json is damaged" in str(result.exception)
