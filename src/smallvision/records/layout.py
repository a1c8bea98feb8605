"""Where a run and a study keep what, and which folders are runs."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import sync_folder
from smallvision.records.locks import is_busy
from smallvision.records.nofollow import (
    exists,
    is_folder,
    list_folder,
    remove_file,
    remove_folder,
)
from smallvision.records.schema import (
    AllImagesRun,
    AnyRun,
    EpochMetrics,
    LearningRateSchedule,
    RunStatus,
    UnfinishedRun,
    ValidatedRun,
)

STATUS = "status.json"
RECIPE, RECIPE_DIFF = "recipe.toml", "recipe.diff.toml"
METRICS = "metrics.jsonl"
SCHEDULE = "schedule.json"
SPLIT = "split.json"
VERDICTS = "verdicts.json"
TEST = "test.json"
ENVIRONMENT = "environment.json"
SEEDS_RECORD = "seeds.json"
FOLDS_RECORD = "folds.json"
STUDY = "study.json"
ENSEMBLE = "ensemble.json"
NETWORK = "network.json"
EXPORT, GRAPH = "export.json", "model.onnx"
TUNE, TRIALS = "tune.json", "trials"
DISTILLED = "distilled.json"
TEACHER = "teacher"
START = "start"
SEEDS = "seeds"
FOLDS = "folds"
REFIT = "refit"
MEMBERS = "members"
SNAPSHOTS = f"{MEMBERS}/snapshots"  # the training run inside the folder of a study's ensemble


def read_status(run: Path) -> UnfinishedRun | ValidatedRun | AllImagesRun:
    """The status of a run.

    Raises:
        RecordError: the folder is no run, or the status is damaged.
    """
    status: UnfinishedRun | ValidatedRun | AllImagesRun = store.read_any(run / STATUS, AnyRun)
    return status


def read_metrics(run: Path) -> list[EpochMetrics]:
    """The epochs of a run that are finished; none before its first.

    Raises:
        RecordError: a line is damaged.
    """
    path = run / METRICS
    return store.read_lines(path, EpochMetrics) if exists(path) else []


def tell_state(run: Path, status: RunStatus) -> str:
    """The state of a run in one word: what is on disk as running may have been stopped."""
    if not isinstance(status, UnfinishedRun):
        return "done"
    is_stopped = status.status == "running" and not is_busy(run)
    return "stopped" if is_stopped else status.status


def is_finished(run: Path) -> bool:
    """Whether a run lies in a folder that came to its end."""
    return exists(run / STATUS) and read_status(run).is_done


def run_folder(study: Path, name: str) -> Path:
    """The run folder of a study's rung."""
    return study / "runs" / name


