"""What a look at the data left behind: statistics, and pictures as data URIs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A PNG as a data URI with its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Channel:
    """Statistics of one colour channel; the histogram's fractions sum to one."""

    name: str
    mean: float
    std: float
    histogram: tuple[float, ...]


@dataclass(frozen=True)
class Duplicates:
    """Identical images in the training split."""

    groups: int
    images: int


@dataclass(frozen=True)
class Preview:
    """An augmentation: its name, one sentence, and a strip with the original first."""

    name: str
    sentence: str
    picture: Picture | None


@dataclass(frozen=True)
class Exploration:
    """`exploration/exploration.json` with its pictures read; a lost picture is None."""

    n: int
    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    imbalance: float
    channels: tuple[Channel, ...]
    duplicates: Duplicates
    implications: tuple[str, ...]
    random: Picture | None
    classes: tuple[Picture | None, ...]
    averages: tuple[Picture | None, ...]
    before: Picture | None
    after: Picture | None
    augmentations: tuple[Preview, ...]
