"""Put a finished student into the box: its model into the package, its records into results/box.

    python -m benchmarks.keep_box RUN     copy both, then print what README.md says of it
    python -m benchmarks.keep_box         print that

The run is one that `smallvision distill` made and `smallvision evaluate` tested.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.keep import read, tell_place, tell_test
from smallvision.predict.pretrained import BOX
from smallvision.records.weights import copy_tensors

RECORDS = Path(__file__).parents[1] / "results" / "box"
KEPT = (
    "status.json",
    "distilled.json",
    "test.json",
    "ledger.jsonl",
    "recipe.toml",
    "metrics.jsonl",
    "environment.json",
    "split.json",
)
NAME = "cifar10"


def keep(run: Path) -> None:
    """Copy the model and the records of a run that was distilled and tested."""
    copy_tensors(run / "model", BOX / NAME)
    RECORDS.mkdir(exist_ok=True)
    for name in KEPT:
        shutil.copyfile(run / name, RECORDS / name)


def show() -> str:
    """The model in a sentence or two."""
    names = ("status", "test", "distilled", "environment")
    status, test, distilled, environment = (read(RECORDS / f"{name}.json") for name in names)
    teacher, cost = distilled["teacher"], distilled["cost"]
    return (
        f"`{NAME}`: test {tell_test(test)}; {status['val']['accuracy'] * 100:.2f} % on "
        f"{status['val']['n']:,} validation images, where its teacher, `{teacher['name']}`, has "
        f"{teacher['accuracy'] * 100:.2f} %. {status['parameters'] / 1e6:.2f} M parameters, "
        f"{status['size_bytes'] / 1e6:.1f} MB ({cost['size_ratio']:.2f} of its teacher), "
        f"{cost['latency_ratio']:.2f} of its teacher's time for an image; "
        f"{status['seconds'] / 60:.0f} minutes of training (n = 1). "
        f"{tell_place(environment, status['machine'], test['time'])}."
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        keep(Path(sys.argv[1]))
    print(show())
