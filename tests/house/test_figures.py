"""Figures in the README come from the committed records, and from nowhere else."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEPT = [path.parent for path in sorted((ROOT / "results").glob("*/study.json"))]


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_the_readme_shows_the_records(folder: Path) -> None:
    shown = subprocess.run(
        [sys.executable, ROOT / "results" / "keep.py", folder], capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    readme = (ROOT / "README.md").read_text()
    marked = re.search(rf"<!-- results/{folder.name} -->\n(.*?)\n<!-- end -->", readme, re.S)
    assert marked is not None, f"README.md has no place for results/{folder.name}"
    assert marked[1].strip() == shown.stdout.strip()


def test_no_picture_and_no_weight_is_committed() -> None:
    kept = {path.suffix for path in (ROOT / "results").rglob("*") if path.is_file()}
    assert kept <= {".json", ".jsonl", ".toml", ".md", ".py"}
