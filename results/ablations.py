"""What each idea of the fast recipe is worth: train it without, one idea at a time.

    python results/ablations.py DATA_DIR OUT [SEEDS]

Every variant is trained with the same seeds on the training split and measured on validation
images; the test set stays sealed. Five or ten minutes a run on two cores. OUT is the record, kept
up to date, such as `results/bench/NAME/ablations.json`; runs lie in `bench/ablations`, and one that
is there is not made again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from smallvision.bench import bench_accuracy
from smallvision.bench.record import begin_record
from smallvision.records.files import make_folder, write_json

TARGET = 0.94
VARIANTS = {
    "the recipe": [],
    "whole images throughout": ["windows=[]"],
    "windows of 24 pixels, not 28": ["windows=[{until=0.7,side=24}]"],
    "two convolutions, not three, in the last group": ["model.extra=0"],
    "coins thrown anew for every flip": ["augment=['flip',{name='crop',padding=2}]"],
    "2,000 images at a time": ["micro_batch=0"],
    "one view": ["views.mirror=false", "views.shift=0"],
    "no label smoothing": ["label_smoothing=0"],
}


def main() -> None:
    """Train what has not been trained, and write the record after each variant."""
    data = Path(sys.argv[1])
    out = Path(sys.argv[2])
    seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    kept = ("settings", "accuracy", "seconds", "runs", "machine")
    variants = {}
    for name, settings in VARIANTS.items():
        folder = Path("bench/ablations") / name.replace(" ", "-").replace(",", "")
        record = bench_accuracy(
            "cifar10", TARGET, folder, seeds=seeds, settings=settings, data_dir=data,
            command=" ".join(sys.argv), say=lambda line, name=name: print(f"{name}: {line}"),
        )  # fmt: skip
        variants[name] = {key: record[key] for key in kept}
        head = begin_record("ablations", " ".join(sys.argv), None)
        write_json(
            make_folder(out.parent) / out.name, {**head, "target": TARGET, "variants": variants}
        )


if __name__ == "__main__":
    main()
