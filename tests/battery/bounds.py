"""Small files, large claims: what a file says of itself is bounded before anything acts on it.

Each case is valid but for its claim, is opened as a user would open it, and must be refused with
the reason that it is about; others are large and honest, and must be accepted.
"""

from __future__ import annotations

import ctypes
import gc
import time
from pathlib import Path

from smallvision.errors import UserError
from tests.battery.bounds_archives import list_archives
from tests.battery.bounds_case import Case
from tests.battery.bounds_damage import list_damaged
from tests.battery.bounds_formats import list_formats
from tests.battery.bounds_parquet import list_parquet
from tests.battery.bounds_pictures import list_pictures
from tests.battery.bounds_text import list_text
from tests.battery.outcome import Outcome

PROMISE = (
    "A file that claims more than it can hold is refused for that reason in one line, within 2 "
    "seconds of a processor and 300 MB of memory; large and honest ones are read."
)
MOST_BYTES, MOST_SECONDS = 300_000_000, 2.0


def list_cases() -> list[Case]:
    """Files of every kind."""
    return [
        *list_damaged(),
        *list_pictures(),
        *list_parquet(),
        *list_archives(),
        *list_formats(),
        *list_text(),
    ]


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Open each file; `trials` bounds how many, those first that are made quickly."""
    outcome = Outcome(PROMISE)
    cases = list_cases()
    cases.sort(key=lambda case: case.slow)
    warm_up(place)
    gc.freeze()  # so that each collection looks at what its case left behind alone
    try:
        for number, case in enumerate(cases[:trials]):
            folder = place / f"{number:03d}"
            folder.mkdir()
            try_case(case, folder, outcome)
    finally:
        gc.unfreeze()
    return outcome


def warm_up(place: Path) -> None:
    """Open one file of each kind that is accepted, so that imports count for no case."""
    kinds = {case.kind: case for case in list_cases() if case.says is None and not case.slow}
    for kind, case in kinds.items():
        folder = place / f"warm {kind}"
        folder.mkdir()
        case.open_it(case.make(folder))


def try_case(case: Case, folder: Path, outcome: Outcome) -> None:
    """Make the file of a case, open it, and measure what that took."""
    name = f"{case.kind}: {case.name}"
    path = case.make(folder)
    memory = forget_all()
    began = time.process_time()
    with outcome.trial(name):
        try:
            case.open_it(path)
        except UserError as error:
            said = str(error)
            outcome.expect(case.says is not None, f"{name}: refused: {said[:200]}")
            outcome.expect(
                case.says is None or case.says in said,
                f"{name}: refused for another reason than '{case.says}': {said[:300]}",
            )
            outcome.expect(len(said) < 2000, f"{name}: a message of {len(said):,} characters")
            raise
        else:
            outcome.expect(case.says is None, f"{name}: was accepted")
            outcome.count("accepted")
    seconds, grown = time.process_time() - began, peak_memory() - memory
    outcome.most(f"{case.kind}: memory, MB", round(max(0, grown - case.needs) / 1e6))
    outcome.most(f"{case.kind}: seconds", round(seconds, 2))
    outcome.expect(grown - case.needs < MOST_BYTES, f"{name}: memory grew by {grown / 1e6:.0f} MB")
    outcome.expect(seconds < MOST_SECONDS, f"{name}: took {seconds:.1f} s of a processor")


def forget_all() -> int:
    """Give free memory back, so that it hides no growth; then the bytes that are held."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> int:
    """Bytes that this process held at most since they were forgotten (Linux alone)."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
