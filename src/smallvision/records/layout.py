"""Where a run and a study keep what, and which folders are runs."""

from __future__ import annotations

import glob
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from smallvision.errors import RecordError
from smallvision.records.files import make_folder, now, read_json, sync_folder

try:
    import fcntl
except ImportError:  # Windows: two processes in one folder are then not noticed
    fcntl = None  # type: ignore[assignment]

STATUS = "status.json"
METRICS = "metrics.jsonl"
LOCK = ".lock"
STUDY = "study.json"
ENSEMBLE = "ensemble.json"
TUNE = "tune.json"
DISTILLED = "distilled.json"
TEACHER = "teacher"
SEEDS = "seeds"
REFIT = "refit"
MEMBERS = "members"
SNAPSHOTS = f"{MEMBERS}/snapshots"  # the training run inside the folder of a study's ensemble


def check_folder(folder: Path, marker: str, *, resume: bool) -> bool:
    """Check that a folder may be ours: new or empty, or, to resume, one that holds `marker`.

    Returns: whether there is something to resume.

    Raises:
        RecordError: it holds something else, or earlier results and `resume` was not asked for.
    """
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file; name a folder for the results")
    if (folder / marker).exists():
        if not resume:
            raise RecordError(
                f"{folder} already holds results; add --resume to go on with them, "
                "or name another folder with --out"
            )
        return True
    if folder.exists() and any(not is_passing(path) for path in folder.iterdir()):
        raise RecordError(f"{folder} is not empty and holds no {marker}; name another folder")
    return False


def is_finished(run: Path) -> bool:
    """Whether a run lies in a folder that came to its end."""
    return (run / STATUS).exists() and bool(read_json(run / STATUS)["status"] == "done")


def run_folder(study: Path, name: str) -> Path:
    """The run folder of a study's rung."""
    return study / "runs" / name


def is_passing(path: Path) -> bool:
    """Whether a file is a lock, or what a kill left of a write: nothing that could be lost."""
    return path.name == LOCK or (path.name.startswith(".") and path.name.endswith(".tmp"))


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Make a folder, if need be, and keep other processes out of it; a kill frees it.

    Raises:
        RecordError: another process is at work there, or it is not writable.
    """
    path = make_folder(folder) / LOCK
    try:
        file = path.open("a")
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RecordError(describe_owner(path)) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()} since {now()}\n")
        file.flush()
        sweep(folder)
        yield
        file.truncate(0)


@contextmanager
def claim_folder(folder: Path, marker: str, *, resume: bool) -> Iterator[None]:
    """Make a folder ours, if it may be ours, and keep other processes out of it.

    Raises:
        RecordError: as for `check_folder`, which leaves no folder behind, and for `lock_folder`.
    """
    check_folder(folder, marker, resume=resume)  # before the lock, which makes the folder
    with lock_folder(folder):
        check_folder(folder, marker, resume=resume)  # and after it: now nobody else can write
        yield


def describe_owner(lock: Path) -> str:
    """Who holds a lock, as far as its file tells."""
    try:
        owner = lock.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        owner = ""
    return (
        f"{owner or 'another process'} is at work in {lock.parent}; wait for it, or name another "
        "folder"
    )


def check_free(folder: Path) -> None:
    """Leave at once if another process is at work in a folder; nothing is written.

    Raises:
        RecordError: one is.
    """
    path = folder / LOCK
    if fcntl is None or not path.is_file():
        return
    with suppress(PermissionError), path.open("a") as file:  # whoever may not write finds out soon
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RecordError(describe_owner(path)) from error


def sweep(folder: Path) -> None:
    """Remove what killed processes left of writes in a folder that is ours."""
    for path in folder.rglob(".*.tmp"):
        writer = path.name.removesuffix(".tmp").rpartition(".")[2]
        if writer.isdecimal() and not is_alive(int(writer)):
            path.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether a process of this machine is running; yes, where that cannot be asked harmlessly."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def number_folder(parent: Path, stem: str) -> Path:
    """The first of `parent/stem`, `parent/stem-2`, … that does not exist."""
    number = 1
    while (candidate := parent / (stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return candidate


def newest_folder(parent: Path, stem: str, marker: str) -> Path | None:
    """The most recently changed of `parent/stem`, `parent/stem-2`, … that holds `marker`."""
    marked = [path for path in list_numbered(parent, stem) if (path / marker).exists()]
    return max(marked, key=lambda path: (path / marker).stat().st_mtime, default=None)


def list_numbered(parent: Path, stem: str) -> list[Path]:
    """All of `parent/stem`, `parent/stem-2`, … that exist."""
    name = re.compile(rf"{re.escape(stem)}(-\d+)?")
    found = sorted(parent.glob(f"{glob.escape(stem)}*"))
    return [path for path in found if name.fullmatch(path.name)]


def find_runs(root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every run folder below `root` with its status: a run, then what belongs to it.

    A damaged status is listed as such, so that one run does not hide the others.

    Raises:
        RecordError: there is no such folder.
    """
    if not root.is_dir():
        raise RecordError(f"{root} is no folder")
    runs = [path.parent for path in root.rglob(STATUS) if (path.parent / "recipe.toml").exists()]
    for run in sorted(runs, key=order_path):
        try:
            yield run, read_json(run / STATUS)
        except RecordError:
            yield run, {"name": run.name, "status": "damaged"}


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
    found = [path.parent for path in (run / SEEDS).glob(f"*/{STATUS}")]
    return sorted(
        (path for path in found if read_json(path / STATUS)["status"] == state), key=order_path
    )


