"""From a recipe to built objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn

from smallvision.augment import (
    AUGMENTATIONS,
    Augmentation,
    AugmentationSchedule,
    smooth,
    window,
)
from smallvision.compute.machine import Machine, choose_machine
from smallvision.data.batches import count_parts
from smallvision.errors import SettingError
from smallvision.exploration.previews import AugmentationPreview
from smallvision.models import MODELS
from smallvision.optim import OPTIMIZERS, SCHEDULES, Schedule, find_norms
from smallvision.predict import Views, build_network
from smallvision.randomness import derive_seed
from smallvision.recipes.settings import Recipe, Settings
from smallvision.training import AVERAGES, Average, Patience

FEWEST_AT_ONCE = 8  # images; batch norm makes little sense of fewer


def preview_catalogue() -> list[AugmentationPreview]:
    """All augmentations with their default settings, to be shown on images."""
    return [
        AugmentationPreview(name, entry.card.sentence, entry.apply)
        for name, entry in AUGMENTATIONS.items()
    ]


def as_arguments(settings: Settings) -> dict[str, Any]:
    """Settings as keyword arguments of their builder."""
    return settings.model_dump(exclude={"name"})


def check_fit(recipe: Recipe, shape: tuple[int, int, int]) -> None:
    """Refuse a recipe that images of this shape or this machine cannot bear, before all else.

    Raises:
        SettingError: a crop or a view that shifts by as much as the image, windows larger than
            the image, too small for the network or for one that takes one size only, parts of a
            batch too small for batch norm, or a device that is not here.
    """
    if 0 < recipe.micro_batch < FEWEST_AT_ONCE:
        raise SettingError(
            f"micro_batch is {recipe.micro_batch}; batch norm needs {FEWEST_AT_ONCE} images at a "
            "time, or say 0 for the whole batch"
        )
    side = min(shape[1:])
    if recipe.views.shift >= side:
        raise SettingError(
            f"views.shift is {recipe.views.shift} pixels; images of {shape[1]}x{shape[2]} allow "
            f"at most {side - 1}"
        )
    for stretch in recipe.windows:
        if stretch.side > side:
            raise SettingError(
                f"windows of {stretch.side} pixels do not fit images of {shape[1]}x{shape[2]}"
            )
    if recipe.windows and not MODELS[recipe.model.name].any_size:
        raise SettingError(
            f"{recipe.model.name} takes images of one size, so it cannot begin with windows"
        )
    if recipe.windows:
        smallest = min(stretch.side for stretch in recipe.windows)
        with torch.device("meta"):  # no time, no memory
            model = build_model(recipe, shape, 2).eval()
            try:
                model(torch.empty(2, shape[0], smallest, smallest))
            except RuntimeError as error:
                raise SettingError(
                    f"windows of {smallest} pixels are too small for this {recipe.model.name} and "
                    f"images of {shape[1]}x{shape[2]}; make them larger"
                ) from error
    for settings in recipe.augment:
        if settings.name == "crop" and settings.padding >= side:
            raise SettingError(
                f"crop padding is {settings.padding} pixels; images of {shape[1]}x{shape[2]} "
                f"allow at most {side - 1}"
            )
    build_machine(recipe)


def build_model(recipe: Recipe, shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Build the network with weights drawn from the recipe's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(recipe.seed, "weights"))
        return build_network(recipe.model.model_dump(), shape, num_classes)


def prepare_model(recipe: Recipe, model: nn.Module, draw: Callable[[], Tensor]) -> None:
    """Give a fresh network what it takes from normalised training images, if anything."""
    prepare = MODELS[recipe.model.name].prepare
    if prepare is not None:
        prepare(model, draw())


def choose_micro_batch(recipe: Recipe, machine: Machine) -> int:
    """Images at a time: on a CPU as the recipe says, on a GPU the whole batch, which it wants."""
    return recipe.micro_batch if machine.device == "cpu" else 0


def divide_norms(model: nn.Module, batch_size: int, micro_batch: int) -> None:
    """Let the running statistics follow the parts of a batch as fast as they would the whole."""
    parts = count_parts(batch_size, micro_batch)
    for norm in find_norms(model):
        if parts > 1 and norm.momentum is not None:
            norm.momentum = 1 - (1 - norm.momentum) ** (1 / parts)


def build_augmentations(recipe: Recipe) -> list[partial[tuple[Tensor, Tensor]]]:
    """Bind each augmentation's settings."""
    return [
        partial(AUGMENTATIONS[settings.name].apply, **as_arguments(settings))
        for settings in recipe.augment
    ]


