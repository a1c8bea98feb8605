"""How fast a recipe trains and classifies on this machine, from a few steps."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator

from smallvision.augment import build_normalizer
from smallvision.data.placement import gather
from smallvision.optim import Schedule
from smallvision.predict import infer_logits
from smallvision.recipes import Recipe
from smallvision.recipes.builders import (
    build_machine,
    build_model,
    build_optimizer,
    build_schedule,
    count_epoch_steps,
    prepare_model,
)
from smallvision.recipes.micro_batch import choose_micro_batch
from smallvision.recipes.planning import Speed
from smallvision.runs.job import Job
from smallvision.runs.run_data import RunData, build_batches
from smallvision.training.gradients import OwnGradients
from smallvision.training.loop import update

MOST_IMAGES = 512  # of a batch, so that a step of a large network takes seconds at most
STEPS = 3  # timed at least, after one to warm up
MORE_STEPS, ENOUGH = 12, 0.5  # timed where these together take fewer seconds
MOST_MEASURED = MOST_IMAGES * (STEPS + 1)  # images of a phase of training


def measure_speed(recipe: Recipe, job: Job, data: RunData) -> Speed:
    """Time a few steps of each phase of a recipe, and the classification of some images.

    Args:
        recipe: whose network, batches and augmentations.
        job: whose images.
        data: the same images on the device.

    Returns: seconds per image, of training as the mean over the phases.
    """
    machine, train = build_machine(recipe), job.dataset.train
    machine.set_up()
    normalize = build_normalizer(data.mean, data.std, machine.device)
    model = machine.place(build_model(recipe, train.shape, train.num_classes))
    batch_size = min(recipe.batch_size, MOST_IMAGES, len(data.train[1]))
    images = gather(data.train[0], slice(MOST_IMAGES), machine.device)
    prepare_model(recipe, model, lambda: normalize(images))
    recipe = recipe.model_copy(update={"batch_size": batch_size, "passes": 1})
    steps = count_epoch_steps(recipe, len(data.train[1]))
    schedule = build_schedule(recipe, steps)
    batches = build_batches(
        recipe, job.dataset, data, machine, batch_size, choose_micro_batch(recipe, machine)
    )
    optimizer = build_optimizer(recipe, model)
    gradients = OwnGradients.of(model.train(), machine)
    mean = 0.0
    for share, first in list_phases(recipe, schedule):
        seconds: list[float] = []
        while len(seconds) <= STEPS or (len(seconds) <= MORE_STEPS and sum(seconds) < ENOUGH):
            step = len(seconds)
            epoch, place = divmod(min(first + step, recipe.epochs * steps - 1), steps)
            batch = next(iter(itertools.islice(batches.epoch(epoch + 1, place), 1)))
            began = time.perf_counter()
            float(update(gradients, batch, optimizer, machine, dropout_seed=0))
            seconds.append(time.perf_counter() - began)
        mean += share * statistics.median(seconds[1:]) / batch_size
    model.eval()
    infer_logits(model, images[:8], normalize, machine)
    began = time.perf_counter()
    infer_logits(model, images, normalize, machine)
    return Speed(train=mean, infer=(time.perf_counter() - began) / len(images))


def list_phases(recipe: Recipe, schedule: Schedule) -> Iterator[tuple[float, int]]:
    """Yield the phases of the first cycle: the share of the run that each has, and a first step."""
    length = schedule.cycle_ends[0] + 1
    bounds = [0.0, *(phase.until for phase in recipe.random_crop_phase), 1.0]
    for start, end in itertools.pairwise(bounds):
        if end > start:
            yield end - start, min(round(start * length), length - 1)
