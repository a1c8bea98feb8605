"""The recipe of `speednet`, which trains in minutes on two cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smallvision.errors import SettingError
from smallvision.recipes.scale import choose_cycles
from smallvision.recipes.settings.augmentations import AlternatingFlipSettings, CropSettings
from smallvision.recipes.settings.optimization import LinearSettings, MuonSettings
from smallvision.recipes.settings.recipe import (
    LEARNT,
    Augment,
    RandomCropPhase,
    Recipe,
    StoppingSettings,
    TtaSettings,
)
from smallvision.recipes.task import Task
from smallvision.records.schema.settings.networks import AnyModel, SpeedNetSettings


@dataclass(frozen=True)
class SpeedNetScale:
    """Length of the training and size of the network.

    Attributes:
        epochs: of training.
        passes: over the training split in an epoch.
        model: the network.
        crop_phases: phases of training on random crops: the share of each cycle after which the
            phase ends, and the side of its crops as a share of the image's.
    """

    epochs: int
    passes: int
    model: AnyModel
    crop_phases: tuple[tuple[float, float], ...] = ((0.7, 0.875),)


# For CIFAR-10, on all 50,000 training images; docs/SPEED.md has the records.
TARGETS: Mapping[float, SpeedNetScale] = {
    0.93: SpeedNetScale(7, 1, SpeedNetSettings(extra_convs=1), ((0.65, 0.875),)),
    0.94: SpeedNetScale(10, 1, SpeedNetSettings(extra_convs=1)),
    0.96: SpeedNetScale(40, 1, SpeedNetSettings(widths=(128, 384, 512), depth=3)),
}

FIRST_CYCLE = 24  # passes at least of the first of several cycles
STEPS_PER_EPOCH = 25  # at least; batches of 2,000 images for CIFAR-10


def build_speednet_recipe(task: Task, scale: SpeedNetScale, *, seed: int = 0) -> Recipe:
    """Adapt the recipe of `speednet` to a task.

    Args:
        task: size and number of the training images.
        scale: length of the training and size of the network.
        seed: of the run.
    """
    side = min(task.shape[1:])
    shift = CropSettings(padding=max(1, side // 16))
    augment: tuple[Augment, ...] = (
        (AlternatingFlipSettings(), shift) if task.mirror_safe else (shift,)
    )
    cycles = choose_cycles(scale.epochs * scale.passes, FIRST_CYCLE)
    batch_size = max(16, min(2000, task.num_train // STEPS_PER_EPOCH))
    return Recipe(
        name="speednet",
        seed=seed,
        epochs=scale.epochs,
        passes=scale.passes,
        batch_size=batch_size,
        micro_batch=500 if batch_size > 500 else 0,
        model=scale.model,
        augment=augment,
        random_crop_phase=tuple(
            RandomCropPhase(until=until, side=round(share * side))
            for until, share in scale.crop_phases
            if share * side >= 16
        ),
        label_smoothing=0.2,
        # The small weights of the head make the gradients of all norms small, which the high
        # learning rate of vectors makes up for. The loss is a mean over the batch, so learning
        # rates of matrices and vectors grow with the batch.
        optimizer=MuonSettings(
            lr=0.24,
            matrix_lr=1e-5 * batch_size,
            vector_lr=0.05 * batch_size,
            weight_decay=2e-6 * batch_size,
        ),
        schedule=LinearSettings(cycles=cycles, cycle_mult=2.0 if cycles > 1 else 1.0),
        stopping=LEARNT if cycles > 1 else StoppingSettings(),
        tta=TtaSettings(mirror=task.mirror_safe, shift=1 if side >= 16 else 0),
        checkpoints="best",
    )


def recipe_for_target(target: float, *, seed: int = 0) -> Recipe:
    """The cheapest recipe that was made for a test accuracy on CIFAR-10.

    Its settings were chosen on validation images beforehand, so the test set chooses nothing.

    Args:
        target: test accuracy, in (0, 1).
        seed: of the run.

    Raises:
        SettingError: no recipe was made for so high an accuracy.
    """
    reach = [known for known in sorted(TARGETS) if known >= target]
    if not 0 < target < 1 or not reach:
        known = ", ".join(f"{one:g}" for one in sorted(TARGETS))
        raise SettingError(
            f"--target is {target:g}, a share of all test images; recipes were made for {known}"
        )
    task = Task((3, 32, 32), 50_000, mirror_safe=True)
    return build_speednet_recipe(task, TARGETS[reach[0]], seed=seed)
