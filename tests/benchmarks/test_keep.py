"""Keeping a study's records replaces what was kept before, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from benchmarks.records import RESULTS
from smallvision.errors import RecordError

STUDY = RESULTS / "quick" / "digits"

Benchmarks = Callable[..., Result]


def list_files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_records_replace_those_kept_before(tmp_path: Path, benchmarks: Benchmarks) -> None:
    for _ in range(2):
        result = benchmarks("keep", STUDY, tmp_path / "kept")
        assert result.exit_code == 0
        assert "| snapshot-ensemble |" in result.output.replace("*", "")
    assert sorted(list_files(tmp_path / "kept").values()) == sorted(list_files(STUDY).values())
    (tmp_path / "kept/runs/mine.txt").write_text("mine")
    assert benchmarks("keep", STUDY, tmp_path / "kept").exit_code
    assert (tmp_path / "kept/runs/mine.txt").exists()


@pytest.mark.parametrize("place", ["study", ".", "study/runs", "thesis"])
def test_nothing_else_is_replaced(tmp_path: Path, benchmarks: Benchmarks, place: str) -> None:
    benchmarks("keep", STUDY, tmp_path / "study")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/thesis.tex").write_text("mine")
    before = list_files(tmp_path)
    result = benchmarks("keep", tmp_path / "study", tmp_path / place)
    assert isinstance(result.exception, RecordError)
    assert list_files(tmp_path) == before


@pytest.mark.parametrize("missing", ["test.json", "verdicts.json"])
def test_an_unfinished_study_leaves_what_was_kept(
    tmp_path: Path, benchmarks: Benchmarks, missing: str
) -> None:
    benchmarks("keep", STUDY, tmp_path / "study")
    benchmarks("keep", STUDY, tmp_path / "kept")
    before = list_files(tmp_path / "kept")
    (tmp_path / "study" / missing).unlink()
    result = benchmarks("keep", tmp_path / "study", tmp_path / "kept")
    assert isinstance(result.exception, RecordError)
    assert list_files(tmp_path / "kept") == before
