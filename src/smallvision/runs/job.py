"""What a run works on, and the ways in which it uses the labelled images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
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
    """

    dataset: DataSet
    split: Split
    folder: Path
    callback: Callback = field(default_factory=Callback)
    models: tuple[Path, ...] = ()

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
