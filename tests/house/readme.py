"""What a page says between the marks that name a record."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def check_block(name: str, script: str, *arguments: str | Path, page: str = "README.md") -> None:
    """Compare the block of a record with what a module of `benchmarks` prints of it."""
    command = [sys.executable, "-m", f"benchmarks.{script}", *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert shown.returncode == 0, shown.stderr
    text = (ROOT / page).read_text()
    marked = re.search(rf"<!-- results/{name} -->\n(.*?)\n<!-- end -->", text, re.S)
    assert marked is not None, f"{page} has no place for results/{name}"
    assert marked[1].strip() == shown.stdout.strip()