def parent_run(run: Path) -> Path | None:
    """The run that a repeat, a refit or a training run of an ensemble belongs to, or None."""
    if run.parent.name in (SEEDS, MEMBERS):
        return run.parent.parent
    return run.parent if run.name == REFIT else None


def is_of_search(run: Path) -> bool:
    """Whether a run is a trial of a search, or the search's rerun of its winner."""
    return run.parent.name in ("trials", "rerun") and (run.parent.parent / TUNE).exists()


def find_study(run: Path) -> Path | None:
    """The study folder a run, its repeats or its members belong to; None for a run of its own."""
    place = run.resolve()
    for folder in place.parents:
        if (folder / STUDY).exists() and place.relative_to(folder).parts[0] == "runs":
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
    return (checkpoint / "manifest.json").exists()


def list_checkpoints(run: Path) -> list[int]:
    """Epochs of all complete checkpoints, in order."""
    found = (run / "checkpoints").glob("*/manifest.json")
    return sorted(int(path.parent.name) for path in found if path.parent.name.isdigit())


def prune_checkpoints(run: Path, keep: set[int]) -> None:
    """Remove all checkpoints but those after the given epochs, and what a kill left of others."""
    for folder in (run / "checkpoints").iterdir():
        if folder.name.isdigit() and int(folder.name) not in keep:
            remove_checkpoint(folder)


def remove_unfinished(run: Path) -> None:
    """Remove what a kill left of checkpoints that were being written or removed."""
    for folder in (run / "checkpoints").glob("*"):
        if not is_complete(folder):
            remove_checkpoint(folder)


def list_ends(run: Path) -> list[int]:
    """The epochs at whose ends the cycles of a run end, in order.

    Raises:
        RecordError: its schedule is missing or damaged.
    """
    schedule = read_json(run / "schedule.json")
    return [(end + 1) // schedule["steps_per_epoch"] for end in schedule["cycle_ends"]]


def remove_checkpoint(folder: Path) -> None:
    """Remove a checkpoint, if it is there."""
    if folder.is_dir():
        # Without its manifest a folder is no checkpoint, so a kill here leaves no half of one.
        (folder / "manifest.json").unlink(missing_ok=True)
        sync_folder(folder)
        shutil.rmtree(folder)
