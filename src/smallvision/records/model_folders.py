"""Where the saved model lies that a person names, and which one it is; nothing of it is loaded."""

from __future__ import annotations

from pathlib import Path

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.layout import (
    REFIT,
    STATUS,
    STUDY,
    is_finished,
    read_status,
    run_folder,
    tell_state,
)
from smallvision.records.nofollow import exists, is_file, is_folder
from smallvision.records.schema import (
    AllImagesRun,
    FinishedRun,
    Manifest,
    StudyRecord,
    ValidatedRun,
)

MANIFEST = "manifest.json"
# A saved model each, which come with the package; `make pretrained` makes them.
PRETRAINED = Path(__file__).parents[1] / "predict" / "pretrained_models"


def read_manifest(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a folder, by file name.

    Raises:
        RecordError: the manifest is missing or damaged.
    """
    return store.read(folder / MANIFEST, Manifest).files


def find_pretrained(name: str) -> Path | None:
    """The folder of a model that comes with the package; None if none is called that."""
    return next((place for place in list_pretrained() if place.name == name), None)


def list_pretrained() -> list[Path]:
    """The folders of the models that come with the package, each named after its data set."""
    return sorted(PRETRAINED.glob("*"))


def find_records(model: Path) -> Path:
    """Where the records of the run lie that made an included model."""
    return model / "records"


def find_model(folder: Path) -> Path:
    """The folder of a saved model, given it, its run's folder, or the name of an included model.

    A folder of images that bears the name of a pretrained model does not hide it; a run does.
    """
    if is_folder(folder / "model") and exists(folder / "model" / "model.json"):
        return folder / "model"
    ours = any(exists(folder / name) for name in (MANIFEST, STATUS, STUDY))
    pretrained = None if ours else find_pretrained(str(folder))
    return pretrained or folder


def fingerprint_model(folder: Path) -> str:
    """The identity of a saved model, from its folder or the run folder that holds it.

    Raises:
        RecordError: there is no such model.
    """
    folder = find_model(folder)
    if not is_file(folder / MANIFEST):
        included = ", ".join(place.name for place in list_pretrained())
        missing = f"it is no folder, nor the name of an included model ({included})"
        why = "is the run finished?" if is_folder(folder) else missing
        raise RecordError(f"{folder} holds no model; {why}")
    read_manifest(folder)  # which says in one line what is wrong with it
    return hash_file(folder / MANIFEST)


def find_winner(folder: Path) -> Path:
    """The folder of a study's winner; any other folder as it is.

    Raises:
        RecordError: the study has none yet, or is damaged.
    """
    if not exists(folder / STUDY):
        return folder
    best = store.read(folder / STUDY, StudyRecord).best
    if best is None:
        raise RecordError(
            f"{folder} has no winner yet; finish it with --resume, or name one of its runs, which "
            f"lie in {folder}/runs"
        )
    return run_folder(folder, best)


def read_finished(run: Path) -> ValidatedRun | AllImagesRun:
    """The status of a run that is done.

    Raises:
        RecordError: it is no run, unfinished or damaged.
    """
    status = read_status(run)
    if not isinstance(status, FinishedRun):
        raise RecordError(f"{run} is not finished ({tell_state(run, status)}); resume it first")
    return status


def find_final(run: Path) -> tuple[Path, Path | None]:
    """The folder of the model to test, and of its validation model if it is a refit."""
    refit = run / REFIT
    return (refit, run) if is_finished(refit) else (run, None)


def find_classifier_folder(place: Path) -> Path:
    """The folder of the model that is used: a study's winner, a run's refit, or a model's own.

    Args:
        place: a study, a run, a saved model, or the name of one that comes with the package.

    Raises:
        RecordError: there is none yet.
    """
    folder = find_winner(place)
    if exists(folder / STATUS):
        read_finished(folder)
        folder = find_final(folder)[0]
    return find_model(folder)
