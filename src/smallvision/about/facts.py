"""What is known of a finished model, from whatever records there are."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.format import NONE, format_times
from smallvision.recipes.settings.recipe import Recipe
from smallvision.records.schema import (
    AllImagesRun,
    ComputeSettings,
    EnsembleRecord,
    FinishedRun,
    FoldSummary,
    ModelRecord,
    NetworkRecord,
    Rate,
    SplitRecord,
    StudyRecord,
    TestRecord,
    TrainingImages,
    ValidatedRun,
)


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """The records of a model; None stands for one that there is not.

    Attributes:
        model: the saved model.
        network: its layers.
        status: of its run; of a refit, of the run that was trained once more.
        recipe: of its run; of an ensemble, of the first of its members.
        split: of its run.
        folds: where its run was cross-validated.
        ensemble: where it is one.
        study: that chose it.
        test: of these very weights, or of the refit of this run.
        openings: of the test set, by its run or study.
        is_refit: whether it was trained once more with its validation images.
    """

    model: ModelRecord
    network: NetworkRecord | None = None
    status: FinishedRun | None = None
    recipe: Recipe | None = None
    split: SplitRecord | None = None
    folds: FoldSummary | None = None
    ensemble: EnsembleRecord | None = None
    study: StudyRecord | None = None
    test: TestRecord | None = None
    openings: int = 0
    is_refit: bool = False

    @property
    def val(self) -> Rate | None:
        """Accuracy on validation images; of all folds, where there are several."""
        if self.folds is not None:
            return self.folds.val
        return self.status.val if isinstance(self.status, ValidatedRun) else None

    @property
    def is_of_all_images(self) -> bool:
        """Whether no image was left to validate it on."""
        return isinstance(self.status, AllImagesRun)

    @property
    def images(self) -> TrainingImages | None:
        """The images that it was trained on."""
        if self.status is None or self.split is None:
            return None
        return TrainingImages(
            name=self.status.data,
            train_n=self.split.train_n,
            val_n=self.split.val_n,
            split=describe_split(self.split, self.folds),
        )


def describe_split(split: SplitRecord, folds: FoldSummary | None) -> str:
    """How validation images were chosen, in words."""
    if split.declared_val:
        return "came with the data set"
    drawn = f"drawn class by class with seed {split.seed}"
    return f"one of {folds.num_folds} folds, {drawn}" if folds is not None else drawn


def describe_compute(compute: ComputeSettings | None) -> str:
    """How a run computed, `cpu, bf16, 2 threads`."""
    if compute is None:
        return NONE
    threads = f"{compute.threads} thread{'' if compute.threads == 1 else 's'}"
    words = [compute.device, compute.precision, threads, "compiled" if compute.compiled else ""]
    return ", ".join(filter(None, words))


def count_other_openings(openings: int, on_machine: int | None) -> int:
    """How often the same test images were opened on a machine by something else, if known."""
    return max(0, (on_machine or 0) - openings)


def tell_other_openings(openings: int, on_machine: int | None) -> tuple[str, ...]:
    """Say it where the same test images were opened by something else as well."""
    others = count_other_openings(openings, on_machine)
    if not others:
        return ()
    return (
        f"By then other work on that machine had opened the same images {format_times(others)}.",
    )
