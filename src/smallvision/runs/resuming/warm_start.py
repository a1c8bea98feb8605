"""Warm start: a run whose first cycles another run has been through goes on from its end."""

from __future__ import annotations

from pathlib import Path

from smallvision.compute.machine import Machine
from smallvision.errors import RecordError
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.recipes.builders import build_patience, build_schedule
from smallvision.recipes.settings.recipe import NEVER_STOP
from smallvision.records import store
from smallvision.records.layout import (
    METRICS,
    SCHEDULE,
    STATUS,
    checkpoint_folder,
    list_checkpoints,
    list_ends,
    read_status,
)
from smallvision.records.nofollow import exists
from smallvision.records.schema import EpochMetrics, FinishedRun, LearningRateSchedule, ValidatedRun
from smallvision.records.weights import copy_tensors
from smallvision.training import reopen_checkpoint

# Settings in which the two may differ, as long as the schedules agree as far as the shorter goes.
FREE = ("name", "epochs", "schedule", "checkpoints", "stopping")


def continue_from(base: Path, folder: Path, recipe: Recipe, machine: Machine) -> list[str]:
    """Give a new run the end of a finished one to go on from, if that changes no bit of it.

    The run is then what it would have been from fresh weights, for the price of its later cycles.

    Args:
        base: a folder, perhaps of a finished run on the same split.
        folder: of the run, its status written; one that has begun is left as it is.
        recipe, machine: of the run.

    Returns: what is to be said of it; nothing if the run has to begin with fresh weights.
    """
    if list_checkpoints(folder) or not exists(base / STATUS):
        return []
    status = read_status(base)
    if not isinstance(status, ValidatedRun) or status.compute != machine.settings:
        return []
    if not is_beginning(base, status, recipe):
        return []
    last, best = status.epochs_done, status.best_epoch
    # Where the base had reached its planned end, the longer run may have lost patience.
    stopped = build_patience(recipe).reason_to_stop(
        epoch=last,
        best_epoch=best,
        cycle_ends=list_ends(base),
        train_accuracy=store.read_lines(base / METRICS, EpochMetrics)[-1].train_accuracy,
    )
    try:
        # In an order in which a kill leaves what can be gone on from.
        store.write_lines(folder / METRICS, store.read_lines(base / METRICS, EpochMetrics))
        for epoch in list_checkpoints(base):
            if epoch != last:
                copy_tensors(checkpoint_folder(base, epoch), checkpoint_folder(folder, epoch))
        reopen_checkpoint(
            checkpoint_folder(base, last), checkpoint_folder(folder, last), stopped=stopped
        )
    except RecordError:
        return []  # damaged, or not kept: the long way leads to the same end
    same = f"The first {last} epochs are those of {status.name}"
    return [f"{same}, bit for bit, and were not trained again."]


def is_beginning(base: Path, status: FinishedRun, recipe: Recipe) -> bool:
    """Whether a finished run did just what a longer recipe does first, and nothing happened to it.

    An average of weights that depends on the length of the run is another from the first epoch on.
    """
    shorter, done = read_run_recipe(base), status.epochs_done
    if status.slowdown or status.micro_batch or status.moved or status.kind != "trained":
        return False
    # A rule that stops sooner might have stopped before the end of the base.
    if recipe.stopping not in (shorter.stopping, NEVER_STOP):
        return False
    if recipe.averaging.name == "swa" or recipe.epochs <= done:
        return False
    if recipe.model_copy(update={name: getattr(shorter, name) for name in FREE}) != shorter:
        return False
    # The longer run offers the ends of all its cycles to an ensemble.
    ends = [end for end in list_ends(base) if end <= done]
    if not {status.best_epoch, done, *ends} <= set(list_checkpoints(base)):
        return False
    steps = store.read(base / SCHEDULE, LearningRateSchedule).steps_per_epoch
    old, new = build_schedule(shorter, steps), build_schedule(recipe, steps)
    shared = range(done * steps)
    same_cycles = new.cycle_ends[: len(ends)] == old.cycle_ends[: len(ends)]
    return same_cycles and all(old(step) == new(step) for step in shared)
