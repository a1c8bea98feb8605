"""Compare fresh measurements with the committed ones: ratios, for seconds vary from day to day.

    python results/check_speed.py FRESH [COMMITTED]

Each line is a ratio that no change of the code should lower: our input path to a DataLoader, and
training steps to the fastest convolution of the same run. They differ between processors, so the
committed figures are those of the folder below COMMITTED that was measured on such a one. A ratio
that fell below 0.85 of its committed figure ends in exit code 1, and so does a machine that no
folder knows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keep import are_alike

SLACK = 0.85  # turns of one job differ by a tenth on a quiet machine


def read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """The measurements of a folder that ratios are taken from, by kind."""
    paths = (folder / f"{kind}.json" for kind in ("pipeline", "step"))
    return {path.stem: json.loads(path.read_text()) for path in paths if path.exists()}


def are_of_machines_alike(one: Path, other: Path) -> bool:
    """Whether two folders hold records of one kind that may be compared."""
    first, second = read_records(one), read_records(other)
    return any(are_alike(first[kind], second[kind]) for kind in first.keys() & second.keys())


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
    alike = [folder for folder in sorted(known.iterdir()) if are_of_machines_alike(place, folder)]
    if len(alike) != 1:
        found = ", ".join(map(str, alike)) or "none"
        print(f"one folder below {known} should be of a machine like this; there is {found}")
        return 1
    fresh, committed = dict(list_ratios(place)), dict(list_ratios(alike[0]))
    shared = sorted(fresh.keys() & committed.keys())
    if not shared:
        print(f"nothing to compare: no ratio is in both {place} and {alike[0]}")
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
