"""Print the races beside a peer as the table that docs/SPEED.md shows.

    python -m benchmarks.training.show_races

A test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.keep import read, tell_place
from smallvision.recipes import aim
from smallvision.recipes.toml import sum_recipe

BENCH = Path(__file__).parents[2] / "results" / "bench"


def tell(figures: dict[str, Any], scale: float, digits: int, sign: str = "") -> str:
    """A mean with its deviation, where there is one; `sign` is "+" for differences."""
    deviation = f" ± {figures['std'] * scale:.{digits}f}" if figures["std"] is not None else ""
    return f"{figures['mean'] * scale:{sign},.{digits}f}{deviation}"


def list_rows() -> Iterator[str]:
    """The lines of the table."""
    yield "| target | where | runs | test % | seconds | peer's runs | test % | seconds | ratio |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for path in sorted(BENCH.glob("*/race*.json")):
        record = read(path)
        if record["ratio"] is None:  # one of the two has not run yet
            continue
        place = tell_place(record["environment"], record["machine"], record["created"])
        target = record.get("target", 0.94)
        recipe = sum_recipe(aim(target))["recipe_sum"]
        earlier = "" if record["recipe_sum"] == recipe else "; an earlier recipe"
        where = f"`{path.parent.name}`: {place}{earlier}"
        cells = [f"{target:g}", where]
        for name in record["runs"]:  # ours, then the peer's
            accuracy, seconds = record["accuracy"][name], record["seconds"][name]
            cells += [f"{len(record['runs'][name])}", tell(accuracy, 100, 2), tell(seconds, 1, 0)]
        yield f"| {' | '.join(cells)} | **{record['ratio']:.2f}** |"


if __name__ == "__main__":
    print("\n".join(list_rows()))
