"""A look at images before any model is trained on them: figures, pictures and what they imply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from smallvision.data.contact_sheet import Picture, embed_png, write_pictures
from smallvision.data.dataset import DataSet
from smallvision.data.decoding.resize import OriginalSizes
from smallvision.data.imageset import ImageSet
from smallvision.data.related import relate_images
from smallvision.data.split import make_split
from smallvision.exploration.figures import measure_images
from smallvision.exploration.pictures import draw_pictures
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.nofollow import is_file
from smallvision.records.schema import (
    ExplorationFigures,
    ExplorationPictures,
    ExplorationRecord,
)
from smallvision.text import show_html, show_text

if TYPE_CHECKING:
    from smallvision.exploration.previews import AugmentationPreview

RECORD = "exploration.json"


@dataclass(frozen=True, eq=False)
class Exploration:
    """Figures and pictures of an image set, which a notebook displays.

    Pictures are drawn when they are first asked for: drawing augmentations needs torch.

    Attributes:
        figures: counts, statistics, and what they imply.
        images: the images that were measured.
        list_previews: returns the augmentations to show.
        seed: chooses the images that are shown.
    """

    figures: ExplorationFigures
    images: ImageSet
    list_previews: Callable[[], Sequence[AugmentationPreview]]
    seed: int

    @cached_property
    def _drawn(self) -> tuple[ExplorationPictures, dict[str, Picture]]:
        return draw_pictures(self.images, self.figures.channels, self.list_previews(), self.seed)

    @property
    def pictures(self) -> dict[str, Picture]:
        """RGBA pictures `(height, width, 4)` by their file names."""
        return self._drawn[1]

    @property
    def record(self) -> ExplorationRecord:
        """The content of `exploration.json`: the figures, and the names of the pictures."""
        return ExplorationRecord(**dict(self.figures), pictures=self._drawn[0])

    def __repr__(self) -> str:
        return "\n".join([f"{self.figures.n:,} images", *map(show_text, self.figures.implications)])

    def _repr_html_(self) -> str:
        sentences = "".join(f"<li>{show_html(line)}</li>" for line in self.figures.implications)
        source = embed_png(self.pictures["random.png"])
        style = "image-rendering:pixelated;width:100%;max-width:50em"
        return (
            f"<p>{self.figures.n:,} images</p><ul>{sentences}</ul>"
            f'<img alt="Random images" style="{style}" src="{source}">'
        )

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
    return record is not None and all(
        is_file(folder / name) for name in record.pictures.list_files()
    )


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
    """Explore the training split of a data set.

    Args:
        dataset: the data set; its test set stays sealed.
        list_previews: as for `explore_images`.
        seed: of the split and of the choice of images shown.

    Raises:
        DataError: a class is too small to be split.
    """
    related = relate_images(dataset.train, dataset.groups, dataset.alike)
    split = make_split(dataset.train, val=dataset.val, seed=seed, related=related)
    return explore_images(
        dataset.train.take(split.train),
        mirror_safe=dataset.mirror_safe,
        list_previews=list_previews,
        num_val=len(split.val),
        original=dataset.sizes,
        seed=seed,
    )
