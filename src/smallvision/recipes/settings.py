"""Typed settings: what a recipe may say, in which range, with which default.

The classes mirror the keyword arguments of the builders in `models`, `augment`, `optim` and
`training`, so that those ideas never see a recipe; tests/contracts/test_settings.py keeps the two
from drifting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


def refuse_truth(value: Any) -> Any:
    """Refuse true and false where numbers are wanted; pydantic takes them for 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("truth", "expected a number, not true or false")
    return value


Whole = Annotated[int, BeforeValidator(refuse_truth)]
Real = Annotated[float, BeforeValidator(refuse_truth)]
Share = Annotated[Real, Field(ge=0, le=1)]
PartialShare = Annotated[Real, Field(ge=0, lt=1)]
Activation = Literal["relu", "mish", "silu", "gelu"]
Squeeze = Annotated[Whole, Field(ge=0, le=256, description="reduction ratio; 0 for none")]
Alpha = Annotated[Real, Field(gt=0, le=100)]


class Settings(BaseModel):
    """Frozen, and closed to unknown keys: a misspelt key is an error, never ignored."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )


class Mlp(Settings):
    """Settings of `models.mlp`."""

    name: Literal["mlp"] = "mlp"
    hidden: tuple[Annotated[Whole, Field(ge=1, le=65536)], ...] = (512, 256)
    dropout: PartialShare = 0.0


class Vgg10(Settings):
    """Settings of `models.vgg10`."""

    name: Literal["vgg10"] = "vgg10"
    width: Whole = Field(32, ge=1, le=512)
    dropout: PartialShare = 0.0
    activation: Activation = "relu"
    squeeze: Squeeze = 0


class WideResNet(Settings):
    """Settings of `models.wide_resnet`."""

    name: Literal["wide_resnet"] = "wide_resnet"
    depth: Annotated[Whole, Field(ge=10, le=202)] = 16
    width: Whole = Field(4, ge=1, le=32)
    dropout: PartialShare = 0.0
    activation: Activation = "relu"
    squeeze: Squeeze = 0


class SpeedNet(Settings):
    """Settings of `models.speednet`."""

    name: Literal["speednet"] = "speednet"
    widths: Annotated[tuple[Annotated[Whole, Field(ge=1, le=4096)], ...], Field(min_length=1)] = (
        64,
        256,
        256,
    )
    depth: Whole = Field(2, ge=2, le=16)
    extra: Whole = Field(0, ge=0, le=16, description="more convolutions in the last group")
    activation: Activation = "gelu"
    norm_momentum: Real = Field(0.4, gt=0, le=1)


Model = Annotated[Mlp | Vgg10 | WideResNet | SpeedNet, Field(discriminator="name")]


class Flip(Settings):
    """Settings of `augment.flip`."""

    name: Literal["flip"] = "flip"
    probability: Share = 0.5


class AlternatingFlip(Settings):
    """Settings of `augment.alternating_flip`."""

    name: Literal["alternating_flip"] = "alternating_flip"


class Crop(Settings):
    """Settings of `augment.crop`."""

    name: Literal["crop"] = "crop"
    padding: Whole = Field(4, ge=0, le=48)


class Cutout(Settings):
    """Settings of `augment.cutout`."""

    name: Literal["cutout"] = "cutout"
    size: Whole = Field(8, ge=1, le=96)


class RandomErasing(Settings):
    """Settings of `augment.random_erasing`."""

    name: Literal["random_erasing"] = "random_erasing"
    probability: Share = 0.5
    area: tuple[Share, Share] = (0.02, 0.4)


class CutMix(Settings):
    """Settings of `augment.cutmix`."""

    name: Literal["cutmix"] = "cutmix"
    alpha: Alpha = 1.0
    probability: Share = 0.5


class MixUp(Settings):
    """Settings of `augment.mixup`."""

    name: Literal["mixup"] = "mixup"
    alpha: Alpha = 1.0
    probability: Share = 1.0


class TrivialAugment(Settings):
    """Settings of `augment.trivial_augment`."""

    name: Literal["trivial_augment"] = "trivial_augment"


Augment = Annotated[
    Annotated[
        Flip | AlternatingFlip | Crop | Cutout | RandomErasing | CutMix | MixUp | TrivialAugment,
        Field(discriminator="name"),
    ],
    # A bare name means the augmentation with its defaults: augment = ["flip", "crop"].
    BeforeValidator(lambda value: {"name": value} if isinstance(value, str) else value),
]


class Sgd(Settings):
    """Settings of `optim.sgd`."""

    name: Literal["sgd"] = "sgd"
    lr: Real = Field(0.1, gt=0, le=1e3)
    momentum: PartialShare = 0.9
    nesterov: bool = True
    weight_decay: Real = Field(5e-4, ge=0, le=1)
    decay_norms_and_biases: bool = False


class Sam(Settings):
    """Settings of `optim.sam`."""

    name: Literal["sam"] = "sam"
    lr: Real = Field(0.1, gt=0, le=1e3)
    momentum: PartialShare = 0.9
    nesterov: bool = True
    weight_decay: Real = Field(5e-4, ge=0, le=1)
    decay_norms_and_biases: bool = False
    rho: Real = Field(0.05, gt=0, le=100)
    adaptive: bool = False


class Muon(Settings):
    """Settings of `optim.muon`."""

    name: Literal["muon"] = "muon"
    lr: Real = Field(0.1, gt=0, le=1e3)
    momentum: PartialShare = 0.6
    matrix_lr: Real = Field(0.02, gt=0, le=1e3)
    vector_lr: Real = Field(0.1, gt=0, le=1e3)
    vector_momentum: Annotated[Real, Field(gt=0, lt=1)] = 0.85
    weight_decay: PartialShare = 0.004


def name_optimizer(value: Any) -> Any:
    """Give the name of SGD to a table without one: it was the only kind when recipes began."""
    return {"name": "sgd", **value} if isinstance(value, Mapping) else value


Optimizer = Annotated[
    Annotated[Sgd | Sam | Muon, Field(discriminator="name")], BeforeValidator(name_optimizer)
]


class Sgdr(Settings):
    """Settings of `optim.sgdr`."""

    name: Literal["sgdr"] = "sgdr"
    cycles: Whole = Field(3, ge=1, le=100)
    cycle_mult: Real = Field(2.0, ge=1, le=10)
    warmup_epochs: Real = Field(0.0, ge=0)
    floor: Share = 0.0


class Cosine(Settings):
    """Settings of `optim.cosine`."""

    name: Literal["cosine"] = "cosine"
    warmup_epochs: Real = Field(0.0, ge=0)
    floor: Share = 0.0


class Linear(Settings):
    """Settings of `optim.linear`."""

    name: Literal["linear"] = "linear"
    cycles: Whole = Field(1, ge=1, le=100)
    warmup_epochs: Real = Field(0.0, ge=0)
    floor: Share = 0.0


class OneCycle(Settings):
    """Settings of `optim.one_cycle`."""

    name: Literal["one_cycle"] = "one_cycle"
    peak: Annotated[Real, Field(gt=0, lt=1)] = 0.3
    start: Share = 0.04
    floor: Share = 0.0


Schedule = Annotated[Sgdr | Cosine | Linear | OneCycle, Field(discriminator="name")]


class NoAverage(Settings):
    """Settings of `training.averaging.Average`."""

    name: Literal["none"] = "none"


class Ema(Settings):
    """Settings of `training.averaging.Ema`."""

    name: Literal["ema"] = "ema"
    decay: PartialShare = 0.999


class Swa(Settings):
    """Settings of `training.averaging.Swa`."""

    name: Literal["swa"] = "swa"
    start: Share = 0.75


Averaging = Annotated[NoAverage | Ema | Swa, Field(discriminator="name")]


class Windows(Settings):
    """A stretch of training on windows of the images."""

    until: Share = Field(description="share of each cycle after which it ends")
    side: Whole = Field(ge=8, le=96, description="pixels")


class Views(Settings):
    """Settings of `predict.Views`."""

    mirror: bool = False
    shift: Whole = Field(0, ge=0, le=8, description="pixels; 0 for none")


class Teacher(Settings):
    """Settings of `predict.build_teaching`, and which model teaches; `distill` fills that in."""

    model: str = Field(
        "", pattern=r"^(sha256:[0-9a-f]{64})?$", description="fingerprint; empty for none"
    )
    share: Share = 0.9
    temperature: Real = Field(1.0, gt=0, le=100)


class Stopping(Settings):
    """Early stopping: `patience` epochs or whole cycles without a better validation accuracy."""

    patience: Whole = Field(1, ge=0, description="0 never stops early")
    unit: Literal["epochs", "cycles"] = "cycles"


class Compute(Settings):
    """Where and how to compute; `auto` looks at the machine."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    compile: Literal["auto", "on", "off"] = "auto"
    threads: Whole = Field(0, ge=0, le=1024, description="CPU threads; 0 takes all there are")


