"""The model that is exported, and the images that its export is checked on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.loading.load import as_dataset
from smallvision.data.split import Split, find_val, make_split
from smallvision.errors import DataError
from smallvision.predict import SavedModel
from smallvision.records.layout import REFIT, STATUS, is_finished, read_status
from smallvision.records.model_folders import find_records, find_winner, list_pretrained
from smallvision.records.nofollow import exists
from smallvision.runs.classify import find_classifier
from smallvision.runs.finished_run import find_dataset
from smallvision.shapes import MAX_NAME, Images, Labels, Shape

CALIBRATION = 500  # training images on which activations are measured
MADE_UP = 256
OURS = "mit"  # licence of the models that come with the package
ImageKind: TypeAlias = Literal["validation", "labelled", "made up"]


@dataclass(frozen=True, eq=False)
class ExportSource:
    """A model and where it comes from.

    Attributes:
        model: it computes in float32.
        name: of the folder that was named, or of an included model.
        run: the folder of its run; None of a saved model alone, and of an included one.
    """

    model: SavedModel
    name: str
    run: Path | None

    @property
    def records(self) -> Path | None:
        """Where the records of its run lie; those of an included model come with it."""
        return find_included(self.model) or self.run

    @property
    def licence(self) -> str:
        """Under which it may be passed on, where that is known."""
        return OURS if find_included(self.model) else ""

    @property
    def has_seen_val(self) -> bool:
        """Whether it was trained on the validation images of its run too."""
        if self.run is None:
            return False
        return is_finished(self.run / REFIT) or read_status(self.run).kind in (
            "refit",
            "all_images",
        )


@dataclass(frozen=True, eq=False)
class CheckImages:
    """Images on which the answers of an exported model are compared with its own.

    Attributes:
        kind: `validation` images of the run; `labelled` ones, which the model may have been trained
            on; `made up`.
        images: uint8 `(N, C, H, W)`, in random order.
        labels: int64 `(N,)`; None of images that are made up.
        calibration: some training images; None likewise.
        notes: what a person should know of them, one sentence each.
    """

    kind: ImageKind
    images: Images
    labels: Labels | None = None
    calibration: Images | None = None
    notes: tuple[str, ...] = ()


def find_included(model: SavedModel) -> Path | None:
    """The records of a model that comes with the package; None of any other."""
    if model.folder is None or model.folder not in list_pretrained():
        return None
    return find_records(model.folder)


def find_source(place: Path) -> ExportSource:
    """The model of a study's winner, of a run, of a saved model's folder, or an included one.

    Raises:
        RecordError: there is none yet, or it is damaged.
    """
    folder = find_winner(place)
    model = find_classifier(folder)
    name = place.name or place.resolve().name
    name = name.encode(errors="replace").decode()[:MAX_NAME] or "model"
    return ExportSource(model, name, folder if exists(folder / STATUS) else None)


def find_images(
    source: ExportSource,
    data: DataSet | str | Path | None,
    data_dir: str | Path | None,
    *,
    most: int,
    labelled: bool,
) -> CheckImages:
    """Images to check an export on; the test set is never among them.

    Args:
        source: the model.
        data: the data set that it was trained on; None for the one that its run remembers.
        data_dir: where to look for a named data set first.
        most: images that are taken.
        labelled: whether only images with labels will do.

    Raises:
        DataError: the data set was named or is needed, and is missing or another one.
    """
    if source.run is None and data is None:
        if labelled:
            raise DataError(
                f"{source.name} is a saved model without a run, so its accuracy before and after "
                "cannot be measured; name the data set that it was trained on with --data"
            )
        return make_up_images(source.model.shape, "None of its validation images are at hand")
    try:
        dataset, split = load_images(source, data, data_dir)
    except DataError:
        if data is not None or labelled:
            raise
        # Why would name folders of this machine, and notes are published.
        reason = "Its validation images were not found"
        return make_up_images(source.model.shape, reason)
    return pick_images(source, dataset, split, most)


def load_images(
    source: ExportSource, data: DataSet | str | Path | None, data_dir: str | Path | None
) -> tuple[DataSet, Split]:
    """The data set of a model and how it is split; arguments and errors as for `find_images`."""
    if source.run is not None:
        return find_dataset(source.run, data, data_dir)
    assert data is not None
    dataset, model = as_dataset(data, data_dir), source.model
    found = (dataset.train.class_names, dataset.train.images.shape[1:])
    if found != (model.class_names, model.shape):
        raise DataError(
            f"'{dataset.name}' has other classes, or images of another shape, than {source.name} "
            f"was trained on, {model}; name its own data set"
        )
    return dataset, make_split(dataset.train, val=dataset.val)


def pick_images(source: ExportSource, dataset: DataSet, split: Split, most: int) -> CheckImages:
    """Some validation images, and some training images to measure activations on."""
    val, draw = find_val(dataset, split), np.random.default_rng(0)
    chosen = draw.permutation(split.val)[:most]
    measured = draw.permutation(split.train)[:CALIBRATION]
    kind: ImageKind = "validation"
    notes: tuple[str, ...] = ()
    if source.run is None or source.has_seen_val:
        kind = "labelled"
        reason = (
            "is a saved model without a run, so it may have been"
            if source.run is None
            else "has been"
        )
        notes = (
            f"{source.name} {reason} trained on the images of {dataset.name} that its answers were "
            "compared on: accuracies before and after say what is lost, and no more.",
        )
    return CheckImages(
        kind, val.images[chosen], val.labels[chosen], dataset.train.images[measured], notes
    )


def make_up_images(shape: Shape, reason: str) -> CheckImages:
    """Random squares, and random pixels, where there is nothing better to compare answers on."""
    C, H, W = shape
    draw = np.random.default_rng(0)
    squares = draw.integers(0, 256, (MADE_UP // 2, C, 4, 4), dtype=np.uint8)
    squares = squares[:, :, np.arange(H) * 4 // H][:, :, :, np.arange(W) * 4 // W]
    noise = draw.integers(0, 256, (MADE_UP // 2, C, H, W), dtype=np.uint8)
    note = f"{reason}; its answers were compared on {MADE_UP} images that are made up."
    return CheckImages("made up", np.concatenate([squares, noise]), notes=(note,))
