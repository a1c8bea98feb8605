"""Pictures outside any data set: what a finished model takes them for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smallvision.data.decoding.image_files import load_pictures
from smallvision.data.decoding.resize import Preparation
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
        paths: N files.
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


def classify(model: Run | str | Path, pictures: Sequence[str | Path]) -> Classification:
    """Classify picture files with a finished model.

    A model knows only its own classes and the kind of picture it was trained on: whatever it is
    shown, it names one of them, and its calibration holds for pictures like those.

    Args:
        model: a finished run, a study, whose winner is taken, the folder of a saved model, or
            the name of one that comes with the package, such as `cifar10`. Of a run that was
            trained once more with its validation images, it is that model.
        pictures: files, and folders of them; fitted to the model's shape.

    Raises:
        RecordError: there is no finished model, or it is damaged.
        DataError: there is no picture, or one is missing, damaged or too large.
    """
    classifier = find_classifier(model.folder if isinstance(model, Run) else Path(model))
    like = Preparation(classifier.shape, classifier.fit, classifier.bits)
    paths, images, notes = load_pictures([Path(place) for place in pictures], like)
    return Classification(paths, classifier.class_names, classifier.predict(images), notes)


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
