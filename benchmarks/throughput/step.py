"""Measure training steps: images a second, and the share of the machine's peak."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
import typer
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.options import OUT, Out, Rounds
from benchmarks.records import Measurement, describe_here, save
from benchmarks.tables import Table
from benchmarks.throughput.baseline import MEAN, STD, PlainLoop
from benchmarks.throughput.peak import Peak, find_peak, list_convolutions
from benchmarks.throughput.timing import (
    Job,
    Throughput,
    count_repeats,
    measure_in_turns,
    repeat,
    synchronize,
)
from smallvision.augment import build_normalizer
from smallvision.cli.options import PresetOption, SettingsOption
from smallvision.compute.machine import Machine
from smallvision.data.batches import TrainBatches
from smallvision.data.imageset import ImageSet
from smallvision.errors import SettingError
from smallvision.recipes import (
    Recipe,
    build_cifar10_ladder,
    find_preset,
    find_rung,
    override,
    read_recipe,
)
from smallvision.recipes.builders import (
    build_machine,
    build_model,
    build_optimizer,
    check_fit,
    schedule_augmentations,
)
from smallvision.recipes.micro_batch import choose_micro_batch
from smallvision.records.files import make_folder
from smallvision.runs.resuming.recovery import explain_failure
from smallvision.training.gradients import OwnGradients
from smallvision.training.loop import update

SHAPE, NUM_CLASSES = (3, 32, 32), 10


class Step(Throughput):
    """Training steps of one recipe."""

    batch_size: int
    """Images of a batch."""
    micro_batch: int
    """Images computed at a time; 0 for whole batches."""
    compiled: bool
    """Whether steps run through `torch.compile`."""
    first_seconds: float | None
    """Time of the first two steps, compilation included; null for a plain loop."""
    flop_per_image: float
    """Operations of a step for one image, counted as those of plain convolutions."""
    flop_per_second: float
    """Operations a second."""
    peak_share: float
    """Operations a second divided by those of the fastest convolution."""
    input_share: float | None
    """Fraction of the time that the input path takes; null for a plain loop, whose workers prepare
    images during a step."""


class StepRecord(Measurement):
    """`step.json`: training steps on 32x32 images."""

    title: ClassVar[str] = "Training steps"

    kind: Literal["step"] = "step"
    peak: Peak
    """The fastest convolution, measured in turns with the steps."""
    steps: dict[str, Step]
    """By the name of the recipe, with `, compiled` or `, plain loop` after it."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words."""
        return (
            "A step gathers, augments and normalises images, computes gradients and updates the "
            "weights. Its operations are counted as those of plain convolutions; where "
            "convolutions are computed with fewer, a step can exceed the peak.",
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        peak = ("fastest convolution", "", "", f"{self.peak.flop_per_second / 1e9:,.0f}", "100 %")
        return (
            Table(
                ("step of", "batch", "images/s", "GFLOP/s", "of peak", "input path"),
                [
                    (*peak, ""),
                    *(
                        (
                            name,
                            f"{step.batch_size:,}",
                            f"{step.images_per_second:,.0f}",
                            f"{step.flop_per_second / 1e9:,.0f}",
                            f"{step.peak_share * 100:.0f} %",
                            "" if step.input_share is None else f"{step.input_share * 100:.1f} %",
                        )
                        for name, step in self.steps.items()
                    ),
                ],
                [1.0, *(step.peak_share for step in self.steps.values())],
            ),
        )


def step(
    recipe: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECIPE", help="Rungs or TOML files.", show_default=False),
    ] = None,
    preset: PresetOption = "laptop",
    settings: SettingsOption = None,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Time each recipe compiled as well.")
    ] = False,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Time each recipe in a plain loop over a DataLoader as well."),
    ] = False,
    rounds: Rounds = 5,
    out: Out = OUT,
) -> None:
    """Measure training steps on 32x32 images: images a second and the share of the peak."""
    ladder = build_cifar10_ladder(find_preset(preset).seconds)
    names = recipe or ["vgg10-aug", "wrn-aug", "speednet"]
    changes = [*(settings or ()), *(["compute.compile=on"] if compiled else ())]
    recipes = {
        Path(name).name.removesuffix(".toml"): override(
            read_recipe(Path(name)) if name.endswith(".toml") else find_rung(ladder, name).recipe,
            changes,
        )
        for name in names
    }
    if len(recipes) < len(names):
        raise SettingError("two recipes have one name, which the record needs; rename a file")
    for one in recipes.values():
        check_fit(one, SHAPE)
    machine, *others = {build_machine(one) for one in recipes.values()}
    if others:
        raise SettingError("recipes that are timed side by side must agree on `compute`")
    make_folder(out)  # an unwritable place is found before minutes of measuring
    save(measure_steps(recipes, machine, rounds, plain=plain), out)


