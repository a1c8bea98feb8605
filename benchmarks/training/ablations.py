"""Measure what each idea of the fast recipe is worth: train it without, one idea at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar, Literal

import typer
from pydantic import computed_field

import smallvision as sv
from benchmarks.options import OUT, TARGET, Out
from benchmarks.records import (
    BENCH,
    Part,
    RecipeMeasurement,
    Summary,
    continue_record,
    describe_here,
    describe_place,
    format_deviation,
    format_summary,
    summarize,
)
from benchmarks.tables import Table
from smallvision.cli.options import DataDir
from smallvision.compute.machine import choose_machine
from smallvision.data.dataset import DataSet
from smallvision.format import format_share
from smallvision.predict import Tta
from smallvision.recipes import recipe_for_target
from smallvision.recipes.toml import sum_recipe
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.predictions import read_predictions
from smallvision.runs.finished_run import find_validated
from smallvision.stats.rates import rate_accuracy

RECIPE, NO_TTA = "the recipe", "no test-time augmentation"
VARIANTS = {
    RECIPE: [],
    "no third convolution in the last group": ["model.extra_convs=0"],
    "whole images throughout, no random crops": ["random_crop_phase=[]"],
    "flips by chance, not in turns": ["augment=['flip',{name='crop',padding=2}]"],
    "norms' shifts at the head's rate": ["optimizer.vector_lr=0.02"],
    "no label smoothing": ["label_smoothing=0"],
    "batches of 2,000 in one part": ["micro_batch=0"],
}


class VariantRun(Part):
    """A run of a variant, measured on validation images."""

    seed: int
    """Seed of the run."""
    accuracy: float
    """Accuracy."""
    log_loss: float
    """Log loss in nats."""
    seconds: float
    """Time of training and measuring."""


class Variant(Part):
    """The recipe, or the recipe without one of its ideas."""

    settings: tuple[str, ...]
    """Overrides of the recipe's settings."""
    runs: tuple[VariantRun, ...]
    """One per seed."""

    @computed_field
    @property
    def accuracy(self) -> Summary:
        """Accuracy over the runs."""
        return summarize([run.accuracy for run in self.runs])

    @computed_field
    @property
    def log_loss(self) -> Summary:
        """Log loss over the runs."""
        return summarize([run.log_loss for run in self.runs])


class AblationsRecord(RecipeMeasurement):
    """`ablations.json`: the recipe for 94 % without one of its ideas each."""

    title: ClassVar[str] = "What each idea is worth"

    kind: Literal["ablations"] = "ablations"
    variants: dict[str, Variant]
    """By what was taken out, `the recipe` first."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words."""
        return (
            f"The recipe for {format_share(self.target)}, and the same without one of its ideas, "
            "on validation images, with the same seeds. Bars show the error rate.",
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        return (
            Table(
                ("variant", "runs", "accuracy, %", "deviation", "log loss"),
                [
                    (
                        name,
                        str(len(variant.runs)),
                        f"{variant.accuracy.mean * 100:.2f}",
                        format_deviation(variant.accuracy, 100, 2),
                        f"{variant.log_loss.mean:.4f}",
                    )
                    for name, variant in self.variants.items()
                ],
                [1 - variant.accuracy.mean for variant in self.variants.values()],
            ),
        )

    def pair_runs(self, name: str) -> Iterator[tuple[VariantRun, VariantRun]]:
        """Runs of the recipe and of a variant with the same seed."""
        bases = {run.seed: run for run in self.variants[RECIPE].runs}
        for run in self.variants[name].runs if name in self.variants else ():
            yield bases[run.seed], run


def ablations(
    seeds: Annotated[int, typer.Option(min=1, help="Number of runs of each variant.")] = 1,
    data_dir: DataDir = None,
    out: Out = OUT,
) -> None:
    """Measure the recipe for 94 % without one of its ideas each, on validation images.

    A run takes five to fifteen minutes on two cores. The test set stays sealed. The record is
    written after every run, and a later call continues it, perhaps with more seeds.
    """
    path = make_folder(out) / "ablations.json"
    fresh = AblationsRecord(
        **describe_here(choose_machine()),
        recipe_sum=sum_recipe(recipe_for_target(TARGET)),
        target=TARGET,
        variants={},
    )
    record = continue_record(path, fresh)
    data = sv.load_data("cifar10", data_dir=data_dir)
    for seed in range(seeds):
        for name, settings in VARIANTS.items():
            known = record.variants.get(name)
            if known is not None and any(run.seed == seed for run in known.runs):
                continue
            variants = add_runs(record.variants, settings, train_variant(data, seed, name))
            record = record.model_copy(update={"variants": variants})
            store.write(path, record)
    record.show()


def train_variant(data: DataSet, seed: int, name: str) -> dict[str, VariantRun]:
    """Train a variant; of the recipe, measure it without test-time augmentation too."""
    began = time.perf_counter()
    settings = [*VARIANTS[name], f"seed={seed}"]
    with TemporaryDirectory() as place:
        run = sv.train(data, "speednet", target=TARGET, settings=settings, out=f"{place}/run")
        rates = {name: find_validated(run)[1].val}
        if name == RECIPE:
            indices, labels, _ = read_predictions(run.folder)
            model = replace(run.load_model(), tta=Tta())
            rates[NO_TTA] = rate_accuracy(model.predict(data.train.images[indices]), labels)
    seconds = time.perf_counter() - began
    return {
        key: VariantRun(seed=seed, accuracy=rate.accuracy, log_loss=rate.loss, seconds=seconds)
        for key, rate in rates.items()
    }


def add_runs(
    variants: Mapping[str, Variant], settings: Sequence[str], runs: Mapping[str, VariantRun]
) -> dict[str, Variant]:
    """The variants with a further run of some of them, which were trained with `settings`."""
    longer = {}
    for name, run in runs.items():
        print(f"{name}: {run}", flush=True)
        known = variants[name].runs if name in variants else ()
        longer[name] = Variant(settings=tuple(settings), runs=(*known, run))
    return {**variants, **longer}


def write_block() -> Iterator[str]:
    """The table of docs/SPEED.md: over all machines, differences to the recipe of the same seed."""
    paths = sorted(BENCH.glob("*/ablations.json"))
    records = [store.read(path, AblationsRecord) for path in paths]
    rows = []
    for name in dict.fromkeys(name for record in records for name in record.variants):
        pairs = [pair for record in records for pair in record.pair_runs(name)]
        if name == RECIPE:
            accuracy = summarize([run.accuracy for _, run in pairs])
            loss = summarize([run.log_loss for _, run in pairs])
            cells = (f"{format_summary(accuracy, 100, 2)} %", format_summary(loss, 1, 4))
        else:
            accuracy = summarize([run.accuracy - base.accuracy for base, run in pairs])
            loss = summarize([run.log_loss - base.log_loss for base, run in pairs])
            cells = (format_summary(accuracy, 100, 2, "+"), format_summary(loss, 1, 4, "+"))
        rows.append((name, str(len(pairs)), *cells))
    yield Table(("with", "runs", "accuracy, points", "log loss"), rows).markdown()
    yield ""
    for path, record in zip(paths, records, strict=True):
        place = describe_place(record.environment, record.machine, record.created)
        yield f"- `{path.parent.name}`: {place}"
