"""Pictures outside any data set: what a finished model takes them for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from smallvision.data.decoding.image_files import load_pictures
from smallvision.data.decoding.resize import Preparation
from smallvision.data.sources.arrays import PixelScale, take_images
from smallvision.errors import RecordError
from smallvision.predict import SavedModel, load_model
from smallvision.records import store
from smallvision.records.layout import STATUS, STUDY, run_folder
from smallvision.records.nofollow import exists
from smallvision.records.schema import StudyRecord
from smallvision.runs.finished_run import find_finished
from smallvision.runs.refit import load_final
from smallvision.runs.results import Run
from smallvision.shapes import Floats


@dataclass(frozen=True, eq=False)
class Classification:
    """What a model says of some pictures.

    Attributes:
        paths: N files; of images in memory their numbers.
        class_names: K names.
        probabilities: float32 `(N, K)`, calibrated as far as the model is.
        notes: a sentence for each thing that was changed of the pictures.
    """

    paths: list[Path]
    class_names: tuple[str, ...]
    probabilities: Floats
    notes: tuple[str, ...]

    def rank(self, number: int, count: int) -> list[tuple[str, float]]:
        """The most probable classes of a picture, the first one first."""
        row = self.probabilities[number]
        return [(self.class_names[k], float(row[k])) for k in (-row).argsort()[:count]]


def classify(model: Run | SavedModel | str | Path, pictures: Any) -> Classification:
    """Classify picture files, or images in memory, with a finished model.

    A model knows only its own classes and the kind of picture it was trained on: whatever it is
    shown, it names one of them, and its calibration holds for pictures like those.

    Args:
        model: a loaded model, a finished run, a study, whose winner is taken, the folder of a saved
            model, or the name of one that comes with the package, such as `cifar10`. Of a run that
            was trained once more with its validation images, it is that model.
        pictures: files, and folders of them, or images in memory: an array or tensor
            `(N, C, H, W)`, `(N, H, W, C)` or `(N, H, W)`, or a sequence of pictures or arrays;
            fitted to the model's shape. Images in memory are called by their numbers.

    Raises:
        RecordError: there is no finished model, or it is damaged.
        DataError: there is no picture, or one is missing, damaged or too large.
    """
    if isinstance(model, SavedModel):
        classifier = model
    else:
        classifier = find_classifier(model.folder if isinstance(model, Run) else Path(model))
    if isinstance(pictures, str | Path):
        pictures = [pictures]
    if not is_paths(pictures):
        return classify_objects(classifier, pictures)
    like = Preparation(classifier.shape, classifier.fit, classifier.bits)
    paths, images, notes = load_pictures([Path(place) for place in pictures], like)
    return Classification(paths, classifier.class_names, classifier.predict(images), notes)


def is_paths(pictures: Any) -> bool:
    """Whether pictures are named by files and folders, and not in memory."""
    return isinstance(pictures, Sequence) and all(isinstance(one, str | Path) for one in pictures)


def classify_objects(model: SavedModel, images: Any) -> Classification:
    """Classify images in memory, which are called by their numbers.

    Raises:
        DataError: they have no usual form, or none can be read.
    """
    if isinstance(images, Image.Image | bytes):
        images = [images]
    like = Preparation(model.shape, model.fit, model.bits)
    taken = take_images(images, "images", PixelScale(bits=model.bits), like=like, lenient=True)
    pixels = taken.stacked.images
    notes = tuple(
        f"{one.count:,} images could not be read ({one.example})." for one in taken.left_out
    )
    paths = [Path(str(number)) for number in taken.kept or range(len(pixels))]
    return Classification(
        paths, model.class_names, model.predict(pixels), (*taken.stacked.notes, *notes)
    )


def find_classifier(folder: Path) -> SavedModel:
    """The model of a study's winner, of a finished run, or of a model's own folder.

    Raises:
        RecordError: there is none yet, or it is damaged.
    """
    if exists(folder / STUDY):
        best = store.read(folder / STUDY, StudyRecord).best
        if best is None:
            raise RecordError(f"{folder} has no winner yet; finish it with --resume")
        folder = run_folder(folder, best)
    if exists(folder / STATUS):
        return load_final(find_finished(folder)[0])[0]
    return load_model(folder)
