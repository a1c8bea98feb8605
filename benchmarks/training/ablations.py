"""What each idea of the fast recipe is worth: train it without, one idea at a time.

    python -m benchmarks.training.ablations DATA_DIR OUT [SEED ...]     train, and add to the record
    python -m benchmarks.training.ablations    print the table of docs/SPEED.md

Every variant is trained on the training split and measured on validation images; the test set
stays sealed. OUT is the record, such as `results/bench/NAME/ablations.json`; what it holds already
is not made again, so more seeds can be added later, on a machine alike. Five to fifteen minutes a
run on two cores. Differences are taken between runs of one seed on one machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import smallvision as sv
from benchmarks.keep import go_on, read, tell_place
from benchmarks.records import begin_record
from benchmarks.training.accuracy import sum_up
from benchmarks.training.show_races import BENCH, tell
from smallvision.compute.machine import choose_machine
from smallvision.data.dataset import DataSet
from smallvision.predict import Views
from smallvision.recipes import aim
from smallvision.recipes.toml import sum_recipe
from smallvision.records.files import make_folder, read_npz, write_json
from smallvision.stats.rates import rate_accuracy

TARGET = 0.94
KINDS = ("accuracy", "log_loss")
NONE: dict[str, Any] = {"runs": []}
RECIPE, ONE_VIEW = "the recipe", "one view of an image, not up to six"
VARIANTS = {
    RECIPE: [],
    "no third convolution in the last group": ["model.extra=0"],
    "whole images throughout, no windows": ["windows=[]"],
    "flips by chance, not in turns": ["augment=['flip',{name='crop',padding=2}]"],
    "norms' shifts at the head's rate": ["optimizer.vector_lr=0.02"],
    "no label smoothing": ["label_smoothing=0"],
    "batches of 2,000 in one part": ["micro_batch=0"],
}


def measure(data: DataSet, seed: int, name: str) -> dict[str, dict[str, Any]]:
    """Train a variant; of the recipe, also see what one view of each image comes to."""
    began = time.perf_counter()
    settings = [*VARIANTS[name], f"seed={seed}"]
    with TemporaryDirectory() as place:
        run = sv.train(data, "speednet", target=TARGET, settings=settings, out=f"{place}/run")
        rates = {name: run.status["val"]}
        if name == RECIPE:
            path = run.folder / "predictions" / "val.npz"
            indices, labels = read_npz(path, "indices", "labels")
            model = replace(run.load_model(), views=Views())
            rates[ONE_VIEW] = rate_accuracy(model.predict(data.train.images[indices]), labels)
    seconds = time.perf_counter() - began
    return {
        key: {
            "seed": seed,
            "accuracy": rated["accuracy"],
            "log_loss": rated["loss"],
            "seconds": seconds,
        }
        for key, rated in rates.items()
    }


def begin(out: Path) -> dict[str, Any]:
    """The record so far, or a new one."""
    head = begin_record("ablations", "python -m benchmarks.training.ablations", choose_machine())
    return go_on(out, {**head, **sum_recipe(aim(TARGET)), "target": TARGET, "variants": {}})


def train_variants(place: Path, out: Path, seeds: list[int]) -> None:
    """Train what has not been trained, and write the record after each run."""
    record = begin(out)
    variants = record["variants"]
    data = sv.load_data("cifar10", data_dir=place)
    make_folder(out.parent)
    for seed in seeds:
        for name, settings in VARIANTS.items():
            if any(run["seed"] == seed for run in variants.get(name, NONE)["runs"]):
                continue
            for key, figures in measure(data, seed, name).items():
                runs = [*variants.get(key, NONE)["runs"], figures]
                sums = {kind: sum_up([run[kind] for run in runs]) for kind in KINDS}
                variants[key] = {"settings": settings, **sums, "runs": runs}
                print(key, figures, flush=True)
            write_json(out, record)


def list_rows() -> Iterator[str]:
    """The lines of the table: over all machines, differences to the recipe with the same seed."""
    paths = sorted(BENCH.glob("*/ablations.json"))
    records = [read(path) for path in paths]
    yield "| with | runs | accuracy, points | log loss |"
    yield "|---|---|---|---|"
    names = dict.fromkeys(name for record in records for name in record["variants"])
    for name in names:
        pairs = [pair for record in records for pair in pair_up(record["variants"], name)]
        itself = name == RECIPE
        accuracy, loss = (
            sum_up([run[kind] - (0 if itself else base[kind]) for base, run in pairs])
            for kind in KINDS
        )
        sign, unit = ("", " %") if itself else ("+", "")
        points = f"{tell(accuracy, 100, 2, sign)}{unit}"
        yield f"| {name} | {len(pairs)} | {points} | {tell(loss, 1, 4, sign)} |"
    yield ""
    for path, record in zip(paths, records, strict=True):
        place = tell_place(record["environment"], record["machine"], record["created"])
        yield f"- `{path.parent.name}`: {place}"


def pair_up(
    variants: dict[str, Any], name: str
) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Runs of the recipe and of a variant with the same seed."""
    bases = {run["seed"]: run for run in variants[RECIPE]["runs"]}
    for run in variants.get(name, NONE)["runs"]:
        yield bases[run["seed"]], run


def main() -> None:
    """Train, or print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("seeds", type=int, nargs="*", default=[0])
    asked = parser.parse_args()
    if asked.data is None:
        print("\n".join(list_rows()))
    elif asked.out is None:
        parser.error("say where the record goes")
    else:
        train_variants(asked.data, asked.out, asked.seeds)


if __name__ == "__main__":
    main()
