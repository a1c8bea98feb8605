"""A look at images before any model is trained on them: figures, pictures and what they imply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from smallvision.data.contact_sheet import Picture, write_pictures
from smallvision.data.dataset import DataSet
from smallvision.data.decoding.resize import OriginalSizes
from smallvision.data.imageset import ImageSet
from smallvision.data.related import relate_images
from smallvision.data.sources.source import record_left_out
from smallvision.data.split import Split, make_split
from smallvision.display import Displayed
from smallvision.exploration.closer_look import look_closer
from smallvision.exploration.figures import measure_images
from smallvision.exploration.pictures import draw_pictures
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.nofollow import is_file
from smallvision.records.schema import (
    CloserLook,
    ExplorationFigures,
    ExplorationRecord,
    ExploredSource,
)
from smallvision.text import show_text

if TYPE_CHECKING:
    from smallvision.exploration.previews import AugmentationPreview

RECORD = "exploration.json"


@dataclass(frozen=True, eq=False)
class Exploration(Displayed):
    """Figures and pictures of an image set, which a notebook displays.

    Pictures are drawn when they are first asked for: drawing augmentations needs torch.

    Attributes:
        figures: counts, statistics, and what they imply.
        images: the images that were measured.
        list_previews: returns the augmentations to show.
        seed: chooses the images that are shown.
        look: looks closer, or None where nobody does.

    >>> import smallvision as sv
    >>> look = sv.explore("digits")
    >>> look.figures.n, look.figures.class_names[:3]
    (1151, ('0', '1', '2'))
    >>> look.pictures["average-000.png"].shape[2]  # red, green, blue, opacity
    4
    """

    figures: ExplorationFigures
    images: ImageSet
    list_previews: Callable[[], Sequence[AugmentationPreview]]
    seed: int
    look: Callable[[], tuple[CloserLook, dict[str, Picture]]] | None = None

    @cached_property
    def closer(self) -> CloserLook | None:
        """Pairs that are alike, outliers and a map: seconds, when first asked for."""
        return self._looked[0] if self._looked else None

    @cached_property
    def _looked(self) -> tuple[CloserLook, dict[str, Picture]] | None:
        return self.look() if self.look else None

    @cached_property
    def _drawn(self) -> tuple[ExplorationRecord, dict[str, Picture]]:
        return self.draw(self.list_previews())

    def draw(
        self, previews: Sequence[AugmentationPreview] = ()
    ) -> tuple[ExplorationRecord, dict[str, Picture]]:
        """The record with its pictures; previews of augmentations need torch."""
        names, pictures = draw_pictures(self.images, self.figures.channels, previews, self.seed)
        record = ExplorationRecord(**dict(self.figures), pictures=names, closer=self.closer)
        return record, pictures | (self._looked[1] if self._looked else {})

    @property
    def pictures(self) -> dict[str, Picture]:
        """RGBA pictures `(height, width, 4)` by their file names."""
        return self._drawn[1]

    @property
    def record(self) -> ExplorationRecord:
        """The content of `exploration.json`: the figures, and the names of the pictures."""
        return self._drawn[0]

    def __repr__(self) -> str:
        return "\n".join([f"{self.figures.n:,} images", *map(show_text, self.figures.implications)])

    def write(self, folder: Path) -> None:
        """Write `exploration.json`, then the pictures that it names.

        The record comes first: what a kill or a full disk leaves is known for an exploration, and
        may be written again.

        Raises:
            RecordError: the folder cannot be written.
        """
        store.write(make_folder(folder) / RECORD, self.record)
        write_pictures(folder, self.pictures)


def is_explored(folder: Path) -> bool:
    """Whether a folder holds an exploration that was written to its end.

    Raises:
        RecordError: its record is damaged.
    """
    record = store.read_if_there(folder / RECORD, ExplorationRecord)
    return record is not None and all(is_file(folder / name) for name in record.list_files())


def explore_images(
    images: ImageSet,
    *,
    mirror_safe: bool = True,
    list_previews: Callable[[], Sequence[AugmentationPreview]] = tuple,
    num_val: int | None = None,
    original: OriginalSizes | None = None,
    seed: int = 0,
) -> Exploration:
    """Measure images, and prepare the pictures of them.

    Args:
        images: the images; those of the training split if models are to be compared later.
        mirror_safe: whether a left-right flip keeps the label.
        list_previews: returns the augmentations to show, once pictures are asked for.
        num_val: number of validation images, or None to say nothing about their accuracy.
        original: sizes of the pictures before they were resized, or None if there were none.
        seed: chooses the images that are shown.
    """
    figures = measure_images(images, mirror_safe=mirror_safe, num_val=num_val, original=original)
    return Exploration(figures, images, list_previews, seed)


def explore_dataset(
    dataset: DataSet,
    *,
    list_previews: Callable[[], Sequence[AugmentationPreview]] = tuple,
    seed: int = 0,
) -> Exploration:
    """Explore the training split of a data set, closer than a study does once that is asked for.

    Args:
        dataset: the data set; its test set stays sealed.
        list_previews: as for `explore_images`.
        seed: of the split and of the choice of images shown.

    Raises:
        DataError: a class is too small to be split.
    """
    related = relate_images(dataset.train, dataset.groups, dataset.alike)
    split = make_split(dataset.train, val=dataset.val, seed=seed, related=related)
    images = dataset.train.take(split.train)
    exploration = explore_images(
        images,
        mirror_safe=dataset.mirror_safe,
        list_previews=list_previews,
        num_val=len(split.val),
        original=dataset.sizes,
        seed=seed,
    )
    look = partial(
        look_closer,
        images,
        describe_source(dataset, split),
        split.train,
        kept_together=dataset.alike is not None,
        seed=seed,
    )
    return replace(exploration, look=look)


def describe_source(dataset: DataSet, split: Split) -> ExploredSource:
    """What was understood of the source of a data set."""
    return ExploredSource(
        name=dataset.name,
        origin=dataset.source,
        train_n=len(dataset.train),
        kept_n=len(split.val),
        test_n=len(dataset.test),
        declared=dataset.val is not None,
        carved=dataset.carved,
        mirror_safe=dataset.mirror_safe,
        notes=dataset.notes,
        left_out=record_left_out(dataset.left_out),
    )
