"""Settings of the networks in `models`, and of an ensemble of them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from smallvision.cards import Card
from smallvision.records.schema.settings.base import (
    Activation,
    Real,
    Settings,
    ShareBelowOne,
    Technique,
    Whole,
    limit_length,
)

MAX_LAYERS = 64  # that a list of their widths may have
MAX_MEMBERS = 256  # of an ensemble

SeRatio = Annotated[Whole, Field(ge=0, le=256)]


def check_depth(depth: int) -> int:
    """Refuse a depth that no Wide ResNet has."""
    if (depth - 4) % 6:
        raise PydanticCustomError("depth", "expected 6n + 4, such as 10, 16, 22 or 28")
    return depth


class LinearClassifierSettings(Technique):
    """Settings of `models.linear_classifier`."""

    card: ClassVar = Card(
        sentence="Logistic regression on pixels: one linear layer.",
        source="Cox, J. R. Stat. Soc. B 20 (1958) 215-242",
        assumes="each class is one pattern of light and dark, at one place",
        costs="a few thousand parameters a class",
    )
    name: Literal["linear"] = "linear"


class MlpSettings(Technique):
    """Settings of `models.mlp`."""

    card: ClassVar = Card(
        sentence="A fully connected network on flattened pixels.",
        source="folklore",
        assumes="nothing, not even that neighbouring pixels belong together",
        costs="parameters grow with the number of pixels",
    )
    name: Literal["mlp"] = "mlp"
    hidden: Annotated[
        tuple[Annotated[Whole, Field(ge=1, le=65536)], ...], limit_length(MAX_LAYERS)
    ] = (512, 256)
    dropout: ShareBelowOne = 0.0


class Vgg10Settings(Technique):
    """Settings of `models.vgg10`."""

    card: ClassVar = Card(
        sentence="Ten plain convolutions with batch norm, pooled in three steps.",
        source="Simonyan and Zisserman, arXiv 1409.1556; Ioffe and Szegedy, arXiv 1502.03167",
        assumes="patterns mean the same wherever they are",
        costs="2 million parameters at width 32",
    )
    name: Literal["vgg10"] = "vgg10"
    width: Whole = Field(32, ge=1, le=512)
    dropout: ShareBelowOne = 0.0
    activation: Activation = "relu"
    se_ratio: SeRatio = 0


class WideResNetSettings(Technique):
    """Settings of `models.wide_resnet`."""

    card: ClassVar = Card(
        sentence="Residual blocks with few, wide layers.",
        source="Zagoruyko and Komodakis, arXiv 1605.07146",
        assumes="patterns mean the same wherever they are",
        costs="time and parameters grow with the square of the width",
    )
    name: Literal["wide_resnet"] = "wide_resnet"
    depth: Annotated[Whole, Field(ge=10, le=202), AfterValidator(check_depth)] = 16
    width: Whole = Field(4, ge=1, le=32)
    dropout: ShareBelowOne = 0.0
    activation: Activation = "relu"
    se_ratio: SeRatio = 0


class SpeedNetSettings(Technique):
    """Settings of `models.speednet`."""

    card: ClassVar = Card(
        sentence="A few plain convolutions on whitened pixels, designed to train in minutes.",
        source="Jordan, arXiv 2404.00498; Page, cifar10-fast; Balsam, hlb-CIFAR10",
        assumes="patterns mean the same wherever they are; needs the optimiser `muon`",
        costs="2 million parameters",
    )
    name: Literal["speednet"] = "speednet"
    widths: Annotated[
        tuple[Annotated[Whole, Field(ge=1, le=4096)], ...],
        Field(min_length=1),
        limit_length(MAX_LAYERS),
    ] = (64, 256, 256)
    depth: Whole = Field(2, ge=2, le=16)
    extra_convs: Whole = Field(0, ge=0, le=16)
    activation: Activation = "gelu"
    norm_momentum: Real = Field(0.4, gt=0, le=1)


AnyModel: TypeAlias = (
    LinearClassifierSettings | MlpSettings | Vgg10Settings | WideResNetSettings | SpeedNetSettings
)


class EnsembleSettings(Settings):
    """Settings of the networks that answer as one, which are no ensembles themselves."""

    name: Literal["ensemble"] = "ensemble"
    members: Annotated[
        tuple[Annotated[AnyModel, Field(discriminator="name")], ...],
        Field(min_length=1, max_length=MAX_MEMBERS),
    ]


# What a saved model is built from.
NetworkSettings: TypeAlias = AnyModel | EnsembleSettings


def list_networks(settings: NetworkSettings) -> tuple[AnyModel, ...]:
    """The settings of an ensemble's members, or those of a single network alone."""
    return settings.members if isinstance(settings, EnsembleSettings) else (settings,)
