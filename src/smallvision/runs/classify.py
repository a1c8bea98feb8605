"""Pictures outside any data set: what a finished model takes them for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from smallvision.data.decoding.image_files import find_pictures, load_picture
from smallvision.data.decoding.pixels.decoded import Decoded
from smallvision.data.decoding.resize import CONVERTED, FITTED, Preparation, prepare_picture
from smallvision.data.sources.arrays import PixelScale, take_images
from smallvision.display import Displayed
from smallvision.errors import DataError
from smallvision.format import format_share
from smallvision.predict import SavedModel, load_model
from smallvision.records.model_folders import find_classifier_folder
from smallvision.records.schema import PredictionSetsRecord
from smallvision.runs.results import Run
from smallvision.shapes import Floats, Images
from smallvision.stats.probabilities.answers import ModelAnswers, name_set, rank_classes
from smallvision.stats.probabilities.prediction_sets import find_least_probability

BATCH = 64  # pictures that are answered at a time, while as many are read
ReadPicture: TypeAlias = tuple[Path, Images | DataError]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of one picture.

    Attributes:
        path: the file.
        probabilities: float32 `(K,)`, calibrated as far as the model is; None if it is no picture.
        energy: high of pictures unlike all that the model was trained on; None if it is no picture.
        is_unlike: whether it is above the model's limit; None where the model has none too.
        error: why it could not be read, in one line; None if it could.
    """

    path: Path
    probabilities: Floats | None = None
    energy: float | None = None
    is_unlike: bool | None = None
    error: str | None = None


