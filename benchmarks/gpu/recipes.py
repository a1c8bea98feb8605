"""Entry 1 of QUEUE.md: which fast recipe reaches 94 % with the fewest operations.

    python -m benchmarks.gpu.recipes DATA_DIR OUT [--known PLACE] [--minutes 8] [--part I --parts N]
                                  [--dry-run]

On two cores a run takes ten minutes, and runs differ by more than the recipes do; a GPU tells them
apart in one call. Every variant is trained on the training split with one seed after another, in
turns, until the minutes are over, and measured on validation images; the test set stays sealed.
Batches are made in the parts of the CPU recipe, since batch norm sees each part alone. The record
is `OUT/recipes-I.json`: accuracies by seed, and the operations of a run as a share of those of
eight epochs of whole images, which is what a CPU will take. It is written to PLACE too, and one
that is there is gone on with. Every N-th variant from the I-th on is one part, so that several
processes share a GPU.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

import smallvision as sv
from benchmarks.records import begin_record
from benchmarks.training.accuracy import sum_up
from smallvision.compute.machine import choose_machine
from smallvision.errors import UserError
from smallvision.recipes import Recipe, build_ladder, find_preset, find_rung, override
from smallvision.recipes.builders import build_model
from smallvision.recipes.task import Task
from smallvision.records.files import make_folder, read_json, write_json
from smallvision.runs import train as running

VARIANTS: dict[str, list[str]] = {
    "8 whole": ["epochs=8", "windows=[]", "model.extra=0"],
    "8 whole, a third convolution": ["epochs=8", "windows=[]"],
    "7 whole, a third convolution": ["epochs=7", "windows=[]"],
    "5 at 28, 3 whole": ["epochs=8", "windows=[{until=0.625,side=28}]"],
    "5 at 28, 2 whole": ["epochs=7", "windows=[{until=0.7143,side=28}]"],
    "5 at 28, 2 whole, two convolutions": [
        "epochs=7", "windows=[{until=0.7143,side=28}]", "model.extra=0",
    ],
    "3 at 28, 4 whole": ["epochs=7", "windows=[{until=0.4286,side=28}]"],
    "3 at 25, 4 whole": ["epochs=7", "windows=[{until=0.4286,side=25}]"],
    "3 at 20, 5 whole": ["epochs=8", "windows=[{until=0.375,side=20}]"],
    "2 at 20, 2 at 28, 3 whole": [
        "epochs=7", "windows=[{until=0.2857,side=20},{until=0.5714,side=28}]",
    ],
    "6 at 28, 4 whole": ["epochs=10", "windows=[{until=0.6,side=28}]"],
    "7 at 28, 3 whole": ["epochs=10", "windows=[{until=0.7,side=28}]"],
    "7 at 28, 3 whole, shifted by up to 4": [
        "epochs=10", "windows=[{until=0.7,side=28}]",
        "augment=['alternating_flip',{name='crop',padding=4}]",
    ],
    "7 at 28, 3 whole, cutout": [
        "epochs=10", "windows=[{until=0.7,side=28}]",
        "augment=['alternating_flip',{name='crop',padding=2},'cutout']",
    ],
    "5 at 28, 2 whole, two more convolutions": [
        "epochs=7", "windows=[{until=0.7143,side=28}]", "model.extra=2",
    ],
    "5 at 28, 2 whole, rate 0.3": [
        "epochs=7", "windows=[{until=0.7143,side=28}]", "optimizer.lr=0.3",
    ],
    "5 at 28, 2 whole, rate 0.2": [
        "epochs=7", "windows=[{until=0.7143,side=28}]", "optimizer.lr=0.2",
    ],
    "5 at 28, 2 whole, smoothing 0.1": [
        "epochs=7", "windows=[{until=0.7143,side=28}]", "label_smoothing=0.1",
    ],
    "5 at 28, 2 whole, narrower in the middle": [
        "epochs=7", "windows=[{until=0.7143,side=28}]", "model.widths=[64,192,256]",
    ],
    "5 at 28, 2 whole, average": [
        "epochs=7", "windows=[{until=0.7143,side=28}]", "averaging.name=ema",
        "averaging.decay=0.9", "schedule.floor=0.05",
    ],
}  # fmt: skip
TINY = ("model.widths=[8,8]", "batch_size=4000", "epochs=1")


def build(settings: list[str], *, dry: bool) -> Recipe:
    """A variant of the recipe of preset `laptop`."""
    ladder = build_ladder(find_preset("laptop"), Task((3, 32, 32), 40_000, mirror_safe=True))
    return override(find_rung(ladder, "speednet").recipe, (*settings, *(TINY if dry else ())))


def count_operations(recipe: Recipe) -> float:
    """Operations of the forward passes of a run, an image of the training set."""
    model = build_model(recipe, (3, 32, 32), 10)
    total, before = 0.0, 0.0
    for until, side in (*((w.until, w.side) for w in recipe.windows), (1.0, 32)):
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            model(torch.zeros(2, 3, side, side))
        total += (until - before) * recipe.epochs * counter.get_total_flops() / 2
        before = until
    return total


def main() -> None:
    """Train variants in turns until the time is over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--known", type=Path)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--dry-run", action="store_true")
    asked = parser.parse_args()
    began, dry = time.monotonic(), asked.dry_run
    places = [make_folder(place) for place in (asked.known, asked.out) if place is not None]
    paths = [place / f"recipes-{asked.part}.json" for place in places]
    wanted = list(VARIANTS)[asked.part :: asked.parts][: 2 if dry else None]
    recipes = {name: build(VARIANTS[name], dry=dry) for name in wanted}
    whole = count_operations(build(VARIANTS["8 whole"], dry=dry))
    operations = {name: count_operations(recipe) / whole for name, recipe in recipes.items()}
    known: dict[str, Any] = read_json(paths[0])["variants"] if paths[0].exists() else {}
    known = {name: one for name, one in known.items() if one["settings"] == VARIANTS.get(name)}
    accuracies = {name: list(known.get(name, {}).get("accuracies", [])) for name in recipes}
    failed = {name: known.get(name, {}).get("failed", 0) for name in recipes}
    running.choose_micro_batch = lambda recipe, _machine: recipe.micro_batch  # type: ignore[assignment, attr-defined]
    dataset = sv.load_data("cifar10", data_dir=asked.data)
    while time.monotonic() - began < 60 * asked.minutes:
        runs = {one: len(accuracies[one]) + failed[one] for one in recipes}
        name = min(recipes, key=runs.__getitem__)  # the first with fewest runs
        with TemporaryDirectory() as place:
            recipe = override(recipes[name], [f"seed={runs[name]}"])
            try:
                run = sv.train(dataset, recipe, out=f"{place}/run")
                accuracies[name].append(run.status["val"]["accuracy"])
            except UserError as error:  # it diverged, or memory ran out
                failed[name] += 1
                print(f"{name}: {error}", flush=True)
        variants = {
            one: {
                "settings": VARIANTS[one],
                "operations": operations[one],
                "accuracies": found,
                "failed": failed[one],
                "accuracy": sum_up(found) if found else None,
            }
            for one, found in accuracies.items()
            if found or failed[one]
        }
        head = begin_record("recipes", "python -m benchmarks.gpu.recipes", choose_machine())
        for path in paths:
            write_json(path, {**head, "variants": variants})
        print(f"{time.monotonic() - began:.0f} s: {name}: {accuracies[name]}", flush=True)
        if dry and all(accuracies[one] or failed[one] for one in recipes):
            break


if __name__ == "__main__":
    main()
