"""Compare fresh measurements with the committed ones: ratios, for seconds vary from day to day.

    python -m benchmarks.check FRESH [COMMITTED]

Each line is a ratio that no change of the code should lower: our input path to a DataLoader, and
training steps to the fastest convolution of the same run. They differ between processors, so the
committed figures are those of the folder below COMMITTED that was measured on such a one. A ratio
that fell below 0.85 of its committed figure ends in exit code 1, and so does a machine that no
folder knows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.keep import are_alike, read

SLACK = 0.85  # turns of one job differ by a tenth on a quiet machine


Records = dict[str, dict[str, Any]]


def read_records(folder: Path) -> Records:
    """The measurements of a folder that ratios are taken from, by kind."""
    paths = (folder / f"{kind}.json" for kind in ("pipeline", "step"))
    return {path.stem: read(path) for path in paths if path.exists()}


def are_of_machines_alike(one: Records, other: Records) -> bool:
    """Whether two folders hold records of one kind that may be compared."""
    return any(are_alike(one[kind], other[kind]) for kind in one.keys() & other.keys())


def names_generation(records: Records) -> bool:
    """Whether measurements say of which generation the processor was; older ones do not."""
    return any(record["environment"].get("generation") for record in records.values())


def list_ratios(records: Records) -> Iterator[tuple[str, float]]:
    """Name and value of every ratio that the measurements of a folder hold."""
    if "pipeline" in records:
        yield "input path to DataLoader", records["pipeline"]["ratio"]
    if "step" in records:
        for name, step in records["step"]["steps"].items():
            yield f"{name}: step to peak", step["peak_share"]


def main() -> int:
    """Print all ratios side by side; 1 if one fell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("fresh", type=Path)
    parser.add_argument("committed", type=Path, nargs="?", default=Path("results/bench"))
    asked = parser.parse_args()
    place, known = asked.fresh, asked.committed
    if not known.is_dir():
        parser.error(f"there is no folder {known}")
    here = read_records(place)
    folders = {folder: read_records(folder) for folder in sorted(known.iterdir())}
    alike = [folder for folder, there in folders.items() if are_of_machines_alike(here, there)]
    alike = [folder for folder in alike if names_generation(folders[folder])] or alike
    if len(alike) != 1:
        found = ", ".join(map(str, alike)) or "none"
        print(f"one folder below {known} should be of a machine like this; there is {found}")
        return 1
    fresh, committed = dict(list_ratios(here)), dict(list_ratios(folders[alike[0]]))
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