def measure_steps(
    recipes: Mapping[str, Recipe], machine: Machine, rounds: int, *, plain: bool = False
) -> StepRecord:
    """Time whole training steps on random images of 3x32x32.

    Args:
        recipes: by the name under which they are recorded.
        machine: how to compute; if compiled, each recipe is timed both ways.
        rounds: turns of each.
        plain: whether to time each in a plain loop over a DataLoader as well.

    Raises:
        FailedRunError: memory does not suffice for a step.
    """
    machine.set_up()
    convolutions = list_convolutions(machine)
    jobs: dict[str, Job] = {}
    benches: dict[str, StepBench] = {}
    for name, recipe in recipes.items():
        for compiled in sorted({False, machine.compiled}):
            title = f"{name}, compiled" if compiled else name
            try:
                bench = StepBench(recipe, machine.change(compiled=compiled))
            except (MemoryError, RuntimeError) as error:
                raise explain_failure(error, recipe) from error
            benches[title] = bench
            jobs[title] = bench.job()
            jobs[f"{title}: input"] = bench.input_job()
        if plain:
            images = draw_images(2 * recipe.batch_size)
            jobs[f"{name}, plain loop"] = PlainLoop(recipe, images, machine).job()
    measured = measure_in_turns(jobs | convolutions, rounds)
    peak = find_peak({name: measured[name] for name in convolutions})
    steps = {}
    for name in recipes:
        for title in (name, f"{name}, compiled", f"{name}, plain loop"):
            if title in measured:
                ours = benches.get(title)
                steps[title] = describe_step(
                    ours or benches[name],
                    measured[title],
                    peak,
                    measured[f"{title}: input"] if ours else None,
                )
    # Each step says for itself whether it is compiled.
    head = describe_here(machine.change(compiled=False))
    return StepRecord(**head, peak=peak, steps=steps)


def draw_images(count: int) -> ImageSet:
    """Random images under random labels."""
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (count, *SHAPE), dtype=np.uint8)
    labels = draw.integers(0, NUM_CLASSES, count)
    return ImageSet(pixels, labels, tuple(map(str, range(NUM_CLASSES))))


class StepBench:
    """One recipe, ready to take steps.

    Args:
        recipe: gives the network, the optimiser, the batch and its augmentations.
        machine: how to compute.
    """

    def __init__(self, recipe: Recipe, machine: Machine) -> None:
        self.recipe, self.machine = recipe, machine
        self.model = machine.place(build_model(recipe, SHAPE, NUM_CLASSES)).train()
        self.optimizer = build_optimizer(recipe, self.model)
        self.gradients = OwnGradients.of(self.model, machine)
        drawn = draw_images(2 * recipe.batch_size)
        # Without the random crops of the first epochs: the step is one of the last epochs.
        full = recipe.model_copy(update={"random_crop_phase": ()})
        self.batches = TrainBatches(
            torch.tensor(drawn.images).to(machine.device),
            torch.tensor(drawn.labels).to(machine.device),
            num_classes=NUM_CLASSES,
            normalize=build_normalizer(MEAN, STD, machine.device),
            batch_size=recipe.batch_size,
            augmentations=schedule_augmentations(full, (), 2),
            seed=0,
            micro_batch=choose_micro_batch(recipe, machine),
        )
        # One batch is enough, since it is gathered and augmented anew in every step.
        self.batch = next(self.batches.epoch(1))
        began = time.perf_counter()
        for _ in range(2):
            self.take_step()
        synchronize()
        self.first_seconds = time.perf_counter() - began
        self.steps = count_repeats(self.take_step)

    def take_step(self) -> None:
        """One update."""
        update(self.gradients, self.batch, self.optimizer, self.machine, 0)

    def job(self) -> Job:
        """A job of some steps."""
        return repeat(self.take_step, self.steps, self.recipe.batch_size)

    def input_job(self) -> Job:
        """A job of the input path alone, of as many steps."""

        def make_batch() -> None:
            for _part in self.batch:
                pass

        return repeat(make_batch, self.steps, self.recipe.batch_size)

    def count_flop(self) -> float:
        """Floating-point operations of a step for one image; an addition and a product are two.

        They are those of plain convolutions, however these are computed here: some ways need
        fewer, others compute with zeros.
        """
        # Without any device there is just the plain way.
        with torch.device("meta"):
            model = build_model(self.recipe, SHAPE, NUM_CLASSES).train()
            images = torch.empty(len(self.batch), *SHAPE)
        counts: list[float] = []

        def compute_loss() -> Tensor:
            with FlopCounterMode(display=False) as counter:
                loss: Tensor = model(images).sum()
                torch.autograd.backward(loss)
            counts.append(counter.get_total_flops())
            return loss

        # Some optimisers compute the gradients of a batch twice.
        build_optimizer(self.recipe, model).step(compute_loss)  # type: ignore[arg-type]
        return sum(counts) / len(self.batch)


def describe_step(
    bench: StepBench, measured: Throughput, peak: Peak, input_path: Throughput | None
) -> Step:
    """A timed step; `input_path` is None for a plain loop, which takes the recipe of `bench`."""
    speed = measured.images_per_second
    flop = bench.count_flop()
    plain = input_path is None
    return Step(
        images_per_second=speed,
        rounds=measured.rounds,
        batch_size=bench.recipe.batch_size,
        micro_batch=0 if plain else bench.batches.micro_batch,
        compiled=False if plain else bench.machine.compiled,
        first_seconds=None if plain else bench.first_seconds,
        flop_per_image=flop,
        flop_per_second=speed * flop,
        peak_share=speed * flop / peak.flop_per_second,
        input_share=None if input_path is None else speed / input_path.images_per_second,
    )
