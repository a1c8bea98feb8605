"""Entry 1 of QUEUE.md: which fast recipe reaches 94 % with the fewest operations.

On two cores a run takes ten minutes, and seeds differ by more than the recipes do. A GPU tells the
recipes apart in one call.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar, Literal
from unittest.mock import patch

import torch
import typer
from pydantic import computed_field
from torch.utils.flop_counter import FlopCounterMode

import smallvision as sv
from benchmarks.gpu.options import DataFolder, DryRun, RecordFolder
from benchmarks.records import Measurement, Part, Summary, describe_here, summarize
from smallvision.compute.machine import choose_machine
from smallvision.data.dataset import DataSet
from smallvision.errors import UserError
from smallvision.recipes import Recipe, build_cifar10_ladder, find_preset, find_rung, override
from smallvision.recipes.builders import build_model
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.runs.finished_run import find_validated

VARIANTS: dict[str, list[str]] = {
    "8 whole": ["epochs=8", "random_crop_phase=[]", "model.extra_convs=0"],
    "8 whole, a third convolution": ["epochs=8", "random_crop_phase=[]"],
    "7 whole, a third convolution": ["epochs=7", "random_crop_phase=[]"],
    "5 at 28, 3 whole": ["epochs=8", "random_crop_phase=[{until=0.625,side=28}]"],
    "5 at 28, 2 whole": ["epochs=7", "random_crop_phase=[{until=0.7143,side=28}]"],
    "5 at 28, 2 whole, two convolutions": [
        "epochs=7", "random_crop_phase=[{until=0.7143,side=28}]", "model.extra_convs=0",
    ],
    "3 at 28, 4 whole": ["epochs=7", "random_crop_phase=[{until=0.4286,side=28}]"],
    "3 at 25, 4 whole": ["epochs=7", "random_crop_phase=[{until=0.4286,side=25}]"],
    "3 at 20, 5 whole": ["epochs=8", "random_crop_phase=[{until=0.375,side=20}]"],
    "2 at 20, 2 at 28, 3 whole": [
        "epochs=7", "random_crop_phase=[{until=0.2857,side=20},{until=0.5714,side=28}]",
    ],
    "6 at 28, 4 whole": ["epochs=10", "random_crop_phase=[{until=0.6,side=28}]"],
    "7 at 28, 3 whole": ["epochs=10", "random_crop_phase=[{until=0.7,side=28}]"],
    "7 at 28, 3 whole, shifted by up to 4": [
        "epochs=10", "random_crop_phase=[{until=0.7,side=28}]",
        "augment=['alternating_flip',{name='crop',padding=4}]",
    ],
    "7 at 28, 3 whole, cutout": [
        "epochs=10", "random_crop_phase=[{until=0.7,side=28}]",
        "augment=['alternating_flip',{name='crop',padding=2},'cutout']",
    ],
    "5 at 28, 2 whole, two more convolutions": [
        "epochs=7", "random_crop_phase=[{until=0.7143,side=28}]", "model.extra_convs=2",
    ],
    "5 at 28, 2 whole, rate 0.3": [
        "epochs=7", "random_crop_phase=[{until=0.7143,side=28}]", "optimizer.lr=0.3",
    ],
    "5 at 28, 2 whole, rate 0.2": [
        "epochs=7", "random_crop_phase=[{until=0.7143,side=28}]", "optimizer.lr=0.2",
    ],
    "5 at 28, 2 whole, smoothing 0.1": [
        "epochs=7", "random_crop_phase=[{until=0.7143,side=28}]", "label_smoothing=0.1",
    ],
    "5 at 28, 2 whole, narrower in the middle": [
        "epochs=7", "random_crop_phase=[{until=0.7143,side=28}]", "model.widths=[64,192,256]",
    ],
    "5 at 28, 2 whole, average": [
        "epochs=7", "random_crop_phase=[{until=0.7143,side=28}]", "averaging.name=ema",
        "averaging.decay=0.9", "schedule.floor=0.05",
    ],
}  # fmt: skip
# On a GPU the package computes whole batches, whatever the recipe says.
CPU_PARTS = patch(
    "smallvision.runs.train.choose_micro_batch", lambda recipe, _machine: recipe.micro_batch
)
TINY = ("model.widths=[8,8]", "batch_size=4000", "epochs=1")


class RecipeVariant(Part):
    """A variant of the fast recipe, trained on the training split."""

    settings: tuple[str, ...]
    """Overrides of the recipe's settings."""
    operations: float
    """Operations of a run divided by those of eight epochs of whole images: its cost on a CPU."""
    accuracies: tuple[float, ...] = ()
    """On validation images, by seed, without the seeds that failed."""
    failed: int = 0
    """Number of runs that diverged or ran out of memory."""

    @computed_field
    @property
    def accuracy(self) -> Summary | None:
        """Accuracy over the runs; null without any."""
        return summarize(self.accuracies) if self.accuracies else None

    @property
    def runs(self) -> int:
        """Number of runs, failed ones included."""
        return len(self.accuracies) + self.failed


