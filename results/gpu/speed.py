"""Entry 2 of QUEUE.md: time to 94 %, training steps and the input path on a GPU.

    python results/gpu/speed.py DATA_DIR OUT [--dry-run]

Each part is a command of its own, so that one that fails leaves the records of the others.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RECIPES = {"wrn-16-8.toml": (16, 8), "wrn-28-10.toml": (28, 10)}
TINY = {"wrn-10-1.toml": (10, 1)}


def write_recipe(path: Path, depth: int, width: int, batch_size: int) -> str:
    """A Wide ResNet's recipe as TOML; returns its place."""
    path.write_text(
        f'name = "{path.stem}"\nbatch_size = {batch_size}\naugment = ["flip", "crop"]\n'
        f'[model]\nname = "wide_resnet"\ndepth = {depth}\nwidth = {width}\n'
    )
    return str(path)


def main() -> int:
    """Run all parts; the exit code counts those that failed."""
    dry = "--dry-run" in sys.argv
    data, out = (Path(argument) for argument in sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    nets = TINY if dry else RECIPES
    recipes = [write_recipe(out / name, *net, 32 if dry else 512) for name, net in nets.items()]
    place, source = [f"--out={out}"], [f"--data-dir={data}"]
    rounds = ["--rounds=1" if dry else "--rounds=5", *place]
    tiny = ["--seeds=1", *(f"--set={text}" for text in ("epochs=1", "model.widths=[8,8]"))]
    parts = (
        ["accuracy", "cifar10", *source, *place, *(tiny if dry else ["--on=test"])],
        ["step", *recipes, *rounds, *([] if dry else ["speednet", "--compiled"])],
        ["pipeline", "cifar10", *source, *rounds, f"--images={500 if dry else 10_000}"],
    )
    failed = 0
    for part in parts:
        print("smallvision bench", *part, flush=True)
        done = subprocess.run([sys.executable, "-m", "smallvision", "bench", *part])
        failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
