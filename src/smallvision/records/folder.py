"""Where a run and a study keep what, and which folders are runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smallvision.errors import RecordError
from smallvision.records.files import make_folder, read_json, sync_folder

STATUS = "status.json"
METRICS = "metrics.jsonl"
STUDY = "study.json"


def claim_folder(folder: Path, marker: str, *, resume: bool) -> bool:
    """Make a folder ours: new or empty, or, to resume, one that holds `marker`.

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
    if folder.exists() and any(folder.iterdir()):
        raise RecordError(f"{folder} is not empty and holds no {marker}; name another folder")
    make_folder(folder)
    return False


def number_folder(parent: Path, stem: str) -> Path:
    """The first of `parent/stem`, `parent/stem-2`, … that does not exist."""
    number = 1
    while (candidate := parent / (stem if number == 1 else f"{stem}-{number}")).exists():
        number += 1
    return candidate


def newest_folder(parent: Path, stem: str, marker: str) -> Path | None:
    """The most recently changed of `parent/stem`, `parent/stem-2`, … that holds `marker`."""
    numbered = [
        path
        for path in parent.glob(f"{stem}*")
        if (path / marker).exists() and (path.name == stem or path.name[len(stem) + 1 :].isdigit())
    ]
    return max(numbered, key=lambda path: (path / marker).stat().st_mtime, default=None)


def find_runs(root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every run folder below `root` with its status, in the order of their paths.

    Raises:
        RecordError: a status is damaged, or there is no such folder.
    """
    if not root.is_dir():
        raise RecordError(f"{root} is no folder")
    for status in sorted(root.rglob(STATUS)):
        if (status.parent / "recipe.toml").exists():
            yield status.parent, read_json(status)


def find_study(run: Path) -> Path | None:
    """The study folder a run belongs to, or None for a run of its own."""
    study = run.resolve().parent.parent
    return study if (study / STUDY).exists() and run.resolve().parent.name == "runs" else None


def checkpoint_folder(run: Path, epoch: int) -> Path:
    """Where the checkpoint after an epoch (counted from 1) lies."""
    return run / "checkpoints" / f"{epoch:03d}"


def list_checkpoints(run: Path) -> list[int]:
    """Epochs of all complete checkpoints, in order."""
    found = (run / "checkpoints").glob("*/manifest.json")
    return sorted(int(path.parent.name) for path in found if path.parent.name.isdigit())


def prune_checkpoints(run: Path, keep: set[int]) -> None:
    """Remove all checkpoints but those after the given epochs."""
    for epoch in list_checkpoints(run):
        if epoch not in keep:
            folder = checkpoint_folder(run, epoch)
            # Without its manifest a folder is no checkpoint, so a kill here leaves no half of one.
            (folder / "manifest.json").unlink()
            sync_folder(folder)
            shutil.rmtree(folder)
