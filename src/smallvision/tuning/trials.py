"""One trial of a search: trained, pruned or failed, in a run folder of its own."""

from __future__ import annotations

import time
from pathlib import Path

from smallvision.errors import FailedRunError
from smallvision.recipes import Recipe, override, read_run_recipe
from smallvision.recipes.overrides import change_epochs
from smallvision.records.layout import START, STATUS, TRIALS, read_metrics, read_status
from smallvision.records.nofollow import exists, remove_folder
from smallvision.records.schema import EpochMetrics, TrialResult, UnfinishedRun
from smallvision.runs.job import Job
from smallvision.runs.train import run_recipe
from smallvision.training import Callback, PrunedError, State, TrainingPlan
from smallvision.tuning.search import Attempt


def default_epochs(recipe: Recipe) -> int:
    """A third of the recipe's epochs, at least 2 where it has as many."""
    return bound_epochs(recipe, recipe.epochs // 3)


def bound_epochs(recipe: Recipe, epochs: int) -> int:
    """Epochs of a trial: at least 2, so that pruning has a choice, at most the recipe's."""
    return min(recipe.epochs, max(2, epochs))


def trial_folder(tuning: Path, number: int) -> Path:
    """The run folder of a trial."""
    return tuning / TRIALS / f"{number:03d}"


def shorten_trial(recipe: Recipe, epochs: int) -> Recipe:
    """The recipe of a trial, which keeps no needless weights."""
    return override(change_epochs(recipe, epochs), ["checkpoints=best"])


class TrialReporter(Callback):
    """Reports every epoch to the search, and gives up a trial that has fallen behind.

    Args:
        trial: the trial.
        run: its folder, which may hold epochs of an earlier session.
    """

    def __init__(self, trial: Attempt, run: Path) -> None:
        self.trial = trial
        self.run = run
        self.best = 0.0
        self.epochs = 0

    def on_train_start(self, _plan: TrainingPlan) -> None:
        """Report what an earlier session measured and could not report."""
        for metrics in read_metrics(self.run):
            self.report(metrics)

    def on_epoch(self, metrics: EpochMetrics, state: State) -> None:
        """Report; ask whether it is worth going on, unless it was the last epoch.

        Raises:
            PrunedError: it is not.
        """
        self.report(metrics)
        if not state.stopped and self.trial.should_stop():
            raise PrunedError(f"given up after epoch {metrics.epoch}: other trials were ahead")

    def report(self, metrics: EpochMetrics) -> None:
        """Keep the best figure so far, and tell the search."""
        assert metrics.judged is not None, "a trial is judged on validation images"
        self.epochs, self.best = metrics.epoch, max(self.best, metrics.judged)
        self.trial.report(metrics.epoch, metrics.judged)


def run_trial(trial: Attempt, recipe: Recipe, job: Job) -> TrialResult:
    """Train one trial in a run folder of its own, or go on with it."""
    if (ended := find_pruned(recipe, job.folder)) is not None:
        return ended
    began = time.perf_counter() - time_spent(job.folder)
    reporter = TrialReporter(trial, job.folder)

    def end(**result: object) -> TrialResult:
        seconds = time.perf_counter() - began
        return TrialResult.model_validate({"epochs": reporter.epochs, "seconds": seconds, **result})

    try:
        status = run_recipe(recipe, job.observed_by(reporter))
    except PrunedError as error:
        return end(state="pruned", accuracy=reporter.best, note=str(error))
    except FailedRunError as error:
        return end(state="failed", accuracy=None, note=str(error))
    accuracy, epochs = status.val.score(recipe.metric), status.epochs_done
    return end(state="complete", accuracy=accuracy, epochs=epochs, note=None)


def find_pruned(recipe: Recipe, run: Path) -> TrialResult | None:
    """How a trial ended that was given up just before a kill, which kept it from the search.

    The pruner asks at every rung once, so a trial trained on would be past the rung it lost.
    """
    status = read_status(run) if exists(run / STATUS) else None
    if not isinstance(status, UnfinishedRun) or status.status != "pruned":
        return None
    if read_run_recipe(run) != recipe:
        return None
    lines = read_metrics(run)
    return TrialResult(
        state="pruned",
        accuracy=max(line.judged or 0.0 for line in lines),
        note=status.error,
        epochs=lines[-1].epoch,
        seconds=time_spent(run),
    )


def time_spent(run: Path) -> float:
    """Seconds that earlier sessions trained a trial, which the budget counts too."""
    return max((metrics.seconds for metrics in read_metrics(run)), default=0.0)


def discard_weights(run: Path) -> None:
    """Remove the weights of a finished trial; its records stay."""
    for name in ("checkpoints", "model", START):
        remove_folder(run / name)