def schedule_augmentations(
    recipe: Recipe,
    cycle_ends: Sequence[int],
    steps_per_epoch: int,
    teach: Augmentation | None = None,
) -> AugmentationSchedule:
    """Lay the augmentations over a run, windows, label smoothing throughout, and a teacher.

    In the last `clean_tail` of each cycle, where the rate falls to its lowest, images are not
    mixed, so that the weights of a snapshot settle on images as they will be met. For the same
    reason each cycle begins with windows and ends with whole images.

    Args:
        recipe: whose augmentations.
        cycle_ends: the last step of every cycle, in order, counted from 0.
        steps_per_epoch: updates an epoch.
        teach: what a teacher says of the images as the network in training sees them.
    """

    def soften(images: Tensor, targets: Tensor, _: Generator) -> tuple[Tensor, Tensor]:
        return images, smooth(targets, recipe.label_smoothing)

    entries = [AUGMENTATIONS[settings.name] for settings in recipe.augment]
    built = build_augmentations(recipe)
    coins = derive_seed(recipe.seed, "coins") >> 32  # so that adding an index does not overflow
    starts = [0, *(end + 1 for end in cycle_ends)]
    cycles = [range(start, end + 1) for start, end in zip(starts, cycle_ends, strict=False)]
    tails = [cycle[len(cycle) - round(recipe.clean_tail * len(cycle)) :] for cycle in cycles]

    def find_side(step: int) -> int | None:
        sides = (
            stretch.side
            for cycle in cycles
            for stretch in recipe.windows
            if step in cycle[: round(stretch.until * len(cycle))]
        )
        return next(sides, None)

    def find_augmentations(step: int, indices: Tensor) -> list[Augmentation]:
        is_clean = any(step in tail for tail in tails)
        epoch = step // steps_per_epoch + 1
        chosen = [
            (entry, augment)
            for entry, augment in zip(entries, built, strict=True)
            if not (entry.mixes and is_clean)
        ]
        augmentations: list[Augmentation] = [
            partial(augment, indices=indices, epoch=epoch, seed=coins)
            if entry.remembers
            else augment
            for entry, augment in chosen
        ]
        if side := find_side(step):
            # Before images are mixed, whose targets tell of what is in the end there to see.
            mixing = (place for place, (entry, _) in enumerate(chosen) if entry.mixes)
            augmentations.insert(next(mixing, len(chosen)), partial(window, side=side))
        if recipe.label_smoothing:
            augmentations.append(soften)
        if teach is not None:
            augmentations.append(teach)
        return augmentations

    return find_augmentations


def build_schedule(recipe: Recipe, steps_per_epoch: int) -> Schedule:
    """Lay the schedule over the recipe's epochs."""
    entry = SCHEDULES[recipe.schedule.name]
    return entry.build(recipe.epochs, steps_per_epoch, **as_arguments(recipe.schedule))


def build_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """Build the optimiser over a model's parameters."""
    entry = OPTIMIZERS[recipe.optimizer.name]
    return entry.build(model, **as_arguments(recipe.optimizer))


def build_views(recipe: Recipe) -> Views:
    """How the finished model looks at an image."""
    return Views(**recipe.views.model_dump())


def build_average(recipe: Recipe, model: nn.Module, schedule: Schedule) -> Average:
    """Build the average of a model's weights over the recipe's epochs."""
    entry = AVERAGES[recipe.averaging.name]
    return entry.build(model, schedule, recipe.epochs, **as_arguments(recipe.averaging))


def build_patience(recipe: Recipe) -> Patience:
    """Patience as the loop wants it."""
    return Patience(recipe.stopping.patience or None, recipe.stopping.unit)


def build_machine(recipe: Recipe) -> Machine:
    """Decide how to compute, from the recipe's wishes and this machine."""
    wishes = as_arguments(recipe.compute)
    return choose_machine(**{**wishes, "threads": wishes["threads"] or None})
