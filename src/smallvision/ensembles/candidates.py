"""The networks that finished runs offer to an ensemble."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from smallvision.comparison.groups import expand_study
from smallvision.compute.machine import Machine
from smallvision.data.split import read_split_record
from smallvision.errors import RecordError, SettingError
from smallvision.predict import SavedModel, fill_network, load_model, sketch_network
from smallvision.records.layout import STUDY, list_checkpoints, list_ends, read_status
from smallvision.records.nofollow import exists
from smallvision.records.schema import SplitRecord, ValidatedRun
from smallvision.runs.finished_run import find_validated
from smallvision.runs.results import Run
from smallvision.training import load_snapshot

# The fields of `split.json` that tell one set of images and its split from another.
SHARED = ("train_hash", "val_hash", "data_fingerprint", "val_fingerprint", "test_fingerprint")


@dataclass(frozen=True, eq=False)
class Candidate:
    """One network of a finished run.

    Attributes:
        run: folder of the run.
        status: of the run.
        model: the network with the weights of one epoch, not calibrated on its own: members are
            averaged first and then calibrated together (Rahaman and Thiery, arXiv 2007.08792).
        size_bytes: of the weights on disk.
    """

    run: Path
    status: ValidatedRun
    model: SavedModel
    size_bytes: int

    @property
    def name(self) -> str:
        """What sentences call it."""
        return f"{self.status.name} at epoch {self.model.epoch}"


def list_offered(run: Run | str | Path) -> list[Path]:
    """The finished runs that one folder offers to an ensemble: itself, or the rungs of a study.

    Raises:
        RecordError: it is no finished run, or a study without a rung that could be a member.
    """
    folder = run.folder if isinstance(run, Run) else Path(run)
    if not exists(folder / STUDY):
        return [find_validated(folder)[0]]
    rungs = [rung for rung in expand_study(folder) if find_validated(rung)[1].kind == "trained"]
    if not rungs:
        raise RecordError(f"{folder} has no finished rung that an ensemble could average")
    return rungs


def list_candidates(runs: Sequence[Path], split: SplitRecord, machine: Machine) -> list[Candidate]:
    """All candidates of some runs, in order of their epochs.

    Args:
        runs: folders of finished runs.
        split: the record of the split that all of them must share.
        machine: where to place the networks.

    Raises:
        RecordError: a run is unfinished, damaged, or differs from the others in what members must
            share.
        SettingError: there are fewer than two candidates.
    """
    candidates = [found for run in runs for found in find_candidates(run, machine)]
    for run in runs:
        if read_status(run).kind == "refit":
            raise RecordError(
                f"{run} was trained on the validation images too, so they cannot choose among its "
                "networks; name the run it was made from"
            )
        record = read_split_record(run)
        if any(getattr(record, field) != getattr(split, field) for field in SHARED):
            raise RecordError(
                f"{run} was trained on other data or another split; members of an ensemble share "
                "both, so that none has seen what validates another"
            )
    first = candidates[0]
    for other in candidates:
        for what in ("class_names", "shape", "mean", "std"):
            if getattr(other.model, what) != getattr(first.model, what):
                raise RecordError(
                    f"{other.run} and {first.run} differ in {what}; members of an ensemble share "
                    "class names, image shape and normalisation"
                )
    if len(candidates) < 2:
        raise SettingError(
            f"{first.run} offers one network; name several runs, or one trained in several cycles "
            "(schedule.cycles=3) that keeps their ends (checkpoints=cycles)"
        )
    return sorted(candidates, key=lambda candidate: candidate.model.epoch)


def find_candidates(run: Path, machine: Machine) -> list[Candidate]:
    """The snapshots at the ends of a run's cycles; of a run in one cycle, its final model.

    Raises:
        RecordError: the run is unfinished or damaged, or an ensemble itself.
    """
    _, status = find_validated(run)
    if status.kind == "ensemble":
        raise RecordError(f"{run} is an ensemble itself; name the runs it was made of")
    final = replace(load_model(run, machine), temperature=1.0)
    weights = run / "model" / "model.safetensors"
    candidate = Candidate(run, status, final, weights.stat().st_size)
    snapshots = [load_candidate(run, epoch, candidate) for epoch in list_snapshots(run)]
    return snapshots or [candidate]


def find_member(candidates: Sequence[Candidate], epoch: int) -> Candidate:
    """The candidate of an epoch, or the last one where no snapshot of that epoch was kept."""
    by_epoch = {candidate.model.epoch: candidate for candidate in candidates}
    return by_epoch.get(epoch) or by_epoch[max(by_epoch)]


@dataclass(frozen=True)
class TrainingSum:
    """What it took to train the runs that an ensemble was made from.

    Attributes:
        epochs_planned, epochs_done, seconds, search_seconds: sums over the runs.
    """

    epochs_planned: int
    epochs_done: int
    seconds: float
    search_seconds: float


def sum_training(runs: Iterable[Path]) -> TrainingSum:
    """What it took to train finished runs.

    Raises:
        RecordError: one is unfinished or damaged.
    """
    statuses = [find_validated(run)[1] for run in runs]
    return TrainingSum(
        epochs_planned=sum(status.epochs_planned for status in statuses),
        epochs_done=sum(status.epochs_done for status in statuses),
        seconds=sum(status.seconds for status in statuses),
        search_seconds=sum(status.search_seconds for status in statuses),
    )


def collect_notes(runs: Iterable[Path]) -> list[str]:
    """What happened to the runs that an ensemble was made from, each thing once."""
    notes = [note for run in runs for note in read_status(run).notes]
    return list(dict.fromkeys(notes))


def list_snapshots(run: Path) -> list[int]:
    """Epochs of the checkpoints at the ends of cycles, each the last before a restart.

    Returns: none where fewer than two were kept: the run's final model is then the better choice.
    """
    kept = sorted(set(list_ends(run)) & set(list_checkpoints(run)))
    return kept if len(kept) > 1 else []


def load_candidate(run: Path, epoch: int, final: Candidate) -> Candidate:
    """The network of one checkpoint of a run: the final one with the weights of another epoch.

    Raises:
        RecordError: the checkpoint is damaged.
    """
    model = final.model
    network = sketch_network(model.settings, model.shape, len(model.class_names))
    try:
        fill_network(network, load_snapshot(run, epoch))
    except SettingError as error:
        raise RecordError(
            f"checkpoint {epoch} of {run} holds no weights of its network: {error}"
        ) from error
    network = model.machine.place(network).eval()
    return replace(final, model=replace(model, network=network, epoch=epoch))
