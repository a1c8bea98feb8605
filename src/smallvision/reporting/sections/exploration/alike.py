"""Images that occur twice, or nearly: pairs of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smallvision.records.schema import AlikePairs, DuplicateCounts, ImagePair
from smallvision.reporting.view import ExplorationView, Picture


@dataclass(frozen=True)
class PairShown:
    """A pair with its picture and the classes of the two."""

    pair: ImagePair
    first: str
    second: str
    picture: Picture | None


@dataclass(frozen=True)
class AlikeSection:
    """What the section shows."""

    duplicates: DuplicateCounts
    pairs: AlikePairs
    identical: tuple[PairShown, ...]
    near: tuple[PairShown, ...]


def gather(view: ExplorationView) -> AlikeSection:
    """Collect what the section shows."""
    record, pairs, pictures = view.found.record, view.closer.pairs, view.found.pictures
    return AlikeSection(
        duplicates=record.duplicates,
        pairs=pairs,
        identical=tuple(show_pair(pair, record.class_names, pictures) for pair in pairs.identical),
        near=tuple(show_pair(pair, record.class_names, pictures) for pair in pairs.near),
    )


def show_pair(
    pair: ImagePair, names: tuple[str, ...], pictures: Mapping[str, Picture | None]
) -> PairShown:
    """A pair with what is shown of it."""
    return PairShown(pair, names[pair.first.label], names[pair.second.label], pictures[pair.file])
