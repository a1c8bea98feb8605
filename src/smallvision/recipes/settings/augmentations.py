"""Settings of the augmentations in `augment`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from smallvision.cards import Card
from smallvision.records.schema.settings.base import Real, Share, Technique, Whole
from smallvision.shapes import MAX_SIZE

Alpha = Annotated[Real, Field(gt=0, le=100)]


class FlipSettings(Technique):
    """Settings of `augment.flip`."""

    card: ClassVar = Card(
        sentence="Mirror each image left to right, half of the time.",
        source="folklore; Krizhevsky et al., NeurIPS 2012",
        assumes="a mirrored image keeps its label: true of animals, false of digits and text",
    )
    name: Literal["flip"] = "flip"
    probability: Share = 0.5


class AlternatingFlipSettings(Technique):
    """Settings of `augment.alternating_flip`."""

    card: ClassVar = Card(
        sentence="Mirror each image left to right in every second epoch.",
        source="Jordan, arXiv 2404.00498",
        assumes="a mirrored image keeps its label: true of animals, false of digits and text",
    )
    name: Literal["alternating_flip"] = "alternating_flip"


class CropSettings(Technique):
    """Settings of `augment.crop`."""

    card: ClassVar = Card(
        sentence="Shift each image by a few pixels; mirrored pixels fill the border.",
        source="He et al., arXiv 1512.03385; reflection as in Zagoruyko, arXiv 1605.07146",
        assumes="the object does not sit at the very edge",
    )
    name: Literal["crop"] = "crop"
    padding: Whole = Field(4, ge=0, le=48)


class CutoutSettings(Technique):
    """Settings of `augment.cutout`."""

    card: ClassVar = Card(
        sentence="Hide a grey square of each image.",
        source="DeVries and Taylor, arXiv 1708.04552",
        assumes="no single patch decides the class",
    )
    name: Literal["cutout"] = "cutout"
    size: Whole = Field(8, ge=1, le=MAX_SIZE)


class RandomErasingSettings(Technique):
    """Settings of `augment.random_erasing`."""

    card: ClassVar = Card(
        sentence="Hide a box of each image under noise, half of the time.",
        source="Zhong et al., arXiv 1708.04896",
        assumes="no single patch decides the class",
    )
    name: Literal["random_erasing"] = "random_erasing"
    probability: Share = 0.5
    area: tuple[Share, Share] = (0.02, 0.4)


class CutMixSettings(Technique):
    """Settings of `augment.cutmix`."""

    card: ClassVar = Card(
        sentence="Paste a box of another image, half of the time, and mix the labels alike.",
        source="Yun et al., arXiv 1905.04899",
        assumes="most parts of an image tell its class; a long enough training to profit",
    )
    name: Literal["cutmix"] = "cutmix"
    alpha: Alpha = 1.0
    probability: Share = 0.5


class MixUpSettings(Technique):
    """Settings of `augment.mixup`."""

    card: ClassVar = Card(
        sentence="Blend each image with another, and their labels in the same shares.",
        source="Zhang et al., arXiv 1710.09412",
        assumes="a long enough training to profit",
    )
    name: Literal["mixup"] = "mixup"
    alpha: Alpha = 1.0
    probability: Share = 1.0


class TrivialAugmentSettings(Technique):
    """Settings of `augment.trivial_augment`."""

    card: ClassVar = Card(
        sentence="Slant, shift, turn, recolour or sharpen each image: one of 14, at random.",
        source="Müller and Hutter, arXiv 2103.10158",
        assumes="small shifts and turns, and other colours, keep the label",
        costs="milliseconds a batch",
    )
    name: Literal["trivial_augment"] = "trivial_augment"


AnyAugmentation = (
    FlipSettings
    | AlternatingFlipSettings
    | CropSettings
    | CutoutSettings
    | RandomErasingSettings
    | CutMixSettings
    | MixUpSettings
    | TrivialAugmentSettings
)
