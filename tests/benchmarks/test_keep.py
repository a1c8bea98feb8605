"""Keeping a study's records replaces what was kept before, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from smallvision.errors import RecordError
from tests.gold.make_folders import FOLDERS

STUDY = FOLDERS / "study"

Benchmarks = Callable[..., Result]


def list_files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_records_replace_those_kept_before(tmp_path: Path, benchmarks: Benchmarks) -> None:
    for _ in range(2):
        result = benchmarks("keep", STUDY, tmp_path / "kept")
        assert result.exit_code == 0
        assert "| mlp |" in result.output.replace("*", "")
    kept = list_files(tmp_path / "kept")
    assert kept.pop("hits.json")
    assert kept.items() <= list_files(STUDY).items()
    assert {"study.json", "test.json", "runs/mlp/seeds/1/status.json"} <= set(kept)
    assert not any(name.endswith((".npz", ".safetensors")) for name in kept)
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