class Recipe(Settings):
    """Everything that decides a run, besides the data and the split."""

    name: str = Field("run", pattern=r"^\w[\w.-]*$", max_length=100)  # it names a folder
    seed: Whole = Field(0, ge=0, le=2**31)
    epochs: Whole = Field(30, ge=1, le=100_000)
    batch_size: Whole = Field(128, ge=2, le=65536)
    micro_batch: Whole = Field(
        0, ge=0, le=65536, description="images at a time on a CPU; 0 for the whole batch"
    )
    model: Model = WideResNet()
    augment: tuple[Augment, ...] = ()
    windows: tuple[Windows, ...] = Field((), description="parts of images first")
    label_smoothing: PartialShare = 0.0
    clean_tail: Share = Field(0.0, description="share of each cycle, at its end, without mixing")
    optimizer: Optimizer = Sgd()
    schedule: Schedule = Sgdr()
    averaging: Averaging = NoAverage()
    views: Views = Views()
    teacher: Teacher = Teacher()
    stopping: Stopping = Stopping()
    checkpoints: Literal["best", "cycles", "all"] = "cycles"
    nonfinite: Literal["stop", "skip", "roll-back"] = Field(
        "stop", description="what a loss or gradient that is no number does to a run"
    )
    compute: Compute = Compute()

    def plain(self) -> dict[str, Any]:
        """As plain TOML values."""
        return self.model_dump(mode="json")