def number_folder(parent: Path, stem: str) -> Path:
    """The first of `parent/stem`, `parent/stem-2`, … that does not exist."""
    number = 1
    while (candidate := parent / (stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return candidate


def newest_folder(parent: Path, stem: str, marker: str) -> Path | None:
    """The last of `parent/stem`, `parent/stem-2`, … that holds `marker`.

    Their numbers tell what was made last; the times of files follow a clock that may be set back,
    and are lost where folders are copied.
    """
    marked = [path for path in list_numbered(parent, stem) if exists(path / marker)]
    return marked[-1] if marked else None


def list_numbered(parent: Path, stem: str) -> list[Path]:
    """All of `parent/stem`, `parent/stem-2`, … that exist, in this order."""
    name = re.compile(rf"{re.escape(stem)}(-([0-9]+))?")
    matches = ((name.fullmatch(path.name), path) for path in parent.glob(f"{glob.escape(stem)}*"))
    found = [(int(match[2] or 1), path) for match, path in matches if match]
    return [path for _, path in sorted(found)]


def find_runs(root: Path) -> Iterator[tuple[Path, RunStatus | None]]:
    """Every run folder below `root` with its status: a run, then what belongs to it.

    The status is None where it is damaged, so that one run does not hide the others.

    Raises:
        RecordError: there is no such folder.
    """
    if not root.is_dir():
        raise RecordError(f"{root} is no folder")
    runs = [path.parent for path in root.rglob(STATUS) if (path.parent / RECIPE).exists()]
    for run in sorted(runs, key=order_path):
        try:
            yield run, read_status(run)
        except RecordError:
            yield run, None


def order_path(path: Path) -> list[tuple[int, str]]:
    """A key that sorts paths by name, and parts that are numbers by their value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in path.parts]


def list_repeats(run: Path) -> list[Path]:
    """The finished repeats of a run with other seeds, by seed."""
    return find_repeats(run, "done")


def list_failed(run: Path) -> list[Path]:
    """The repeats of a run that diverged or ran out of memory, by seed."""
    return find_repeats(run, "failed")


def find_repeats(run: Path, state: str) -> list[Path]:
    """The repeats of a run that are in a state, by seed."""
    seeds = run / SEEDS
    found = [seeds / name for name in list_folder(seeds) if exists(seeds / name / STATUS)]
    return sorted((path for path in found if read_status(path).status == state), key=order_path)


def list_folds(run: Path) -> dict[int, Path]:
    """The finished folds of a run by number, from 1; the first is the run itself."""
    found = [name for name in list_folder(run / FOLDS) if name.isdecimal()]
    folds = {int(name): run / FOLDS / name for name in sorted(found, key=int)}
    return {1: run} | {number: fold for number, fold in folds.items() if is_finished(fold)}


def parent_run(run: Path) -> Path | None:
    """The run that a repeat, fold, refit or training run of an ensemble belongs to, or None."""
    if run.parent.name in (SEEDS, FOLDS, MEMBERS):
        return run.parent.parent
    return run.parent if run.name == REFIT else None


def is_of_search(run: Path) -> bool:
    """Whether a run is a trial of a search, or the search's rerun of its winner."""
    return run.parent.name in (TRIALS, "rerun") and exists(run.parent.parent / TUNE)


def find_study(run: Path) -> Path | None:
    """The study folder a run, its repeats or its members belong to; None for a run of its own."""
    place = run.resolve()
    for folder in place.parents:
        if exists(folder / STUDY) and place.relative_to(folder).parts[0] == "runs":
            return folder
    return None


def checkpoint_folder(run: Path, epoch: int) -> Path:
    """Where the checkpoint after an epoch (counted from 1) lies."""
    return run / "checkpoints" / f"{epoch:03d}"


def paused_folder(run: Path) -> Path:
    """Where the checkpoint of a run that was interrupted amid an epoch lies."""
    return run / "checkpoints" / "paused"


def is_complete(checkpoint: Path) -> bool:
    """Whether a checkpoint was written to its end."""
    return exists(checkpoint / "manifest.json")


def list_checkpoints(run: Path) -> list[int]:
    """Epochs of all complete checkpoints, in order."""
    place = run / "checkpoints"
    return sorted(
        int(name) for name in list_folder(place) if name.isdecimal() and is_complete(place / name)
    )


def prune_checkpoints(run: Path, keep: set[int]) -> None:
    """Remove all checkpoints but those after the given epochs, and what a kill left of others."""
    for name in list_folder(run / "checkpoints"):
        if name.isdecimal() and int(name) not in keep:
            remove_checkpoint(run / "checkpoints" / name)


def remove_unfinished(run: Path) -> None:
    """Remove what a kill left of checkpoints that were being written or removed."""
    for name in list_folder(run / "checkpoints"):
        if not is_complete(run / "checkpoints" / name):
            remove_checkpoint(run / "checkpoints" / name)


def list_ends(run: Path) -> list[int]:
    """The epochs at whose ends the cycles of a run end, in order.

    Raises:
        RecordError: its schedule is missing or damaged.
    """
    return list(store.read(run / SCHEDULE, LearningRateSchedule).end_epochs)


def remove_checkpoint(folder: Path) -> None:
    """Remove a checkpoint, if it is there."""
    if is_folder(folder):
        # Without its manifest a folder is no checkpoint, so a kill here leaves no half of one.
        remove_file(folder / "manifest.json")
        sync_folder(folder)
        remove_folder(folder)
