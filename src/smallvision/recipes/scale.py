"""How large the networks of a ladder are, and how long each is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from smallvision.recipes.task import Task
from smallvision.records.schema.settings.networks import (
    AnyModel,
    LinearClassifierSettings,
    MlpSettings,
    SpeedNetSettings,
    Vgg10Settings,
    WideResNetSettings,
)

Family = Literal["linear", "mlp", "vgg", "wrn", "speednet"]
FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True)
class Size:
    """A network in one of the sizes that a plan chooses from.

    Attributes:
        model: the network.
        operations: millions of multiplications for one image of 32x32 pixels.
    """

    model: AnyModel
    operations: float


# From small to large.
SIZES: Mapping[Family, Mapping[str, Size]] = {
    "linear": {"linear": Size(LinearClassifierSettings(), 0.03)},
    "mlp": {"mlp": Size(MlpSettings(), 1.7)},
    "vgg": {
        "vgg10 of width 16": Size(Vgg10Settings(width=16), 18),
        "vgg10 of width 32": Size(Vgg10Settings(width=32), 72),
        "vgg10 of width 64": Size(Vgg10Settings(width=64), 285),
    },
    "wrn": {
        "WRN-10-2": Size(WideResNetSettings(depth=10, width=2), 44.5),
        "WRN-16-2": Size(WideResNetSettings(depth=16, width=2), 101),
        "WRN-16-4": Size(WideResNetSettings(depth=16, width=4), 393),
        "WRN-16-8": Size(WideResNetSettings(depth=16, width=8, dropout=0.3), 1548),
    },
    "speednet": {
        "small speednet": Size(SpeedNetSettings(widths=(32, 64, 128)), 20),
        "speednet": Size(SpeedNetSettings(extra_convs=1), 123.5),
        "large speednet": Size(SpeedNetSettings(widths=(96, 320, 384), depth=3), 288),
        "largest speednet": Size(SpeedNetSettings(widths=(128, 384, 512), depth=3), 452),
    },
}


@dataclass(frozen=True)
class Length:
    """The size and the length of training of one family of networks.

    Attributes:
        size: a key of `SIZES[family]`.
        passes: over the training split.
    """

    size: str
    passes: int


@dataclass(frozen=True)
class LadderScale:
    """What a time budget decides about a ladder.

    Attributes:
        lengths: of every family of networks.
        trials: of the search for settings, including the one with the recipe's own.
        snapshots: cycles of the run whose snapshots form the ensemble; at least one more than the
            rung has that it builds on.
    """

    lengths: Mapping[Family, Length]
    trials: int
    snapshots: int

    @property
    def sizes(self) -> Mapping[Family, str]:
        """The size of every family."""
        return {family: length.size for family, length in self.lengths.items()}

    def model(self, family: Family) -> AnyModel:
        """The network of a family."""
        return SIZES[family][self.lengths[family].size].model

    def passes(self, family: Family) -> int:
        """The passes of a family over the training split."""
        return self.lengths[family].passes


# Length of a trial as a share of a run's: enough to rank settings, as successive halving has it.
TRIAL_SHARE = 0.34


@dataclass(frozen=True)
class Range:
    """Lengths of training between which a plan chooses.

    Attributes:
        least: fewer passes do not show what a network can do.
        enough: more are not expected to pay.
    """

    least: int
    enough: int


# 10, 61 and 24 passes over CIFAR-10's 40,000 training images. After 11 passes, a Wide ResNet with
# augmentation is behind one without; in the end it is in front.
CLASSIC_STEPS = (3_000, 19_000)
WRN_LEAST = 7_500
MOST_PASSES = 200  # over few images: from there on they are known by heart


def choose_range(family: Family, task: Task) -> Range:
    """How long a family of networks has to be trained on so many images.

    speednet sees about 400,000 images, the classic networks take steps of SGD by the thousand;
    few images are repeated more often, within a bound. Easy ones are learnt in ten passes.
    """
    if family == "speednet":
        ideal = min(max(400_000 / task.num_train, 7.0), float(MOST_PASSES))
        least = math.ceil(min(ideal, 20.0) / 2)
        return Range(least, min(MOST_PASSES, round(1.2 * ideal)))
    steps = max(1, task.num_train // choose_batch_size(task.num_train))
    least, enough = (math.ceil(total / steps) for total in CLASSIC_STEPS)
    least = min(math.ceil(WRN_LEAST / steps) if family == "wrn" else least, MOST_PASSES * 3 // 4)
    if family in ("linear", "mlp"):
        return Range(math.ceil(least / 2), math.ceil(least / 2))
    return Range(least, max(least, min(enough, MOST_PASSES)))


def choose_batch_size(num_train: int) -> int:
    """128 as in the literature; less where a pass would have too few updates."""
    return 128 if num_train >= 20_000 else 64 if num_train >= 1_000 else 16


MEASURED = 50  # times at most in a run: more cost time that few images leave for nothing else


def divide_passes(passes: int) -> tuple[int, int]:
    """The epochs of a run, and the passes in each."""
    each = -(-passes // MEASURED)
    return round(passes / each), each


def choose_cycles(passes: int, first: int) -> int:
    """Cycles of doubling length, at most four, of which the first has at least so many passes.

    Each ends in a usable model: a point of accuracy against time, at which a run ends that knows
    its training images.
    """
    return max(cycles for cycles in range(1, 5) if cycles == 1 or passes >= first * (2**cycles - 1))
