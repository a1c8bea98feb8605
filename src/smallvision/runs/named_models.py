"""The models that a recipe names by fingerprint, of which a run keeps copies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smallvision.compute.machine import Machine
from smallvision.errors import RecordError, SettingError
from smallvision.predict import SavedModel, fingerprint_model, load_model
from smallvision.recipes import Recipe
from smallvision.records.layout import START, TEACHER
from smallvision.records.nofollow import exists
from smallvision.records.weights import MANIFEST, copy_tensors
from smallvision.runs.job import Job

# How a recipe that names such a model is trained.
WAYS = {
    TEACHER: "learns from a teacher; train it by `smallvision distill TEACHER RECIPE`",
    START: "begins with the weights of another model; name that with --start",
}


def list_named(recipe: Recipe) -> dict[str, str]:
    """The fingerprints of the models that a recipe names, by the folder of a run's copy."""
    named = {TEACHER: recipe.teacher.model, START: recipe.start.model}
    return {place: model for place, model in named.items() if model}


def own_models(run: Path) -> tuple[Path, ...]:
    """The copies that a run keeps, for a refit or a repeat of it; none for most runs."""
    return tuple(run / place for place in WAYS if exists(run / place / MANIFEST))


def refuse_unknown(recipe: Recipe, models: Sequence[Path] = ()) -> None:
    """Refuse a recipe that names a model which is not there, before anything is trained.

    Raises:
        SettingError: it does.
        RecordError: a model is damaged.
    """
    known = {fingerprint_model(model) for model in models}
    for place, model in list_named(recipe).items():
        if model not in known:
            raise SettingError(f"'{recipe.name}' {WAYS[place]}, or add --set {place}.model=")


def keep_models(recipe: Recipe, job: Job) -> None:
    """Copy the models that a recipe names into the folder of a run, which can then go anywhere.

    A model that the job does not have may have been copied in an earlier session.

    Raises:
        RecordError: a model is damaged, or the folder cannot be written.
    """
    for place, fingerprint in list_named(recipe).items():
        copy = job.folder / place
        same = (model for model in job.models if fingerprint_model(model) == fingerprint)
        if (source := next(same, copy)) != copy:
            copy_tensors(source, copy)


def load_named(place: str, recipe: Recipe, run: Path, machine: Machine) -> SavedModel | None:
    """Load the copy of a model that a recipe names; None if it names none.

    Args:
        place: `TEACHER` or `START`.
        recipe: of the run.
        run: its folder.
        machine: where to compute.

    Raises:
        RecordError: the run holds no such model, or a damaged one.
    """
    fingerprint, folder = list_named(recipe).get(place), run / place
    if fingerprint is None:
        return None
    if not exists(folder) or fingerprint_model(folder) != fingerprint:
        raise RecordError(f"{folder} is not the {place} that '{recipe.name}' names; restore it")
    return load_model(folder, machine)
