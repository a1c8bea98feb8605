"""One process that does everything with a data set, and says what each step took.

`python -m benchmarks.throughput.large_steps DATA FOLDER` prints JSON. A tiny data set goes through
all steps first, so that imports and first calls are not counted.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import smallvision as sv
from smallvision.data import near_duplicates, related
from smallvision.data.related import relate_images
from smallvision.data.split import find_val, make_split
from smallvision.exploration import closer_look
from smallvision.exploration.explore import explore_images

SETTINGS = (
    "epochs=1",
    "batch_size=512",
    "model.hidden=[64]",
    "compute.threads=1",
    "compute.precision=fp32",
)
STEPS = ("load", "split", "explore", "train", "predict", "test")
LOOK = "look"  # which only `smallvision explore` does, and of which a map takes seconds


class Watch:
    """Times steps, by the processor and by the clock, and finds their peaks of memory.

    The search for look-alikes is timed by itself.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.elapsed: dict[str, float] = {}
        self.peaks: dict[str, int] = {}
        self.alike = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Watch a step."""
        reset_peak()
        before, began, clock = self.alike, time.process_time(), time.perf_counter()
        yield
        self.seconds[name] = time.process_time() - began - (self.alike - before)
        self.elapsed[name] = time.perf_counter() - clock
        self.peaks[name] = read_peak()

    def watch(self, module: Any, name: str) -> None:
        """Time the calls of a function by themselves."""
        original: Callable[..., Any] = getattr(module, name)

        def timed(*arguments: Any, **options: Any) -> Any:
            began = time.process_time()
            try:
                return original(*arguments, **options)
            finally:
                self.alike += time.process_time() - began

        setattr(module, name, timed)


def reset_peak() -> None:
    """Forget the highest memory so far, on Linux."""
    Path("/proc/self/clear_refs").write_text("5")


def read_peak() -> int:
    """The most memory since it was reset, in bytes: resident, with shared libraries."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return 1024 * int(found[1])


def go_through(data: Path, folder: Path, watch: Watch) -> dict[str, Any]:
    """Do everything with a data set; gives what says that it was done."""
    with watch.step("load"):
        dataset = sv.load_data(data, name="large")
    with watch.step("split"):
        related_images = relate_images(dataset.train, dataset.groups, dataset.alike)
        split = make_split(dataset.train, val=dataset.val, related=related_images)
    with watch.step("explore"):  # as a study does
        train = dataset.train.take(split.train)
        explored = explore_images(train, num_val=len(split.val)).record
    with watch.step(LOOK):
        closer = sv.explore(dataset).closer
        assert closer is not None
    with watch.step("train"):
        run = sv.train(dataset, "mlp", out=folder / "run", settings=SETTINGS)
    with watch.step("predict"):
        val = find_val(dataset, split).take(split.val)
        answers = run.load_model().predict(val.images)
    with watch.step("test"):
        result = sv.evaluate(run, dataset)
    return {
        "train": len(split.train),
        "val": len(split.val),
        "test": len(dataset.test),
        "explored": explored.n,
        "val_accuracy": float((np.argmax(answers, axis=1) == val.labels).mean()),
        "test_accuracy": result.accuracy,
        "fingerprint": dataset.train.fingerprint,
    }


def warm_up(folder: Path) -> None:
    """Go through everything with a few images."""
    pixels = np.random.default_rng(1).integers(0, 256, (600, 3, 32, 32), dtype=np.uint8)
    folder.mkdir(parents=True)
    np.savez(folder / "few.npz", x=pixels, y=np.arange(600) % 10)
    go_through(folder / "few.npz", folder, Watch())


def main() -> None:
    """Read the arguments, and print what was measured."""
    data, folder = map(Path, sys.argv[1:])
    warm_up(folder / "warm")
    watch = Watch()
    for module, name in (
        (related, "list_alike"),
        (closer_look, "list_alike"),
        (near_duplicates, "match_images"),
    ):
        watch.watch(module, name)
    found = go_through(data, folder, watch)
    told = {
        "seconds": watch.seconds,
        "elapsed": watch.elapsed,
        "peaks": watch.peaks,
        "alike": watch.alike,
        **found,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
