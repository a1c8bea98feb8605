"""Compare fresh measurements with the committed ones: ratios, for seconds are the machine's own.

    python results/check_speed.py FRESH [COMMITTED]

Each line is a ratio that no change of the code should lower: our input path to a DataLoader, and
training steps to the fastest convolution of the same run. One that fell below 0.85 of the
committed figure ends in exit code 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

SLACK = 0.85  # turns of one job differ by a tenth on a quiet machine


def list_ratios(folder: Path) -> Iterator[tuple[str, float]]:
    """Name and value of every ratio that a folder of measurements holds."""
    if (folder / "pipeline.json").exists():
        record = json.loads((folder / "pipeline.json").read_text())
        yield "input path to DataLoader", record["ratio"]
    if (folder / "step.json").exists():
        for name, step in json.loads((folder / "step.json").read_text())["steps"].items():
            yield f"{name}: step to peak", step["peak_share"]


def main() -> int:
    """Print all ratios side by side; 1 if one fell."""
    fresh = dict(list_ratios(Path(sys.argv[1])))
    committed = dict(list_ratios(Path(sys.argv[2] if len(sys.argv) > 2 else "results/bench")))
    shared = sorted(fresh.keys() & committed.keys())
    if not shared:
        print("nothing to compare: no ratio is in both folders")
        return 1
    fell = 0
    for name in shared:
        ratio = fresh[name] / committed[name]
        fell += ratio < SLACK
        mark = "  FELL" if ratio < SLACK else ""
        print(f"{name:32} {committed[name]:8.3f} -> {fresh[name]:8.3f}  {ratio:5.2f}{mark}")
    return int(fell > 0)


if __name__ == "__main__":
    sys.exit(main())