@dataclass
class PictureChanges:
    """What was changed of the pictures so far, to make them those of a model.

    Attributes:
        like: the preparation of the images that the model was trained on.
        total, resized, converted: numbers of pictures.
    """

    like: Preparation
    total: int = 0
    resized: int = 0
    converted: int = 0

    def count(self, picture: Decoded) -> None:
        """Count a picture that was read."""
        C, H, W = self.like.shape
        self.total += 1
        self.resized += picture.size != (W, H)
        self.converted += picture.channels != C

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each kind of change."""
        C, H, W = self.like.shape
        said = []
        if self.resized:
            said.append(
                f"{self.resized:,} of {self.total:,} images were resized and "
                f"{FITTED[self.like.fit]} to {W}x{H} pixels, the size of the model."
            )
        if self.converted:
            said.append(
                f"{self.converted:,} of {self.total:,} {CONVERTED[C]}, as the model takes them."
            )
        return tuple(said)


@dataclass(frozen=True, eq=False)
class Classification(Displayed):
    """What a model says of some pictures.

    Attributes:
        paths: N files that could be read; of images in memory their numbers.
        class_names: K names.
        probabilities: float32 `(N, K)`, calibrated as far as the model is.
        energies: float32 `(N,)`, high of pictures unlike all that the model was trained on.
        unlike: bool `(N,)`, which are above the model's limit, as are 5 of 100 of its validation
            images; None where it has none.
        notes: a sentence for each thing that was changed of the pictures.
        errors: the files that could not be read, and why.
        kept_sets: what a class takes to be in a prediction set; None where the model has none.

    >>> import numpy as np
    >>> import smallvision as sv
    >>> run = sv.train("digits", "linear", settings=["epochs=2"])
    >>> found = sv.classify(run, np.zeros((2, 12, 16), dtype=np.uint8))
    >>> len(found.rank(1, 3)), len(found.sets(0.1)), found.errors
    (3, 2, ())
    >>> found.notes
    ('2 of 2 images were resized and cropped to 8x8 pixels, which cut 25 % of their pixels away.',)
    """

    paths: list[Path]
    class_names: tuple[str, ...]
    probabilities: Floats
    energies: Floats
    unlike: npt.NDArray[np.bool_] | None
    notes: tuple[str, ...]
    errors: tuple[tuple[Path, str], ...] = ()
    kept_sets: PredictionSetsRecord | None = None

    def rank(self, number: int, count: int) -> list[tuple[str, float]]:
        """The most probable classes of a picture, the first one first."""
        return rank_classes(self.class_names, self.probabilities[number], count)

    def sets(self, error_rate: float) -> list[tuple[str, ...]]:
        """The classes among which the right one of each picture is, the most probable one first.

        These are conformal prediction sets: of pictures like those that the model was trained on, a
        share of at least `1 - error_rate` has a set with the right class.

        Args:
            error_rate: one of those that the model keeps sets for, such as 0.1.

        Raises:
            SettingError: it is none of them, or the model has no prediction sets.
        """
        least = find_least_probability(self.kept_sets, error_rate)
        return [name_set(self.class_names, row, least) for row in self.probabilities]


def classify(model: Run | SavedModel | str | Path, pictures: Any) -> Classification:
    """Classify picture files, or images in memory, with a finished model.

    A model knows only its own classes and the kind of picture it was trained on: whatever it is
    shown, it names one of them, and its calibration holds for pictures like those; `unlike` tells
    which seem to be no such pictures. Files that cannot be read are told of in `errors`, and keep
    no other from its answer.

    Args:
        model: a loaded model, a finished run, a study, whose winner is taken, the folder of a saved
            model, or the name of one that comes with the package, such as `cifar10`. Of a run that
            was trained once more with its validation images, it is that model.
        pictures: files, and folders of them, or images in memory: an array or tensor
            `(N, C, H, W)`, `(N, H, W, C)` or `(N, H, W)`, or a sequence of pictures or arrays;
            fitted to the model's shape. Images in memory are called by their numbers.

    Raises:
        RecordError: there is no finished model, or it is damaged.
        DataError: no picture could be read.

    >>> import numpy as np
    >>> import smallvision as sv
    >>> noise = np.random.default_rng(0).integers(0, 255, (1, 32, 32, 3), dtype=np.uint8)
    >>> found = sv.classify("cifar10", noise)
    >>> found.probabilities.shape, found.rank(0, 1)[0][0] in found.class_names
    ((1, 10), True)
    """
    if isinstance(model, SavedModel):
        classifier = model
    else:
        classifier = find_classifier(model.folder if isinstance(model, Run) else Path(model))
    if isinstance(pictures, str | Path):
        pictures = [pictures]
    if not is_paths(pictures):
        return classify_objects(classifier, pictures)
    changes = PictureChanges(find_preparation(classifier))
    answers = list(answer_pictures(classifier, [Path(place) for place in pictures], changes))
    good = [answer for answer in answers if answer.probabilities is not None]
    if not good:
        raise DataError(explain_none(answers))
    found = ModelAnswers(
        np.stack([answer.probabilities for answer in good if answer.probabilities is not None]),
        np.array([answer.energy for answer in good], np.float32),
    )
    errors = tuple((answer.path, answer.error) for answer in answers if answer.error is not None)
    return sum_up(classifier, [answer.path for answer in good], found, changes.notes, errors)


def sum_up(
    model: SavedModel,
    paths: list[Path],
    found: ModelAnswers,
    notes: tuple[str, ...],
    errors: tuple[tuple[Path, str], ...] = (),
) -> Classification:
    """What a model says of pictures, with what it takes to read it."""
    return Classification(
        paths,
        model.class_names,
        found.probabilities,
        found.energies,
        model.find_unlike(found.energies),
        notes,
        errors,
        model.sets,
    )


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
    like = find_preparation(model)
    taken = take_images(images, "images", PixelScale(bits=model.bits), like=like, lenient=True)
    pixels = taken.stacked.images
    notes = tuple(
        f"{one.count:,} images could not be read ({one.example})." for one in taken.left_out
    )
    paths = [Path(str(number)) for number in taken.kept or range(len(pixels))]
    return sum_up(model, paths, model.answer(pixels), (*taken.stacked.notes, *notes))


def explain_none(answers: Sequence[Answer]) -> str:
    """Why no picture could be read: the reason of the first one, and how many more there are."""
    if not answers:
        return "there are no pictures to classify"
    more = f"; nor could {len(answers) - 1:,} more be read" if len(answers) > 1 else ""
    return f"{answers[0].error}{more}"


def answer_pictures(
    model: SavedModel, places: Iterable[Path], changes: PictureChanges
) -> Iterator[Answer]:
    """Answer picture files in their order, some dozens at a time.

    Args:
        model: the model.
        places: files, and folders of them.
        changes: counts what was changed of the pictures.

    Raises:
        RecordError: the weights are such that a probability would not be finite.
    """
    found = read_pictures(places, changes)
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(take_batch, found)
        while batch := ahead.result():
            ahead = reader.submit(take_batch, found)  # while these are answered
            yield from answer_batch(model, batch)


def take_batch(found: Iterator[ReadPicture]) -> list[ReadPicture]:
    """The next pictures, or none after the last."""
    return list(islice(found, BATCH))


def answer_batch(model: SavedModel, batch: Sequence[ReadPicture]) -> Iterator[Answer]:
    """Answer pictures that were read, in their order.

    Raises:
        RecordError: the weights are such that a probability would not be finite.
    """
    answered = answer_images(
        model, [(path, image) for path, image in batch if not isinstance(image, DataError)]
    )
    for path, image in batch:
        if isinstance(image, DataError):
            yield Answer(path, error=str(image))
        else:
            yield next(answered)


def answer_images(model: SavedModel, batch: Sequence[tuple[Path, Images]]) -> Iterator[Answer]:
    """Answer pictures that were read, all of them at a time.

    Args:
        model: the model.
        batch: files, and what was read, uint8 `(1, C, H, W)` of the model's shape.
    """
    if not batch:
        return
    found = model.answer(np.concatenate([image for _, image in batch]))
    unlike = model.find_unlike(found.energies)
    for number, (path, _) in enumerate(batch):
        is_unlike = None if unlike is None else bool(unlike[number])
        yield Answer(path, found.probabilities[number], float(found.energies[number]), is_unlike)


def explain_answers(model: SavedModel, error_rate: float | None) -> tuple[str, ...]:
    """What a reader of answers has to know of the model, in sentences.

    Args:
        model: the model.
        error_rate: of the prediction sets; None where nobody asked for them.
    """
    notes = []
    if model.unlike is None:
        notes.append(
            "This model cannot tell which pictures are unlike what it was trained on: it was saved "
            "without the limit that comes from validation images."
        )
    if error_rate is not None:
        notes.append(
            "Conformal prediction sets: of pictures like those that the model was trained on, at "
            f"least {format_share(1 - error_rate)} have a set with the right class."
        )
    return tuple(notes)


def read_pictures(places: Iterable[Path], changes: PictureChanges) -> Iterator[ReadPicture]:
    """Read picture files one by one, as uint8 `(1, C, H, W)`, or say why one cannot be read.

    Only resized pictures are kept: many photographs would not fit in memory.
    """
    for place in places:
        try:
            paths = find_pictures(place)
        except DataError as error:
            yield place, error
            continue
        for path in paths:
            try:
                picture = load_picture(path, max(changes.like.shape[1:]))
            except DataError as error:
                yield path, error
                continue
            changes.count(picture)
            yield path, prepare_picture(picture, changes.like)


def find_preparation(model: SavedModel) -> Preparation:
    """How the training images of a model were prepared, so that pictures are treated the same."""
    return Preparation(model.shape, model.fit, model.bits)


def find_classifier(folder: Path) -> SavedModel:
    """The model of a study's winner, of a finished run, or of a model's own folder.

    It computes in float32, as the exported model does, so that its answers are the same everywhere.

    Raises:
        RecordError: there is none yet, or it is damaged.
    """
    return load_model(find_classifier_folder(folder))
