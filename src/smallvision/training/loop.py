"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import torch
from torch import Tensor

from smallvision.compute.machine import Machine
from smallvision.compute.ranks import Ranks
from smallvision.data.batches import Batch, TrainBatches
from smallvision.optim import Schedule
from smallvision.randomness import derive_seed
from smallvision.records.schema import EpochMetrics
from smallvision.training.best_epoch import Best
from smallvision.training.callbacks import Callback, TrainingPlan
from smallvision.training.evaluator import Evaluator
from smallvision.training.gradients import (
    Gradients,
    OwnGradients,
    PartMaker,
    SharedGradients,
)
from smallvision.training.nonfinite import (
    LossMonitor,
    NonFiniteGradientError,
    StepInfo,
    check_gradient,
    copy_statistics,
    restore_statistics,
)
from smallvision.training.patience import Patience
from smallvision.training.state import State, copy_weights


@dataclass(frozen=True, eq=False)
class LoopSettings:
    """How the loop goes, besides what is trained on what.

    Attributes:
        name: of the run, for messages.
        epochs: planned number.
        patience: when to stop early.
        skip_nonfinite: whether a step whose loss or gradient is NaN or infinite is left out, at
            the price of waiting for the device at every step; otherwise such a loss ends the run.
        notes: what a person should know before training goes on; callbacks hear of it.
        ranks: processes that make parts of the gradients; None for this one alone.
    """

    name: str
    epochs: int
    patience: Patience
    skip_nonfinite: bool = False
    notes: tuple[str, ...] = ()
    ranks: Ranks | None = None


