"""Make `tests/gold/folders` anew, which holds one folder of each kind: `make gold`.

The folders are committed, and are made anew only where the format is changed on purpose: that they
are read and written back without a difference is what keeps the format from changing in silence.
The images come from `tests.support.images`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from smallvision.api import distill, ensemble, evaluate, train, tune
from smallvision.runs.job import AllImages
from smallvision.runs.train import run_recipe
from smallvision.study.climb import run_study
from smallvision.study.plan import StudyPlan
from tests.support.images import make_dataset
from tests.support.runs import Interrupt, make_job, make_recipe

FOLDERS = Path(__file__).with_name("folders")
SMALL = ("model.hidden=[4]", "compute.threads=1", "compute.precision=fp32")
SHORT = (*SMALL, "epochs=1")
CYCLES = (
    *SMALL,
    "epochs=3",
    "batch_size=32",
    "checkpoints=all",
    "schedule.name=sgdr",
    "schedule.cycles=3",
    "schedule.cycle_mult=1",
    "averaging.name=ema",
)
ALL_IMAGES = {"epochs": 1, "model": {"name": "mlp", "hidden": [4]}, "schedule": {"name": "cosine"}}
TUNING = {"trials": 2, "epochs": 1, "seeds": 1, "preset": "quick", "settings": SHORT}
PLAN = StudyPlan(rungs=("mlp",), seeds=2, refit=True, settings=SHORT)
FOLDED = StudyPlan(rungs=("mlp",), folds=2, refit=False, settings=SHORT)


def main() -> None:
    """Make the folders where they belong."""
    shutil.rmtree(FOLDERS, ignore_errors=True)
    FOLDERS.mkdir()
    os.chdir(FOLDERS)  # records name places relative to here
    make_folders()
    shrink_folders()


def make_folders() -> None:
    """Make a finished run, an interrupted one, one on all images, and what is made from runs."""
    data = make_dataset()
    train(data, "mlp", preset="quick", out="run", settings=CYCLES)
    evaluate("run", data)
    with suppress(KeyboardInterrupt):
        train(data, "mlp", preset="quick", out="paused", settings=CYCLES, callbacks=[Interrupt(1)])
    job = make_job(data, Path("all-images"))
    run_recipe(make_recipe(**ALL_IMAGES), job, AllImages())
    ensemble("run", data=data, out="ensemble", select="all")
    distill("ensemble", data=data, out="student", settings=["epochs=1"])
    tune(data, "mlp", out="tuning", **TUNING)
    run_study(data, "study", PLAN)
    run_study(data, "folded", FOLDED)


def shrink_folders() -> None:
    """Remove what is drawn anew, and what a later process makes."""
    for pattern in ("report.html", "*.png", "*.webp", ".lock"):
        for path in Path().rglob(pattern):
            path.unlink()
    with closing(sqlite3.connect("tuning/tune.sqlite3", isolation_level=None)) as database:
        database.execute("PRAGMA page_size = 512")  # most of its 30 pages are all but empty
        database.execute("VACUUM")


if __name__ == "__main__":
    main()
