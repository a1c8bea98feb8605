"""A recipe: everything that decides a run, besides the data and the split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from smallvision.recipes.settings.augmentations import AnyAugmentation
from smallvision.recipes.settings.optimization import (
    AnyAverage,
    AnyOptimizer,
    AnySchedule,
    NoAverageSettings,
    SgdrSettings,
    SgdSettings,
)
from smallvision.records.schema.measures import MetricName
from smallvision.records.schema.settings.base import (
    Real,
    Settings,
    Share,
    ShareBelowOne,
    Technique,
    Whole,
    limit_length,
)
from smallvision.records.schema.settings.networks import AnyModel, WideResNetSettings
from smallvision.shapes import MAX_SIZE, MIN_SIZE

# The techniques that each part of a recipe can name.
TECHNIQUES: Mapping[str, tuple[type[Technique], ...]] = {
    "model": get_args(AnyModel),
    "augment": get_args(AnyAugmentation),
    "optimizer": get_args(AnyOptimizer),
    "schedule": get_args(AnySchedule),
    "averaging": get_args(AnyAverage),
}

MAX_STEPS = 32  # of the lists in a recipe

Augment = Annotated[
    Annotated[AnyAugmentation, Field(discriminator="name")],
    # A bare name means the augmentation with its defaults: augment = ["flip", "crop"].
    BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value),
]


class RandomCropPhase(Settings):
    """A phase of training on random crops, which cost less time than whole images."""

    until: Share
    """Share of each cycle after which the phase ends."""
    side: Whole = Field(ge=MIN_SIZE, le=MAX_SIZE)
    """Side of the square crops, in pixels."""


class TtaSettings(Settings):
    """Settings of `predict.Tta`: test-time augmentation of the finished model."""

    mirror: bool = False
    """Whether the mirror image is classified too."""
    shift: Whole = Field(0, ge=0, le=8)
    """Pixels of a diagonal shift; 0 for none."""


class TeacherSettings(Settings):
    """Settings of `predict.build_distillation_targets`; `distill` fills in which model teaches."""

    model: str = Field("", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """Fingerprint of the teacher; empty for none."""
    share: Share = 0.9
    """Share of the teacher's probabilities in the targets; the labels have the rest."""
    temperature: Real = Field(1.0, gt=0, le=100)
    """Divisor of the teacher's logits."""


class StartSettings(Settings):
    """Settings of `predict.take_over`; `--start` fills in with whose weights a run begins."""

    model: str = Field("", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """Fingerprint of the model; empty for fresh weights."""
    rate: Share = 0.1
    """Learning rate of what was taken over, as a share of that of the new head: a tenth adapts it
    and does not learn it anew (Girshick et al., arXiv 1311.2524)."""


class StoppingSettings(Settings):
    """Early stopping: without a better validation accuracy, or with training images known."""

    patience: Whole = Field(1, ge=0)
    """Number of epochs or cycles; 0 never stops early."""
    unit: Literal["epochs", "cycles"] = "cycles"
    """What `patience` counts: whole cycles, or epochs, without a better validation accuracy."""
    learnt: Share = 0.0
    """Accuracy on clean training images at which training ends with the cycle; 0 to go on."""


LEARNT = StoppingSettings(learnt=0.999)
NEVER_STOP = StoppingSettings(patience=0)


class ComputeOptions(Settings):
    """Where and how to compute; `auto` decides by the machine."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    compile: Literal["auto", "on", "off"] = "auto"
    threads: Whole = Field(0, ge=0, le=1024)
    """CPU threads; 0 takes all there are."""


class Recipe(Settings):
    """Everything that decides a run, besides the data and the split."""

    name: str = Field("run", pattern=r"^\w[\w.-]*$", max_length=100)
    """Name of the recipe, which is also part of the name of the run's folder."""
    seed: Whole = Field(0, ge=0, le=2**31)
    """Seed of all random numbers of the run."""
    epochs: Whole = Field(30, ge=1, le=100_000)
    """Number of epochs; a model is measured, and can be gone on from, at the end of each."""
    passes: Whole = Field(1, ge=1, le=1000)
    """Passes over the training split in an epoch; more than one where the split is small."""
    batch_size: Whole = Field(128, ge=2, le=65536)
    """Images per update."""
    micro_batch: Whole = Field(0, ge=0, le=65536)
    """Images per forward and backward pass on a CPU, whose gradients are added up; 0 for the whole
    batch."""
    model: AnyModel = Field(WideResNetSettings(), discriminator="name")
    augment: Annotated[tuple[Augment, ...], limit_length(MAX_STEPS)] = ()
    """Augmentations, applied in this order."""
    random_crop_phase: Annotated[tuple[RandomCropPhase, ...], limit_length(MAX_STEPS)] = ()
    """Phases at the start of each cycle in which images are cropped at random, in order."""
    label_smoothing: ShareBelowOne = 0.0
    """Share of each target that is spread evenly over all classes."""
    unmixed_fraction: Share = 0.0
    """Share of each cycle, at its end, in which images are not mixed (CutMix, MixUp)."""
    optimizer: AnyOptimizer = Field(SgdSettings(), discriminator="name")
    schedule: AnySchedule = Field(SgdrSettings(), discriminator="name")
    averaging: AnyAverage = Field(NoAverageSettings(), discriminator="name")
    tta: TtaSettings = TtaSettings()
    metric: MetricName = "accuracy"
    """The validation figure by which epochs, settings and rungs are chosen; balanced_accuracy and
    macro_f1 count every class alike, whatever its size."""
    class_weights: Literal["none", "balanced"] = "none"
    """`balanced` weighs the loss of an image by one over the size of its class."""
    sampling: Literal["shuffled", "balanced"] = "shuffled"
    """`balanced` draws as many images of each class in a pass, those of a small class more than
    once."""
    teacher: TeacherSettings = TeacherSettings()
    """Distillation from another model."""
    start: StartSettings = StartSettings()
    """Weights of another model to begin with."""
    stopping: StoppingSettings = StoppingSettings()
    checkpoints: Literal["best", "cycles", "all"] = "cycles"
    """Which checkpoints are kept besides the best and the last: none, those at the ends of cycles,
    or all."""
    nonfinite: Literal["stop", "skip", "roll-back"] = "stop"
    """What follows a loss or gradient that is NaN or infinite: the run fails, the step is skipped,
    or the run returns to its last checkpoint."""
    compute: ComputeOptions = ComputeOptions()


def find_technique(part: str, name: str) -> type[Technique]:
    """Look up the settings class of a technique, such as `("optimizer", "sgd")`.

    Raises:
        KeyError: the part has no technique of that name.
    """
    return {kind().name: kind for kind in TECHNIQUES[part]}[name]
