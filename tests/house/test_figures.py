"""Figures on the pages come from the committed records, and from nowhere else."""

from pathlib import Path

import pytest

from tests.house.readme import ROOT, check_block

KEPT = [path.parent for path in sorted((ROOT / "results").glob("*/study.json"))]


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_the_readme_shows_the_records(folder: Path) -> None:
    check_block(folder.name, "keep.py", folder)


def test_the_page_on_speed_shows_the_races() -> None:
    check_block("bench", "show_races.py", page="docs/SPEED.md")


def test_no_picture_and_no_weight_is_committed() -> None:
    kept = {path.suffix for path in (ROOT / "results").rglob("*") if path.is_file()}
    assert kept <= {".json", ".jsonl", ".toml", ".md", ".py", ".sh"}
