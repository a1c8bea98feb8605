"""Checkpoints read back: which one a run goes on from, and the weights that one holds."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from torch import Tensor

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.layout import (
    METRICS,
    checkpoint_folder,
    is_complete,
    list_checkpoints,
    paused_folder,
)
from smallvision.records.model_folders import read_manifest
from smallvision.records.nofollow import exists
from smallvision.records.schema import CheckpointState, EpochMetrics
from smallvision.records.weights import check_manifest, load_tensors, save_tensors
from smallvision.training.state import State


class OtherNetworkError(RecordError):
    """A checkpoint is whole, but of a network that another version of this package built."""


def truncate_metrics(path: Path, first_epoch: int) -> None:
    """Drop lines of epochs that will be done again, and a torn last line."""
    if exists(path):
        store.write_lines(path, read_history(path)[: first_epoch - 1])


def read_history(path: Path) -> list[EpochMetrics]:
    """The metrics of the epochs from the first on, up to a line that is damaged or missing."""
    lines = store.read_lines(path, EpochMetrics, whole=False) if exists(path) else []
    in_order = takewhile(lambda pair: pair[1].epoch == pair[0], enumerate(lines, start=1))
    return [line for _, line in in_order]


def read_state(checkpoint: Path) -> CheckpointState:
    """The numbers of a checkpoint.

    Raises:
        RecordError: they are missing or damaged.
    """
    return store.read(checkpoint / "state.json", CheckpointState)


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
            epoch = read_state(place).epoch
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
    record, tensors = read_state(place), load_all(place)
    wanted = {name: tensor.shape for name, tensor in state.model.state_dict().items()}
    if {name: tensor.shape for name, tensor in tensors["model"].items()} != wanted:
        raise OtherNetworkError(
            f"{place} holds the weights of another network than this version builds; go on with "
            "the version that wrote it, or name another folder"
        )
    # An interruption amid the first epoch has no best weights yet.
    best = load_snapshot(folder, record.best_epoch) if record.best_epoch else {}
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
    record = read_state(place).change(stopped=stopped)
    save_tensors(target, load_all(place), {"state": record})


def load_all(place: Path) -> dict[str, dict[str, Tensor]]:
    """All tensors of a checked checkpoint, by file stem and name.

    Raises:
        RecordError: a file is not valid.
    """
    files = [Path(name) for name in read_manifest(place)]
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
    averaged = "average.safetensors" in read_manifest(place)
    return load_tensors(place, "average" if averaged else "model")
