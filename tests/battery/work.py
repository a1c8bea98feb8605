"""The small jobs that trials are made of, and what they leave behind as bits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import smallvision
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.predictions import read_predictions

ROOT = Path(__file__).parents[2]
RECIPE = """
name = "battery"
epochs = 4
batch_size = 256
augment = ["crop", "cutmix"]
stopping = {patience = 0}
compute = {threads = 1}
[model]
name = "vgg10"
width = 4
[schedule]
name = "sgdr"
cycles = 2
cycle_mult = 1
[averaging]
name = "ema"
decay = 0.9
"""

# What a run decides by the clock, or by the machine it is on.
CLOCKED = {
    "seconds",
    "spent_seconds",
    "images_per_second",
    "latency_seconds",
    "time",
    "created",
    "finished",
}
# What says how often, by which command and where the test set was opened.
CLOCKED |= {"seconds_ratio", "latency_ratio", "search_seconds"}
CLOCKED |= {"command", "study", "openings", "openings_on_machine", "environment", "name"}

UNCOMPARED = ("environment.json", ".lock", "report.html", "ledger.jsonl")


def write_recipe(place: Path) -> Path:
    """The recipe as a file: every kind of state a checkpoint can have, and seconds to train."""
    path = place / "battery.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def start(
    *arguments: str | Path,
    fault: str = "",
    cache: Path,
    variables: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[str]:
    """Start the command line in a process of its own, on one thread.

    Args:
        arguments: of `smallvision`.
        fault: where it shall die, as `faults.arm` spells it; nowhere if empty.
        cache: its private cache.
        variables: of its environment, besides.
        options: of `Popen`.
    """
    command = [sys.executable, "-m", "tests.battery.faults", fault, *map(str, arguments)]
    environment = {
        **os.environ,
        "SMALLVISION_CACHE": str(cache),
        "OMP_NUM_THREADS": "1",
        # The process shall find these trials, and the same package as this one.
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, Path(smallvision.__file__).parents[1]))),
        **(variables or {}),
    }
    return subprocess.Popen(
        command,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        errors="replace",
        **options,
    )


def finish(process: subprocess.Popen[str], seconds: float = 300) -> tuple[int, str]:
    """Exit code and output of a process."""
    out, _ = process.communicate(timeout=seconds)
    return process.returncode, out


def call(*arguments: str | Path, cache: Path) -> None:
    """Run a command that is to succeed.

    Raises:
        RuntimeError: it does not.
    """
    code, out = finish(start(*arguments, cache=cache))
    if code:
        raise RuntimeError(f"{arguments[0]} fails undisturbed: {out}")


def each(trials: int, act: Callable[[int], None], workers: int = 2) -> None:
    """Make trials that mostly wait for other processes, some at once, in the order of numbers."""
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(act, range(trials)))


def put_first(paths: Sequence[Path], kind: Callable[[Path], str]) -> list[Path]:
    """Paths in their order, but one of each kind first, then one more of each."""
    seen: Counter[str] = Counter()
    rank = {}
    for path in paths:
        seen[kind(path)] += 1
        rank[path] = seen[kind(path)]
    return sorted(paths, key=rank.__getitem__)


def read_bits(folder: Path) -> dict[str, Any]:
    """All that a job decided, by file: sums of tensors and pictures, records without the clock."""
    bits: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_file() or path.name in UNCOMPARED:
            continue
        if path.suffix == ".json":
            bits[name] = drop_clock(store.parse(path.read_text(encoding="utf-8")))
        elif path.suffix == ".jsonl":
            lines = path.read_text(encoding="utf-8").splitlines()
            bits[name] = [drop_clock(store.parse(line)) for line in lines]
        elif path.name == "val.npz":
            arrays = read_predictions(path.parents[1])
            bits[name] = [array.tobytes() for array in arrays]
        elif path.suffix in (".sqlite3", ".png"):
            bits[name] = "there"
        else:
            bits[name] = hash_file(path)
    return bits


def drop_clock(record: Any) -> Any:
    """A record without what the clock decides, at any depth; manifests have sums of such."""
    if isinstance(record, dict):
        return {
            key: drop_clock(value)
            for key, value in record.items()
            if key not in CLOCKED and key not in ("state.json", "status.json")
        }
    return [drop_clock(value) for value in record] if isinstance(record, list) else record


def compare_bits(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What differs between two jobs, by file."""
    kinds = {
        "missing": expected.keys() - found.keys(),
        "stray": found.keys() - expected.keys(),
        "another": {n for n in found.keys() & expected.keys() if found[n] != expected[n]},
    }
    return [f"{name} is {kind}" for kind, names in kinds.items() for name in sorted(names)]
