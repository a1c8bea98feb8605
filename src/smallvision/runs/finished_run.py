"""Finished runs: that they are done, and their data and split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.loading.origin import load_again
from smallvision.data.split import Split, read_split, read_split_record
from smallvision.errors import DataError, RecordError
from smallvision.records import store
from smallvision.records.layout import (
    ENVIRONMENT,
    FOLDS_RECORD,
    METRICS,
    NETWORK,
    RECIPE,
    RECIPE_DIFF,
    SCHEDULE,
    SPLIT,
    read_metrics,
    read_status,
)
from smallvision.records.model_folders import find_winner, read_finished
from smallvision.records.nofollow import exists
from smallvision.records.predictions import find_predictions
from smallvision.records.schema import AllImagesRun, FoldSummary, ValidatedRun
from smallvision.records.weights import check_manifest
from smallvision.runs.results import Run

# Of every finished run, and of one that was trained and not joined from others.
WHOLE, TRAINED = (RECIPE, RECIPE_DIFF, SPLIT, ENVIRONMENT, NETWORK), (SCHEDULE, METRICS)


def check_whole(folder: Path, status: ValidatedRun | AllImagesRun) -> None:
    """Check that a finished run has its files; one that was copied while it trained may lack some.

    Raises:
        RecordError: a file or an epoch is missing, or the model is not what was written.
    """
    advice = f"delete {folder} to train it again, or name another folder with --out"
    is_joined = status.kind == "ensemble"
    files = [folder / name for name in (*WHOLE, *(() if is_joined else TRAINED))]
    if status.kind in ("trained", "ensemble"):
        files.append(find_predictions(folder))
    for path in files:
        if not exists(path):
            raise RecordError(
                f"{path} is missing, though the run is finished; it may have been copied while it "
                f"trained: {advice}"
            )
    told = status.epochs_done if is_joined else len(read_metrics(folder))
    if told != status.epochs_done:
        raise RecordError(
            f"{folder / METRICS} tells of {told} of {status.epochs_done} epochs: {advice}"
        )
    check_manifest(folder / "model")


def find_finished(run: Run | str | Path) -> tuple[Path, ValidatedRun | AllImagesRun]:
    """The folder and the status of a run that is done; of a study, those of its winner.

    Raises:
        RecordError: it is a study without a winner, no run, unfinished or damaged.
    """
    folder = find_winner(run.folder if isinstance(run, Run) else Path(run))
    return folder, read_finished(folder)


def find_validated(run: Run | str | Path) -> tuple[Path, ValidatedRun]:
    """The same of a run that was validated on images it was not trained on.

    Raises:
        RecordError: as for `find_finished`, or it was trained on all images.
    """
    folder, status = find_finished(run)
    if isinstance(status, AllImagesRun):
        raise RecordError(
            f"{folder} was trained on all images, so none is left to validate it on; train it "
            "without --target to compare, explain or combine it"
        )
    return folder, status


def find_judged(run: Path) -> ValidatedRun:
    """The status of a finished run, with the figures of all its folds where it has several.

    Raises:
        RecordError: as for `find_validated`, or `folds.json` is damaged.
    """
    return judge_run(run, find_validated(run)[1])


def judge_run(run: Path, status: ValidatedRun) -> ValidatedRun:
    """A run's status with the figures of all its folds, where it has several."""
    folds = store.read_if_there(run / FOLDS_RECORD, FoldSummary)
    return status if folds is None else folds.judge(status)


def find_dataset(
    folder: Path, data: DataSet | str | Path | None, data_dir: str | Path | None
) -> tuple[DataSet, Split]:
    """The images and the split that a run was trained on.

    Args:
        folder: of the run.
        data: the data set, its name or path; None for the place that the run remembers.
        data_dir: where to look for a named data set first.

    Raises:
        DataError: these are other images, or the run does not say where its own are.
        RecordError: the split is missing or damaged.
    """
    status = read_status(folder)
    dataset = (
        data
        if isinstance(data, DataSet)
        else load_again(folder, status.data, status.origin, data, data_dir)
    )
    split = read_split(folder)
    record = read_split_record(folder)
    val = dataset.val.fingerprint if record.declared_val and dataset.val is not None else None
    ours = (dataset.train.fingerprint, val, dataset.test.fingerprint)
    if (record.data_fingerprint, record.val_fingerprint, record.test_fingerprint) != ours:
        at = "" if data is not None or dataset.place is None else f" at {dataset.place}"
        raise DataError(
            f"{folder} was trained on other images than '{dataset.name}'{at}; name the data set it "
            "was trained on"
        )
    return replace(dataset, mirror_safe=status.mirror_safe), split
