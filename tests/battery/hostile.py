"""Files from strangers: programs in disguise, lying headers, bombs, paths that lead outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from smallvision.errors import UserError
from smallvision.records.files import hash_file
from tests.battery import hostile_data, hostile_models
from tests.battery.outcome import Outcome

PROMISE = (
    "No file that smallvision reads can run code, write outside the folders it was told, or make "
    "it claim memory beyond its own size and 200 MB."
)
MOST_BYTES = 200_000_000


class Canary:
    """A pickle that makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Open each hostile file in every way there is; `trials` bounds how many."""
    outcome = Outcome(PROMISE)
    target, canary = place / "inside", place / "canary"
    target.mkdir()
    (place / "untouched").write_text("as it was", encoding="utf-8")
    open_harmless(target, outcome)
    cases = [*hostile_data.list_data(Canary(canary)), *hostile_models.list_cases(Canary(canary))]
    for number, (name, make, open_it, *reason) in enumerate(cases[:trials]):
        folder = target / f"{number:02d}"
        folder.mkdir()
        path = make(folder)
        before = snapshot(place, target)
        memory, began = forget_peak(), time.perf_counter()
        refused = outcome.figures.get("refused", 0)
        with outcome.trial(name, *reason):
            open_it(path)
            outcome.failures.append(f"{name}: was opened")
        outcome.expect(outcome.figures.get("refused", 0) > refused, f"{name}: was not refused")
        grown, seconds = peak_memory() - memory, time.perf_counter() - began
        outcome.most("memory grew by at most, MB", round(grown / 1e6))
        outcome.most("slowest, seconds", round(seconds, 1))
        outcome.expect(grown < MOST_BYTES, f"{name}: memory grew by {grown / 1e6:.0f} MB")
        outcome.expect(not canary.exists(), f"{name}: the program ran")
        outcome.expect(snapshot(place, target) == before, f"{name}: touched what is outside")
    return outcome


def open_harmless(target: Path, outcome: Outcome) -> None:
    """Open what the cases are made from: if that were refused, no case could fail."""
    for name, make, open_it in list_harmless():
        folder = target / f"harmless {name}"
        folder.mkdir()
        try:
            open_it(make(folder))
        except UserError as error:
            outcome.failures.append(f"a harmless {name} was refused: {error}")


def forget_peak() -> int:
    """Bytes that this process holds; the peak is counted anew from here (Linux alone)."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> int:
    """Bytes that this process held at most."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def snapshot(place: Path, target: Path) -> dict[str, str]:
    """What lies outside a folder, but for caches."""
    return {
        str(path): hash_file(path)
        for path in place.rglob("*")
        if path.is_file() and target not in path.parents and "cache" not in path.parts
    }


# Name, what makes it in a folder, what opens it, and what the refusal has to say.
Case = tuple[str, Callable[[Path], Path], Callable[[Path], object], *tuple[str, ...]]


def list_harmless() -> Iterator[tuple[str, Callable[[Path], Path], Callable[[Path], object]]]:
    """What the cases are made from."""
    yield from hostile_models.list_harmless()
    yield from hostile_data.list_harmless()
