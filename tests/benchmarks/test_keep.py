"""Keeping a study's records replaces what was kept before, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.readme import ROOT

STUDY = ROOT / "results/quick/digits"


def keep(study: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.keep", str(study), str(target)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def list_files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_records_replace_those_kept_before(tmp_path: Path) -> None:
    for _ in range(2):
        assert keep(STUDY, tmp_path / "kept").returncode == 0
    assert sorted(list_files(tmp_path / "kept").values()) == sorted(list_files(STUDY).values())
    (tmp_path / "kept/runs/mine.txt").write_text("mine")
    assert keep(STUDY, tmp_path / "kept").returncode
    assert (tmp_path / "kept/runs/mine.txt").exists()


@pytest.mark.parametrize("place", ["study", ".", "study/runs", "thesis"])
def test_nothing_else_is_replaced(tmp_path: Path, place: str) -> None:
    keep(STUDY, tmp_path / "study")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/thesis.tex").write_text("mine")
    before = list_files(tmp_path)
    done = keep(tmp_path / "study", tmp_path / place)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert list_files(tmp_path) == before


def test_an_unfinished_study_leaves_what_was_kept(tmp_path: Path) -> None:
    keep(STUDY, tmp_path / "study")
    keep(STUDY, tmp_path / "kept")
    before = list_files(tmp_path / "kept")
    (tmp_path / "study/test.json").unlink()
    assert keep(tmp_path / "study", tmp_path / "kept").returncode
    assert list_files(tmp_path / "kept") == before
