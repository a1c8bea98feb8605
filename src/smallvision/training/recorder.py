"""The watcher that writes a run folder while the run goes on."""

from __future__ import annotations

from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

from torch import Tensor

from smallvision.errors import RecordError
from smallvision.records.files import (
    append_line,
    read_json,
    read_jsonl,
    write_json,
    write_jsonl,
)
from smallvision.records.layout import (
    METRICS,
    checkpoint_folder,
    is_complete,
    list_checkpoints,
    paused_folder,
    prune_checkpoints,
    remove_checkpoint,
    remove_unfinished,
)
from smallvision.records.weights import (
    MANIFEST,
    check_manifest,
    load_tensors,
    save_tensors,
)
from smallvision.training.callbacks import EpochRecord, Plan
from smallvision.training.state import State

DRAWN_POINTS = 600  # of a schedule; more would not show on a page


class OtherNetworkError(RecordError):
    """A checkpoint is whole, but of a network that another version of this package built."""


class Recorder:
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
        self.plan: Plan | None = None

    def on_start(self, plan: Plan) -> None:
        """Write the schedule; forget epochs that a kill left without a checkpoint, and tidy up."""
        self.plan = plan
        about = {"kind": self.schedule_kind, "epochs": plan.epochs, "steps_per_epoch": plan.steps}
        write_json(self.folder / "schedule.json", {"schema": 1, **about, **draw_schedule(plan)})
        truncate_metrics(self.folder / METRICS, plan.first_epoch)
        remove_unfinished(self.folder)
        # A kill may have come between a checkpoint and the pruning after it. Where a checkpoint was
        # passed over, those before it are all there is, so nothing is pruned yet.
        if plan.first_epoch - 1 == max(list_checkpoints(self.folder), default=None):
            self.prune(plan.first_epoch - 1)

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Nothing is written per step."""

    def on_epoch(self, record: EpochRecord, state: State) -> None:
        """Append the metrics, write the checkpoint, prune the older ones."""
        assert self.plan is not None, "on_start comes first"
        append_line(self.folder / METRICS, record.record())
        save_tensors(
            checkpoint_folder(self.folder, state.epoch), state.tensors(), {"state": state.record()}
        )
        remove_checkpoint(paused_folder(self.folder))
        self.prune(state.epoch)

    def prune(self, newest: int) -> None:
        """Remove the checkpoints that are not to be kept, of which the newest always is."""
        assert self.plan is not None, "on_start comes first"
        if self.keep == "all":
            return
        keep = {newest, *(self.plan.cycle_ends() if self.keep == "cycles" else ())}
        # What a kept checkpoint calls the best so far must stay, or it could not be resumed from.
        for epoch in keep & set(list_checkpoints(self.folder)):
            with suppress(RecordError):  # a damaged one keeps nothing
                kept = read_json(checkpoint_folder(self.folder, epoch) / "state.json")
                keep = keep | {kept["best_epoch"]}
        prune_checkpoints(self.folder, keep)

    def pause(self, state: State) -> None:
        """Write a checkpoint amid an epoch; one at its start is there already.

        A state that is spoilt, where nobody has looked at its last loss yet, is not gone on from.
        """
        if state.step and state.is_sound():
            place = paused_folder(self.folder)
            save_tensors(place, state.tensors(), {"state": state.record()})


def draw_schedule(plan: Plan) -> dict[str, Any]:
    """The learning rate over all planned steps, thinned, but exact at every restart."""
    total = plan.epochs * plan.steps
    steps = set(range(0, total, max(1, total // DRAWN_POINTS)))
    steps.update(plan.schedule.cycle_ends)
    steps.update(end + 1 for end in plan.schedule.cycle_ends if end + 1 < total)
    ordered = sorted(steps)
    return {
        "lr": plan.lr,
        "step": ordered,
        "value": [plan.lr * plan.schedule(step) for step in ordered],
        "cycle_ends": list(plan.schedule.cycle_ends),
    }


def truncate_metrics(path: Path, first_epoch: int) -> None:
    """Drop lines of epochs that will be done again, and a torn last line."""
    if path.exists():
        write_jsonl(path, read_history(path)[: first_epoch - 1])


def read_history(path: Path) -> list[dict[str, Any]]:
    """The metrics of the epochs from the first on, up to a line that is damaged or missing."""
    lines = read_jsonl(path, whole=False) if path.exists() else []
    in_order = takewhile(lambda pair: pair[1].get("epoch") == pair[0], enumerate(lines, start=1))
    return [line for _, line in in_order]


def restore_newest(folder: Path, state: State) -> list[str]:
    """Bring a state to the newest checkpoint that is whole, or leave it fresh.

    A checkpoint counts only as far as the metrics of all epochs before it are whole too.

    Returns: what a person should know: which damaged checkpoints were passed over.

    Raises:
        OtherNetworkError: one is whole, and of another network; nothing is trained over it.
    """
    notes = []
    known = len(read_history(folder / METRICS))
    epochs = list_checkpoints(folder)
    places = [checkpoint_folder(folder, epoch) for epoch in epochs]
    paused = paused_folder(folder)
    if is_complete(paused):
        places.append(paused)
    for place in reversed(places):
        try:
            epoch = read_json(place / "state.json")["epoch"]
            if place == paused and epochs and epoch < epochs[-1]:
                continue  # an epoch has been finished since
            if epoch > known:
                raise RecordError(f"{folder / METRICS} is damaged after epoch {known}")
            restore_checkpoint(folder, place, state)
        except OtherNetworkError:
            raise
        except RecordError as error:
            notes.append(f"checkpoint {place.name.lstrip('0')} was passed over: {error}")
        else:
            return notes
    return notes


def restore_checkpoint(folder: Path, place: Path, state: State) -> None:
    """Bring a state to a checkpoint of a run, with the best weights known at that time.

    Raises:
        RecordError: the checkpoint, or the one of its best epoch, is damaged; the state is then as
            it was.
        OtherNetworkError: it is whole, and of another network; the state is then as it was.
    """
    check_manifest(place)
    record, tensors = read_json(place / "state.json"), load_all(place)
    wanted = {name: tensor.shape for name, tensor in state.model.state_dict().items()}
    if {name: tensor.shape for name, tensor in tensors["model"].items()} != wanted:
        raise OtherNetworkError(
            f"{place} holds the weights of another network than this version builds; go on with "
            "the version that wrote it, or name another folder"
        )
    # An interruption amid the first epoch has no best weights yet.
    best = load_snapshot(folder, record["best_epoch"]) if record["best_epoch"] else {}
    state.restore(tensors, record, best)


def reopen_checkpoint(place: Path, target: Path, *, stopped: str | None = None) -> None:
    """Copy the checkpoint of a run that has ended, as one that training goes on from.

    Args:
        place: the checkpoint.
        target: where the copy goes.
        stopped: why a longer run would end there too, if it would.

    Raises:
        RecordError: the checkpoint is damaged, or the copy cannot be written.
    """
    check_manifest(place)
    record = {**read_json(place / "state.json"), "stopped": stopped}
    save_tensors(target, load_all(place), {"state": record})


def load_all(place: Path) -> dict[str, dict[str, Tensor]]:
    """All tensors of a checked checkpoint, by file stem and name.

    Raises:
        RecordError: a file is not valid.
    """
    files = [Path(name) for name in read_json(place / MANIFEST)["files"]]
    stems = [path.stem for path in files if path.suffix == ".safetensors"]
    return {stem: load_tensors(place, stem) for stem in stems}


def load_snapshot(folder: Path, epoch: int) -> dict[str, Tensor]:
    """The weights to use of a run's checkpoint: the average, or the model where there is none.

    Args:
        folder: of the run.
        epoch: counted from 1; the ends of cycles are kept where the recipe says so.

    Returns: parameters and buffers by name, on the CPU.

    Raises:
        RecordError: there is no such checkpoint, or it is damaged.
    """
    place = checkpoint_folder(folder, epoch)
    check_manifest(place)
    averaged = "average.safetensors" in read_json(place / MANIFEST)["files"]
    return load_tensors(place, "average" if averaged else "model")
