"""Compare fresh measurements with the committed ones: ratios, for seconds vary from day to day.

    python results/check_speed.py FRESH [COMMITTED]

Each line is a ratio that no change of the code should lower: our input path to a DataLoader, and
training steps to the fastest convolution of the same run. They differ between processors, so the
committed figures are those of the folder below COMMITTED that was measured on such a one. A ratio
that fell below 0.85 of its committed figure ends in exit code 1, and so does a processor that no
folder knows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SLACK = 0.85  # turns of one job differ by a tenth on a quiet machine


def read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """The measurements of a folder that ratios are taken from, by kind."""
    paths = (folder / f"{kind}.json" for kind in ("pipeline", "step"))
    return {path.stem: json.loads(path.read_text()) for path in paths if path.exists()}


def find_processors(folder: Path) -> set[str]:
    """What a folder was measured on."""
    return {
        f"{record['environment']['processor']}, {record['machine']['threads']} threads"
        for record in read_records(folder).values()
    }


def list_ratios(folder: Path) -> Iterator[tuple[str, float]]:
    """Name and value of every ratio that a folder of measurements holds."""
    records = read_records(folder)
    if "pipeline" in records:
        yield "input path to DataLoader", records["pipeline"]["ratio"]
    if "step" in records:
        for name, step in records["step"]["steps"].items():
            yield f"{name}: step to peak", step["peak_share"]


def main() -> int:
    """Print all ratios side by side; 1 if one fell."""
    place, known = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "results/bench")
    here = find_processors(place)
    alike = [folder for folder in sorted(known.iterdir()) if find_processors(folder) & here]
    fresh = dict(list_ratios(place))
    committed = {name: ratio for folder in alike for name, ratio in list_ratios(folder)}
    shared = sorted(fresh.keys() & committed.keys())
    if not shared:
        print(f"nothing to compare: {known} has no such record of {' or '.join(sorted(here))}")
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
