"""Folders of work that is under way, as a watcher comes upon them."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.schema import PlannedRung, StudyRecord, UnfinishedRun
from tests.support.study_folder import build_whole_study, make_budget
from tests.support.study_records import COMPUTE

NO_PROCESS = 2**31 - 1  # no process has this number
UNDER_WAY = "wrn-aug"
COMMAND = "smallvision study made-up --preset quick"


def lock(folder: Path, process: int | None = None, host: str | None = None) -> None:
    """Write what the lock of a folder says while a process is at work there; by default ours."""
    number, place = process or os.getpid(), host or platform.node()
    text = f"process {number} on {place} since 2026-11-22T14:40:00+00:00\n"
    (make_folder(folder) / ".lock").write_text(text, encoding="utf-8")


def unlock(folder: Path) -> None:
    """Empty the lock, as a process does on leaving."""
    (folder / ".lock").write_text("", encoding="utf-8")


def begin_study(folder: Path, names: tuple[str, ...] | None = None) -> Path:
    """Write a study of which four rungs are done and a fifth is trained."""
    build_whole_study(folder, *([names] if names else []))
    study = store.read(folder / "study.json", StudyRecord)
    slots = [rung.slot for rung in study.rungs]
    at = [rung.name for rung in study.rungs].index(UNDER_WAY)
    budget = make_budget((*slots[:8], slots[9]))
    out = PlannedRung(slot=slots[8], size="", passes=8, seconds=400.0, note="it takes 6 min 40 s")
    budget = budget.change(seconds=900.0, left_out=(out,))
    rungs = [rung.change(status="pending", error=None) for rung in study.rungs]
    rungs[:at] = study.rungs[:at]
    rungs[at] = rungs[at].change(status="running")
    rungs[8] = rungs[8].change(status="skipped", note="it would take 6 min 40 s")
    store.write(
        folder / "study.json",
        study.change(
            rungs=tuple(rungs), budget=budget, best=None, best_reason=None, finished=None,
            most_accurate=None, command=COMMAND, spent_seconds=245.0,
        ),
    )  # fmt: skip
    for name in ("test.json", "verdicts.json", "ledger.jsonl"):
        (folder / name).unlink()
    for rung in study.rungs[at + 1 :]:
        shutil.rmtree(folder / "runs" / rung.name)
    run = folder / "runs" / UNDER_WAY
    store.write(run / "status.json", make_running(UNDER_WAY))
    shutil.rmtree(run / "model", ignore_errors=True)
    (run / "seeds.json").unlink()
    keep_epochs(run, 6)
    lock(folder)
    return folder


def make_running(name: str) -> UnfinishedRun:
    """The status of a run that is trained."""
    return UnfinishedRun(
        name=name,
        data="made-up",
        mirror_safe=True,
        recipe_sum="sha256:" + "0" * 64,
        compute=COMPUTE,
        status="running",
    )


def keep_epochs(run: Path, count: int) -> None:
    """Leave the first so many epochs of a run."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "metrics.jsonl").write_text("".join(lines[:count]), encoding="utf-8")