def fit(
    state: State,
    batches: TrainBatches,
    schedule: Schedule,
    evaluator: Evaluator,
    settings: LoopSettings,
    machine: Machine,
    callback: Callback,
) -> State:
    """Train to the planned end, or until patience is spent; then restore the best weights.

        until the planned end, or patience is spent:
            for each batch:
                set the learning rate of this step
                for each micro-batch of it, augmented, normalised images and soft targets:
                    loss = cross-entropy(model(images), targets)
                    backward
                step
                update the average of the weights, where there is one
            measure the average, else the model, on clean training images and on validation images
            keep a copy of its weights if they are the best so far
            call the callback
        load the best weights

    Without validation images every epoch counts as the best, so the last weights are kept and
    patience is never spent.

    Args:
        state: where to start; a fresh one, or one restored from a checkpoint.
        batches: the training images.
        schedule: multiplier of the peak learning rate, per step.
        evaluator: what the model is measured on after each epoch.
        settings: epochs, patience, and what to do about NaN.
        machine: how to compute.
        callback: told of every step and epoch.

    Returns: the same state, at its end, the model holding the best weights.

    Raises:
        DivergedError: the loss became NaN or infinite; with `skip_nonfinite`, at every step of
            an epoch.
    """
    peaks = [group["lr"] for group in state.optimizer.param_groups]
    plan = TrainingPlan(
        settings.name,
        settings.epochs,
        batches.steps,
        batches.batch_size,
        schedule,
        peaks[0],
        state.epoch + 1,
        settings.notes,
    )
    maker = PartMaker(state.model, machine.compile_model(state.model), machine)
    ranks = settings.ranks
    gradients = OwnGradients(maker) if ranks is None else SharedGradients(maker, ranks)
    callback.on_train_start(plan)
    began = time.perf_counter() - state.seconds
    monitor = LossMonitor()

    while not state.stopped:
        epoch, first = state.epoch + 1, state.step
        epoch_began = time.perf_counter()
        for step, batch in enumerate(batches.epoch(epoch, first), start=first):
            done = (epoch - 1) * batches.steps + step
            multiplier = state.slowdown * schedule(done)
            for group, peak in zip(state.optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * multiplier
            dropout_seed = derive_seed(batches.seed, "dropout", epoch, step)
            if settings.skip_nonfinite:
                loss = update_or_skip(gradients, batch, state, machine, dropout_seed)
            else:
                loss = update(gradients, batch, state.optimizer, machine, dropout_seed)
                info = StepInfo(plan.name, epoch, step + 1, plan.lr * multiplier, plan.lr)
                monitor.check(info, loss)
            state.count_step(loss, time.perf_counter() - began)
            if loss is None:
                continue
            state.average.follow_step(done)
            callback.on_step(epoch, step + 1, loss, plan.lr * multiplier)
        mean_loss = state.mean_loss()  # for which the device must come to the end of its steps
        train_seconds = time.perf_counter() - epoch_began
        lr = plan.lr * state.slowdown * schedule(epoch * batches.steps - 1)
        info = StepInfo(plan.name, epoch, 0, lr, plan.lr)
        info.check(mean_loss)
        if state.averaged_epochs < epoch:  # not before a signal that came amid the measuring
            state.average.follow_epoch(epoch, evaluator)
            state.averaged_epochs = epoch
        train_loss, train_accuracy, _ = evaluator.measure(state.eval_model, *evaluator.train)
        info.check(train_loss)
        val_loss, val_accuracy, val_score = None, None, None
        if evaluator.val is not None:
            val_loss, val_accuracy, val_score = evaluator.measure(state.eval_model, *evaluator.val)
            info.check(val_loss)
        improved = state.best.improves(val_score, val_loss)
        if improved:
            state.best = Best(epoch, val_score, val_loss, copy_weights(state.eval_model))
        skipped = state.skipped
        state.end_epoch(time.perf_counter() - began)
        state.stopped = reason_to_stop(state, plan, settings.patience, train_accuracy)
        metrics = EpochMetrics(
            epoch=epoch,
            step=epoch * batches.steps,
            cycle=1 + sum(end < epoch for end in plan.cycle_ends()),
            lr=lr,
            loss=mean_loss,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            val_score=None if evaluator.metric == "accuracy" else val_score,
            train_n=len(evaluator.train[1]),
            val_n=len(evaluator.val[1]) if evaluator.val is not None else 0,
            best=improved,
            seconds=state.seconds,
            images_per_second=(batches.steps - first) * batches.batch_size / train_seconds,
            skipped=skipped,
        )
        callback.on_epoch(metrics, state)

    state.model.load_state_dict(state.best.weights)
    return state


def update(
    gradients: Gradients,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    machine: Machine,
    dropout_seed: int,
    check: Callable[[Tensor], None] | None = None,
) -> Tensor:
    """One step: the mean loss of a batch against its soft targets, its gradient, the update.

    The optimiser is handed the computation, since some need the gradient at more than one place.
    `check` sees the loss once the gradient is there, and may give the step up by an exception.
    Returns the loss before the update.
    """

    def compute_loss() -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        mean = gradients(batch, dropout_seed)
        if check is not None:
            check(mean)
        return mean

    # torch declares that a closure returns a float, and hands on whatever it returns.
    with machine.compiling():
        return cast("Tensor", optimizer.step(cast("Callable[[], float]", compute_loss)))


def update_or_skip(
    gradients: Gradients, batch: Batch, state: State, machine: Machine, dropout_seed: int
) -> Tensor | None:
    """One step, or, if its loss or gradient is NaN or infinite, none, and None."""
    kept = copy_statistics(state.model)
    # A list, since some optimisers have the gradient checked more than once.
    check = partial(check_gradient, list(state.model.parameters()))
    try:
        return update(gradients, batch, state.optimizer, machine, dropout_seed, check)
    except NonFiniteGradientError:
        restore_statistics(state.model, kept)
        return None


def reason_to_stop(
    state: State, plan: TrainingPlan, patience: Patience, train_accuracy: float
) -> str | None:
    """Why training ends after this epoch, or None."""
    if state.epoch >= plan.epochs:
        return "reached the planned end"
    return patience.reason_to_stop(
        epoch=state.epoch,
        best_epoch=state.best.epoch,
        cycle_ends=plan.cycle_ends(),
        train_accuracy=train_accuracy,
    )
