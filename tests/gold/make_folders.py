"""Make the folders that tests read, resume and draw: `python -m tests.gold.make_folders OUT`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from smallvision.api import ensemble as ensemble_runs
from smallvision.api import train, tune
from smallvision.study.climb import run_study
from smallvision.study.plan import StudyPlan

SMALL = ("model.hidden=[4]", "compute.threads=1", "compute.precision=fp32")


class Stop:
    """A watcher that interrupts a run amid its second epoch, as Ctrl-C does."""

    def on_start(self, *_: object) -> None:
        """Nothing to do."""

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Interrupt."""
        if (epoch, step) == (2, 3):
            raise KeyboardInterrupt

    def on_epoch(self, *_: object) -> None:
        """Nothing to do."""


def main() -> None:
    """Make a finished run, an unfinished one, an ensemble, a search and a study."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True)
    os.chdir(out)  # records name places relative to here
    cycles = ("schedule.name=sgdr", "schedule.cycles=3", "schedule.cycle_mult=1")
    settings = (*SMALL, "epochs=3", "checkpoints=all", *cycles)
    run = train("digits", "mlp", preset="quick", out="run", settings=settings)
    with suppress(KeyboardInterrupt):
        train("digits", "mlp", preset="quick", out="paused", settings=settings, watchers=[Stop()])
    ensemble_runs(run.folder, out="ensemble", select="all")
    short = (*SMALL, "epochs=1")
    tune("digits", "mlp", preset="quick", trials=2, epochs=1, seeds=0, out="tuning", settings=short)
    run_study("digits", "study", StudyPlan(rungs=("mlp",), settings=short))
    for page in Path().rglob("report.html"):
        page.unlink()  # drawn anew in the test, and large
    for cache in Path().rglob("*.png"):
        cache.unlink()
    for lock in Path().rglob(".lock"):
        lock.unlink()


if __name__ == "__main__":
    main()
