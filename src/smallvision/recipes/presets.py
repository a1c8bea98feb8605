"""Scales of the ladder, from minutes on two cores to hours on one GPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smallvision.errors import SettingError, nearest
from smallvision.recipes.settings.optimization import SgdrSettings
from smallvision.recipes.speednet_recipe import TARGETS, SpeedNetScale
from smallvision.records.schema.settings.networks import (
    SpeedNetSettings,
    Vgg10Settings,
    WideResNetSettings,
)


@dataclass(frozen=True)
class Preset:
    """A scale of the ladder: how many images, how long a training, how large the networks.

    Attributes:
        sentence: describes the preset to users.
        subset: share of the training images that is used, given their number; None for all.
        steps: intended number of updates in a run of a convolutional network.
        epochs: fewest and most epochs, whatever `steps` says.
        schedule: of the learning rate; rungs shorten its warm-up in short runs.
        vgg, wrn, speednet: the networks at this scale.
        trials: of the tuning, including the one with the recipe's own settings.
        trial_share: epochs of a trial as a share of a run's.
        snapshots: cycles of the run whose snapshots form the ensemble; at least one more than the
            rung has that it builds on.
    """

    sentence: str
    subset: Callable[[int], float | None]
    steps: int
    epochs: tuple[int, int]
    schedule: SgdrSettings
    vgg: Vgg10Settings
    wrn: WideResNetSettings
    speednet: SpeedNetScale
    trials: int
    trial_share: float
    snapshots: int


ONE_CYCLE = SgdrSettings(cycles=1)  # a short run has no epochs to spare for restarts
PRESETS: dict[str, Preset] = {
    "quick": Preset(
        sentence="Minutes on two cores; large sets are thinned to 10,000 training images.",
        subset=lambda n: 10_000 / n if n > 10_000 else None,
        steps=500,
        epochs=(4, 20),
        schedule=ONE_CYCLE,
        vgg=Vgg10Settings(width=16),
        wrn=WideResNetSettings(depth=10, width=2),
        speednet=SpeedNetScale(
            8, SpeedNetSettings(widths=(32, 64, 128)), ((0.375, 0.625), (0.75, 0.75))
        ),
        trials=4,
        trial_share=0.4,
        snapshots=2,
    ),
    "laptop": Preset(
        sentence="All images; about an hour on two modern cores for CIFAR-10.",
        subset=lambda _: None,
        steps=940,
        epochs=(3, 40),
        schedule=ONE_CYCLE,
        vgg=Vgg10Settings(width=32),
        wrn=WideResNetSettings(depth=10, width=2),
        speednet=SpeedNetScale(7, SpeedNetSettings(extra_convs=1), ((0.715, 0.875),)),
        trials=3,
        trial_share=0.34,
        snapshots=3,
    ),
    "full": Preset(
        sentence="The study's own scale for one GPU: WRN-16-8, cycles of 10, 20 and 40 epochs.",
        subset=lambda _: None,
        steps=21_840,
        epochs=(70, 140),
        schedule=SgdrSettings(cycles=3, cycle_mult=2.0),
        vgg=Vgg10Settings(width=64),
        wrn=WideResNetSettings(depth=16, width=8, dropout=0.3),
        speednet=TARGETS[0.96],
        trials=12,
        trial_share=0.15,
        snapshots=3,
    ),
}


def find_preset(name: str) -> Preset:
    """Look a preset up.

    Raises:
        SettingError: there is none of that name; the nearest is named.
    """
    if name not in PRESETS:
        raise SettingError(f"unknown preset '{name}'{nearest(name, PRESETS)}")
    return PRESETS[name]


def choose_batch_size(num_train: int) -> int:
    """128 as in the literature; less where an epoch would have too few updates."""
    return 128 if num_train >= 20_000 else 64 if num_train >= 1_000 else 16


def choose_epochs(preset: Preset, steps_per_epoch: int) -> int:
    """The number of epochs for the preset's steps, within its bounds."""
    low, high = preset.epochs
    return min(max(round(preset.steps / max(1, steps_per_epoch)), low), high)
