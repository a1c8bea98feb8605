"""Put a finished student into the box: its model into the package, its records into results/box.

python results/keep_box.py RUN     copy both, then print what README.md says of it
python results/keep_box.py         print that
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from smallvision.predict.box import BOX
from smallvision.records.weights import copy_tensors

RECORDS = Path(__file__).with_name("box")
KEPT = ("status.json", "distilled.json", "test.json", "ledger.jsonl", "recipe.toml")
KEPT += ("metrics.jsonl", "environment.json", "split.json")
NAME = "cifar10"


def keep(run: Path) -> None:
    """Copy the model and the records of a run that was distilled and tested."""
    copy_tensors(run / "model", BOX / NAME)
    RECORDS.mkdir(exist_ok=True)
    for name in KEPT:
        shutil.copyfile(run / name, RECORDS / name)


def read(name: str) -> dict[str, Any]:
    """One JSON record."""
    record: dict[str, Any] = json.loads((RECORDS / name).read_text())
    return record


def show() -> str:
    """The model in a sentence or two."""
    status, test, distilled = read("status.json"), read("test.json"), read("distilled.json")
    low, high = (f"{bound * 100:.2f}" for bound in test["interval"])
    teacher, environment = distilled["teacher"], read("environment.json")
    machine = status["machine"]
    return (
        f"`{NAME}`: **{test['accuracy'] * 100:.2f} %** ({low} to {high}) on {test['n']:,} test "
        f"images, opened {'once' if test['openings'] == 1 else str(test['openings']) + ' times'}; "
        f"{status['val']['accuracy'] * 100:.2f} % on {status['val']['n']:,} validation images, "
        f"where its teacher, `{teacher['name']}`, has {teacher['accuracy'] * 100:.2f} %. "
        f"{status['parameters'] / 1e6:.2f} M parameters, {status['size_bytes'] / 1e6:.1f} MB "
        f"({distilled['cost']['size_ratio']:.2f} of its teacher), "
        f"{distilled['cost']['latency_ratio']:.2f} of its teacher's time for an image; "
        f"{status['seconds'] / 60:.0f} minutes of training (n = 1). {environment['processor']}, "
        f"{machine['threads']} threads, {machine['precision']}, torch "
        f"{environment['versions']['torch']}, {test['time'][:10]}."
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        keep(Path(sys.argv[1]))
    print(show())
