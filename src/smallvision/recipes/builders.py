"""Objects built from a recipe: model, optimiser, schedule, augmentations and the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Generator, Tensor, nn

from smallvision.augment import (
    AUGMENTATIONS,
    Augmentation,
    AugmentationSchedule,
    random_crop,
    smooth_labels,
)
from smallvision.compute.machine import Machine, choose_machine
from smallvision.data.batches import count_steps
from smallvision.errors import SettingError
from smallvision.exploration.previews import AugmentationPreview
from smallvision.format import METRIC_WORDS
from smallvision.models import MODELS
from smallvision.optim import OPTIMIZERS, SCHEDULES, Schedule
from smallvision.predict import Tta, build_network, sketch_network
from smallvision.randomness import derive_seed
from smallvision.recipes.micro_batch import MIN_MICRO_BATCH
from smallvision.recipes.settings.recipe import TECHNIQUES, Recipe
from smallvision.shapes import MIN_CLASSES
from smallvision.training import AVERAGES, Average, Patience


def check_fit(recipe: Recipe, shape: tuple[int, int, int]) -> None:
    """Refuse a recipe that does not fit images of this shape or this machine, before all else.

    Args:
        recipe: to check.
        shape: `(C, H, W)` of an image.

    Raises:
        SettingError: a crop or test-time augmentation that shifts by as much as the image has
            pixels, random crops that are larger than the image, too small for the network, or
            for a network that takes images of one size only, a network that is too large,
            micro-batches too small for batch norm, classes balanced twice, or a device that this
            machine does not have.
    """
    if 0 < recipe.micro_batch < MIN_MICRO_BATCH:
        raise SettingError(
            f"micro_batch is {recipe.micro_batch}; batch norm needs {MIN_MICRO_BATCH} images at a "
            "time, or say 0 for the whole batch"
        )
    if recipe.class_weights == recipe.sampling == "balanced":
        raise SettingError(
            "class_weights and sampling both make small classes count more; say balanced for one"
        )
    side = min(shape[1:])
    if recipe.tta.shift >= side:
        raise SettingError(
            f"tta.shift is {recipe.tta.shift} pixels; images of {shape[2]}x{shape[1]} allow "
            f"at most {side - 1}"
        )
    check_crops(recipe, shape)
    for settings in recipe.augment:
        if settings.name == "crop" and settings.padding >= side:
            raise SettingError(
                f"crop padding is {settings.padding} pixels; images of {shape[2]}x{shape[1]} "
                f"allow at most {side - 1}"
            )
    sketch_network(recipe.model, shape, MIN_CLASSES)
    build_machine(recipe)


def check_crops(recipe: Recipe, shape: tuple[int, int, int]) -> None:
    """Refuse random crops that do not fit the images or the network.

    Raises:
        SettingError: crops that are larger than the image, too small for the network, or for a
            network that takes images of one size only.
    """
    if not recipe.random_crop_phase:
        return
    sides = [phase.side for phase in recipe.random_crop_phase]
    if max(sides) > min(shape[1:]):
        raise SettingError(
            f"random crops of {max(sides)} pixels do not fit images of {shape[2]}x{shape[1]}"
        )
    if not MODELS[recipe.model.name].any_size:
        raise SettingError(
            f"{recipe.model.name} takes images of one size, so it cannot learn from random crops; "
            "leave out random_crop_phase"
        )
    model = sketch_network(recipe.model, shape, MIN_CLASSES).eval()
    with torch.device("meta"):
        try:
            model(torch.empty(2, shape[0], min(sides), min(sides)))
        except RuntimeError as error:
            raise SettingError(
                f"random crops of {min(sides)} pixels are too small for this {recipe.model.name} "
                f"and images of {shape[2]}x{shape[1]}; make them larger"
            ) from error


def build_model(recipe: Recipe, shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Build the network with weights drawn from the recipe's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(recipe.seed, "weights"))
        return build_network(recipe.model, shape, num_classes)


def prepare_model(recipe: Recipe, model: nn.Module, draw: Callable[[], Tensor]) -> None:
    """Let a new network measure what it needs on normalised training images, if anything.

    Args:
        recipe: names the network.
        model: just built.
        draw: returns normalised training images, float `(N, C, H, W)`.
    """
    prepare = MODELS[recipe.model.name].prepare
    if prepare is not None:
        prepare(model, draw())


def build_augmentations(recipe: Recipe) -> list[partial[tuple[Tensor, Tensor]]]:
    """The augmentations of a recipe, each with its settings."""
    return [
        partial(AUGMENTATIONS[settings.name].apply, **settings.arguments())
        for settings in recipe.augment
    ]


def preview_catalogue() -> list[AugmentationPreview]:
    """All augmentations with their default settings, to be shown on images."""
    return [
        AugmentationPreview(kind().name, kind.card.sentence, AUGMENTATIONS[kind().name].apply)
        for kind in TECHNIQUES["augment"]
    ]


def schedule_augmentations(
    recipe: Recipe,
    cycle_ends: Sequence[int],
    steps_per_epoch: int,
    teach: Augmentation | None = None,
) -> AugmentationSchedule:
    """Decide which augmentations each step of a run applies, label smoothing and teacher included.

    In the last `unmixed_fraction` of each cycle, where the learning rate is lowest, images are
    not mixed, because a model is used on images that are not mixed. For the same reason each
    cycle begins with random crops and ends with whole images.

    Args:
        recipe: whose augmentations.
        cycle_ends: the last step of every cycle, in order, counted from 0.
        steps_per_epoch: updates per epoch.
        teach: mixes a teacher's probabilities into the targets; it comes last, and so sees the
            images that the network in training sees.
    """

    def apply_smoothing(images: Tensor, targets: Tensor, _: Generator) -> tuple[Tensor, Tensor]:
        return images, smooth_labels(targets, recipe.label_smoothing)

    entries = [AUGMENTATIONS[settings.name] for settings in recipe.augment]
    built = build_augmentations(recipe)
    flip_seed = derive_seed(recipe.seed, "coins") >> 32  # so that adding an index does not overflow
    starts = [0, *(end + 1 for end in cycle_ends)]
    cycles = [range(start, end + 1) for start, end in zip(starts, cycle_ends, strict=False)]
    unmixed = [
        cycle[len(cycle) - round(recipe.unmixed_fraction * len(cycle)) :] for cycle in cycles
    ]

    def find_side(step: int) -> int | None:
        sides = (
            phase.side
            for cycle in cycles
            for phase in recipe.random_crop_phase
            if step in cycle[: round(phase.until * len(cycle))]
        )
        return next(sides, None)

    def find_augmentations(step: int, indices: Tensor) -> list[Augmentation]:
        is_unmixed = any(step in steps for steps in unmixed)
        number = step * recipe.passes // steps_per_epoch + 1  # of the pass
        chosen = [
            (entry, augment)
            for entry, augment in zip(entries, built, strict=True)
            if not (entry.mixes and is_unmixed)
        ]
        augmentations: list[Augmentation] = [
            partial(augment, indices=indices, epoch=number, seed=flip_seed)
            if entry.needs_indices
            else augment
            for entry, augment in chosen
        ]
        if side := find_side(step):
            # Crop before images are mixed: mixed targets are shares of the pixels that remain.
            mixing = (place for place, (entry, _) in enumerate(chosen) if entry.mixes)
            augmentations.insert(next(mixing, len(chosen)), partial(random_crop, side=side))
        if recipe.label_smoothing:
            augmentations.append(apply_smoothing)
        if teach is not None:
            augmentations.append(teach)
        return augmentations

    return find_augmentations


def count_epoch_steps(recipe: Recipe, num_images: int) -> int:
    """Batches in an epoch of a recipe."""
    return recipe.passes * count_steps(num_images, min(recipe.batch_size, num_images))


def build_schedule(recipe: Recipe, steps_per_epoch: int) -> Schedule:
    """Build the learning-rate schedule over the recipe's epochs."""
    build = SCHEDULES[recipe.schedule.name]
    return build(recipe.epochs, steps_per_epoch, **recipe.schedule.arguments())


def build_optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    """Build the optimiser over a model's parameters."""
    build = OPTIMIZERS[recipe.optimizer.name]
    return build(model, **recipe.optimizer.arguments())


def build_tta(recipe: Recipe) -> Tta:
    """Build the test-time augmentation of the finished model."""
    return Tta(**recipe.tta.arguments())


def build_average(recipe: Recipe, model: nn.Module, schedule: Schedule) -> Average:
    """Build the average of a model's weights over the recipe's epochs."""
    build = AVERAGES[recipe.averaging.name]
    return build(model, schedule, recipe.epochs, **recipe.averaging.arguments())


def build_patience(recipe: Recipe) -> Patience:
    """Build the rule of early stopping."""
    stopping = recipe.stopping
    return Patience(
        stopping.patience or None,
        stopping.unit,
        stopping.learnt or None,
        METRIC_WORDS[recipe.metric],
    )


def build_machine(recipe: Recipe) -> Machine:
    """Choose device, precision, compilation and threads, by the recipe and this machine."""
    settings = recipe.compute.arguments()
    return choose_machine(**{**settings, "threads": settings["threads"] or None})
