"""What a run works on: images, used in one of three ways, and the models that its recipe names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from smallvision.compute.machine import Machine
from smallvision.compute.ranks import Ranks
from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import RecordError, SettingError
from smallvision.predict import SavedModel, load_model
from smallvision.recipes import Recipe
from smallvision.records.layout import START, TEACHER
from smallvision.records.model_folders import MANIFEST, fingerprint_model
from smallvision.records.nofollow import exists
from smallvision.records.weights import copy_tensors
from smallvision.training import Callback


@dataclass(frozen=True, eq=False)
class Job:
    """The images, the folder and the observer of some work.

    Attributes:
        dataset: whose images; the test set stays sealed.
        split: which of them are trained on, and which are validated on.
        folder: where the records go.
        callback: told what happens.
        models: folders of saved models that recipes may name by fingerprint: a teacher, a start.
        ranks: processes that help with gradients; None for this one alone.
    """

    dataset: DataSet
    split: Split
    folder: Path
    callback: Callback = field(default_factory=Callback)
    models: tuple[Path, ...] = ()
    ranks: Ranks | None = None

    def inside(self, place: str | Path) -> Job:
        """The same job in a folder inside its folder."""
        return replace(self, folder=self.folder / place)

    def at(self, folder: Path) -> Job:
        """The same job in another folder."""
        return replace(self, folder=folder)

    def offering(self, models: Iterable[Path]) -> Job:
        """The same job with more models that recipes may name."""
        return replace(self, models=(*self.models, *models))

    def observed_by(self, callback: Callback) -> Job:
        """The same job with another observer."""
        return replace(self, callback=callback)


@dataclass(frozen=True)
class TrainingSplit:
    """Train on the training split and validate on the validation split.

    Attributes:
        warm_start: folder of a run that may have been through the first cycles of this one; if
            so, they are not trained again, which changes no bit.
    """

    warm_start: Path | None = None
    kind: ClassVar[Literal["trained"]] = "trained"


@dataclass(frozen=True)
class Refit:
    """Train on training and validation images together.

    Attributes:
        validation_model: folder of the finished run of the same recipe on the training split
            alone; all that is known of validation is known of that run.
    """

    validation_model: Path
    kind: ClassVar[Literal["refit"]] = "refit"


@dataclass(frozen=True)
class AllImages:
    """Train on all images at once: nothing is known of validation or left to choose by it."""

    kind: ClassVar[Literal["all_images"]] = "all_images"


Mode: TypeAlias = TrainingSplit | Refit | AllImages

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