class RecipesRecord(Measurement):
    """`recipes-PART.json`: some variants of the fast recipe over seeds."""

    title: ClassVar[str] = "Variants of the fast recipe"

    kind: Literal["recipes"] = "recipes"
    variants: dict[str, RecipeVariant]
    """By name."""


def recipes(
    data_dir: DataFolder,
    out: RecordFolder,
    known: Annotated[
        Path | None,
        typer.Option(help="Second folder of the record; one that lies there is continued."),
    ] = None,
    minutes: Annotated[float, typer.Option(help="No run begins after so many minutes.")] = 8,
    part: Annotated[int, typer.Option(min=0, help="First variant, counted from 0.")] = 0,
    parts: Annotated[int, typer.Option(min=1, help="Train every PARTS-th variant.")] = 1,
    dry_run: DryRun = False,
) -> None:
    """Entry 1: validation accuracy and cost of variants of the fast recipe.

    Variants are trained with one seed after another, in turns, until the minutes are over. The test
    set stays sealed. Micro-batches are those of the CPU recipe, since batch norm sees each of them
    alone. PART and PARTS divide the variants, so that several processes share a GPU.
    """
    began = time.monotonic()
    folders = [make_folder(folder) for folder in (known, out) if folder is not None]
    paths = [folder / f"recipes-{part}.json" for folder in folders]
    wanted = list(VARIANTS)[part::parts][: 2 if dry_run else None]
    built = {name: build(VARIANTS[name], dry=dry_run) for name in wanted}
    whole = count_operations(build(VARIANTS["8 whole"], dry=dry_run))
    variants = {
        name: RecipeVariant(
            settings=tuple(VARIANTS[name]), operations=count_operations(recipe) / whole
        )
        for name, recipe in built.items()
    }
    earlier = store.read_if_there(paths[0], RecipesRecord)
    for name, variant in earlier.variants.items() if earlier else ():
        if name in variants and variant.settings == variants[name].settings:
            variants[name] = variant
    dataset = sv.load_data("cifar10", data_dir=data_dir)
    while time.monotonic() - began < 60 * minutes:
        name = min(variants, key=lambda one: variants[one].runs)  # the first with fewest runs
        variants[name] = train_once(dataset, built[name], variants[name])
        record = RecipesRecord(
            **describe_here(choose_machine()),
            variants={one: variant for one, variant in variants.items() if variant.runs},
        )
        for path in paths:
            store.write(path, record)
        seconds = time.monotonic() - began
        print(f"{seconds:.0f} s: {name}: {variants[name].accuracies}", flush=True)
        if dry_run and all(variant.runs for variant in variants.values()):
            break


def train_once(dataset: DataSet, recipe: Recipe, variant: RecipeVariant) -> RecipeVariant:
    """Train a variant with its next seed."""
    seeded = override(recipe, [f"seed={variant.runs}"])
    with TemporaryDirectory() as place, CPU_PARTS:
        try:
            run = sv.train(dataset, seeded, out=f"{place}/run")
        except UserError as error:  # it diverged, or memory ran out
            print(error, flush=True)
            return variant.model_copy(update={"failed": variant.failed + 1})
        accuracy = find_validated(run)[1].val.accuracy
    return variant.model_copy(update={"accuracies": (*variant.accuracies, accuracy)})


def build(settings: list[str], *, dry: bool) -> Recipe:
    """A variant of the recipe of preset `laptop`; dry, of one tiny epoch."""
    ladder = build_cifar10_ladder(find_preset("laptop").seconds)
    return override(find_rung(ladder, "speednet").recipe, (*settings, *(TINY if dry else ())))


def count_operations(recipe: Recipe) -> float:
    """Operations of the forward passes of a run, per image of the training set."""
    model = build_model(recipe, (3, 32, 32), 10)
    total, before = 0.0, 0.0
    for until, side in (*((w.until, w.side) for w in recipe.random_crop_phase), (1.0, 32)):
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            model(torch.zeros(2, 3, side, side))
        total += (until - before) * recipe.epochs * counter.get_total_flops() / 2
        before = until
    return total
