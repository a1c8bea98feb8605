"""Training steps: images a second, and how much of the machine that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.records import begin_record
from benchmarks.throughput.baseline import MEAN, STD, PlainLoop
from benchmarks.throughput.peak import find_peak, list_convolutions
from benchmarks.throughput.timing import Job, alternate, fill_turn, repeat, settle
from smallvision.augment import build_normalizer
from smallvision.compute.machine import Machine
from smallvision.data.batches import TrainBatches
from smallvision.data.imageset import ImageSet
from smallvision.recipes import Recipe
from smallvision.recipes.builders import (
    build_model,
    build_optimizer,
    choose_micro_batch,
    schedule_augmentations,
)
from smallvision.runs.train import explain_failure
from smallvision.training.loop import update

SHAPE, NUM_CLASSES = (3, 32, 32), 10


def bench_step(
    recipes: Mapping[str, Recipe],
    machine: Machine,
    *,
    rounds: int = 5,
    compiled: bool = False,
    plain: bool = False,
    command: str = "smallvision.bench.bench_step()",
    say: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Time whole training steps on random images of 3x32x32: input path, gradients, update.

    Args:
        recipes: by the name under which they are recorded.
        machine: how to compute.
        rounds: turns of each.
        compiled: whether to time each compiled as well.
        plain: whether to time each in a plain loop over a DataLoader as well (`plain.PlainLoop`).
        command: for the record.
        say: told how it goes.

    Returns: a record; `peak` of the machine's convolutions, and in `steps`, by name, images a
        second, floating-point operations an image and a second, the share of the peak, and the
        share of the time that goes into the input path, which is null for a plain loop, whose
        workers prepare images meanwhile, as is the time of its first steps.

    Raises:
        FailedRunError: memory does not suffice for a step.
    """
    machine.set_up()
    convolutions = list_convolutions(machine)
    jobs: dict[str, Job] = {}
    facts: dict[str, dict[str, Any]] = {}
    for name, recipe in recipes.items():
        ways = (False, True) if compiled else (False,)
        for way in ways:
            title = f"{name}, compiled" if way else name
            try:
                bench = StepBench(recipe, replace(machine, compiled=way))
            except (MemoryError, RuntimeError) as error:
                raise explain_failure(error, recipe) from error
            jobs[title] = bench.job()
            facts[title] = bench.describe()
            jobs[f"{title}: input"] = bench.input_job()
        if plain:
            title = f"{name}, plain loop"
            known = {"micro_batch": 0, "compiled": False, "first_seconds": None}
            facts[title] = facts[name] | known
            jobs[title] = PlainLoop(recipe, draw_images(2 * recipe.batch_size), machine).job()
    rates = alternate(jobs | convolutions, rounds=rounds, say=say)
    peak = find_peak(convolutions, rates)
    steps = {}
    for title, known in facts.items():
        rate = rates[title]["images_per_second"]
        speed = rate * known["flop_per_image"]
        alone = rates.get(f"{title}: input")
        steps[title] = {
            **known,
            **rates[title],
            "flop_per_second": speed,
            "peak_share": speed / peak["flop_per_second"],
            "input_share": rate / alone["images_per_second"] if alone else None,
        }
    # Whether it is compiled, each step says for itself.
    head = begin_record("step", command, replace(machine, compiled=False))
    return {**head, "peak": peak, "steps": steps}


def draw_images(count: int) -> ImageSet:
    """Random images under random labels."""
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (count, *SHAPE), dtype=np.uint8)
    labels = draw.integers(0, NUM_CLASSES, count)
    return ImageSet(pixels, labels, tuple(map(str, range(NUM_CLASSES))))


class StepBench:
    """One recipe, ready to take steps.

    Args:
        recipe: whose steps.
        machine: how to compute.
    """

    def __init__(self, recipe: Recipe, machine: Machine) -> None:
        self.recipe, self.machine = recipe, machine
        self.model = machine.place(build_model(recipe, SHAPE, NUM_CLASSES)).train()
        self.optimizer = build_optimizer(recipe, self.model)
        self.forward = machine.compile_model(self.model)
        drawn = draw_images(2 * recipe.batch_size)
        # Without the windows of the first epochs: a step is one of the last.
        full = recipe.model_copy(update={"windows": ()})
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
        # One batch will do: it is made anew each time it is gone through.
        self.batch = next(self.batches.epoch(1))
        began = time.perf_counter()
        for _ in range(2):
            self.take_step()
        settle()
        self.first_seconds = time.perf_counter() - began
        self.steps = fill_turn(self.take_step)

    def take_step(self) -> None:
        """One update."""
        update(self.forward, self.batch, self.optimizer, self.machine, 0)

    def job(self) -> Job:
        """A job of some steps."""
        return repeat(self.take_step, self.steps, self.recipe.batch_size)

    def input_job(self) -> Job:
        """A job of the input path of as many steps."""

        def go_through() -> None:
            for _part in self.batch:
                pass

        return repeat(go_through, self.steps, self.recipe.batch_size)

    def describe(self) -> dict[str, Any]:
        """What is known before it is timed."""
        return {
            "batch_size": self.recipe.batch_size,
            "micro_batch": self.batches.micro_batch,
            "compiled": self.machine.compiled,
            # The first two steps, of which the first compiles.
            "first_seconds": self.first_seconds,
            "flop_per_image": self.count_flop(),
        }

    def count_flop(self) -> float:
        """Floating-point operations of a step for one image; an addition and a product are two.

        They are those of plain convolutions, however these are computed here: some ways do with
        fewer, others compute with zeros.
        """
        # On no device at all there is just the plain way.
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

        # Some optimisers look at a batch twice.
        build_optimizer(self.recipe, model).step(compute_loss)  # type: ignore[arg-type]
        return sum(counts) / len(self.batch)
