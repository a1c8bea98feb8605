"""Writes what happens in a run to its folder: the schedule, metrics and checkpoints."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.layout import (
    METRICS,
    SCHEDULE,
    checkpoint_folder,
    list_checkpoints,
    paused_folder,
    prune_checkpoints,
    remove_checkpoint,
    remove_unfinished,
)
from smallvision.records.schema import EpochMetrics, LearningRateSchedule
from smallvision.records.weights import save_tensors
from smallvision.training.callbacks import Callback, TrainingPlan
from smallvision.training.checkpoints import read_state, truncate_metrics
from smallvision.training.state import State

DRAWN_POINTS = 600  # of a schedule; more would not show on a page


class Recorder(Callback):
    """Writes the schedule, a line an epoch and a checkpoint an epoch; keeps best, last, cycle ends.

    Args:
        folder: of the run.
        schedule_kind: name of the schedule, for its drawing.
        keep: which checkpoints outlive the next epoch besides the last and the best: `best` for
            none, `cycles` for the ends of cycles, `all`.
    """

    def __init__(self, folder: Path, *, schedule_kind: str, keep: str) -> None:
        self.folder = folder
        self.schedule_kind = schedule_kind
        self.keep = keep
        self.plan: TrainingPlan | None = None

    def on_train_start(self, plan: TrainingPlan) -> None:
        """Write the schedule; forget epochs that a kill left without a checkpoint, and tidy up."""
        self.plan = plan
        store.write(self.folder / SCHEDULE, thin_schedule(plan, self.schedule_kind))
        truncate_metrics(self.folder / METRICS, plan.first_epoch)
        remove_unfinished(self.folder)
        # A kill may have come between a checkpoint and the pruning after it. Where a checkpoint was
        # passed over, those before it are all there is, so nothing is pruned yet.
        if plan.first_epoch - 1 == max(list_checkpoints(self.folder), default=None):
            self.prune(plan.first_epoch - 1)

    def on_epoch(self, metrics: EpochMetrics, state: State) -> None:
        """Append the metrics, write the checkpoint, prune the older ones."""
        store.append(self.folder / METRICS, metrics)
        save_checkpoint(checkpoint_folder(self.folder, state.epoch), state)
        remove_checkpoint(paused_folder(self.folder))
        self.prune(state.epoch)

    def prune(self, newest: int) -> None:
        """Remove the checkpoints that are not to be kept, of which the newest always is."""
        assert self.plan is not None, "on_train_start comes first"
        if self.keep == "all":
            return
        keep = {newest, *(self.plan.cycle_ends() if self.keep == "cycles" else ())}
        # What a kept checkpoint calls the best so far must stay, or it could not be resumed from.
        for epoch in keep & set(list_checkpoints(self.folder)):
            with suppress(RecordError):  # a damaged one keeps nothing
                keep = keep | {read_state(checkpoint_folder(self.folder, epoch)).best_epoch}
        prune_checkpoints(self.folder, keep)

    def pause(self, state: State) -> None:
        """Write a checkpoint amid an epoch; one at its start is there already.

        A state with NaN, where nobody has checked its last loss yet, is not gone on from.
        """
        if state.step and state.is_sound():
            save_checkpoint(paused_folder(self.folder), state)


def save_checkpoint(folder: Path, state: State) -> None:
    """Write all that a run needs to go on from here."""
    save_tensors(folder, state.tensors(), {"state": state.record()})


def thin_schedule(plan: TrainingPlan, kind: str) -> LearningRateSchedule:
    """The learning rate over all planned steps, thinned, but exact at every restart."""
    total = plan.epochs * plan.steps
    steps = set(range(0, total, max(1, total // DRAWN_POINTS)))
    steps.update(plan.schedule.cycle_ends)
    steps.update(end + 1 for end in plan.schedule.cycle_ends if end + 1 < total)
    ordered = tuple(sorted(steps))
    return LearningRateSchedule(
        kind=kind,
        epochs=plan.epochs,
        steps_per_epoch=plan.steps,
        lr=plan.lr,
        step=ordered,
        value=tuple(plan.lr * plan.schedule(step) for step in ordered),
        cycle_ends=tuple(plan.schedule.cycle_ends),
    )
