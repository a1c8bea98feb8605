"""Whether the storage of a search, its record and the runs of its trials say the same.

The record has a sum and the storage has none, but whoever edits a record can leave its sum out, so
neither is believed against the other. The storage may be ahead of the record: a kill came between
its commit and the writing of the record, or other processes share it. It is never behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.records.layout import METRICS, STATUS, TUNE, read_metrics, read_status
from smallvision.records.nofollow import exists
from smallvision.records.schema import TrialRecord, TuningRecord, UnfinishedRun, ValidatedRun
from smallvision.tuning.search import EndedTrial
from smallvision.tuning.trials import trial_folder

REMEDY = "restore the one that was changed, or begin anew in another folder with --out"


@dataclass(frozen=True)
class Agreement:
    """The places that tell of one search.

    Attributes:
        folder: of the search.
        storage: what messages call the storage.
    """

    folder: Path
    storage: str

    def check_record(self, record: TuningRecord, ended: Sequence[EndedTrial]) -> None:
        """Check that the storage holds every trial of the record, with the same values and end.

        Args:
            record: `tune.json`.
            ended: the trials of the storage.

        Raises:
            RecordError: it does not; the trial is named with both values.
        """
        stored = {trial.record.number: trial.record for trial in ended}
        for known in record.trials:
            if known.number not in stored:
                raise RecordError(
                    f"{self.folder / TUNE} lists {len(record.trials)} trials, of which "
                    f"{self.storage} lacks trial {known.number}; name the same --storage, restore "
                    "it, or begin anew in another folder with --out"
                )
            for field in TrialRecord.model_fields:
                here, there = getattr(known, field), getattr(stored[known.number], field)
                self.compare(known.number, field, self.folder / TUNE, here, there)

    def check_runs(
        self, ended: Iterable[EndedTrial], recipes: Iterable[Recipe], may_lack: Collection[int]
    ) -> None:
        """Check that each trial's own run, where its records are kept, says what the storage does.

        Args:
            ended: trials of the storage.
            recipes: of their runs.
            may_lack: numbers of trials that need no run here: another process made them, or the
                record knows them.

        Raises:
            RecordError: it does not; the trial is named with both values.
        """
        for trial, recipe in zip(ended, recipes, strict=True):
            number = trial.record.number
            run = trial_folder(self.folder, number)
            if not exists(run / STATUS):
                if number not in may_lack:
                    raise RecordError(
                        f"{self.storage} holds trial {number}, of which neither "
                        f"{self.folder / TUNE} nor {run} knows; {REMEDY}"
                    )
                continue
            for what, path, here, there in list_facts(run, trial.record):
                self.compare(number, what, path, here, there)
            for epoch, here, there in list_epochs(run, trial):
                self.compare(
                    number, f"the accuracy after epoch {epoch}", run / METRICS, here, there
                )
            if read_run_recipe(run) != recipe:
                raise RecordError(
                    f"{run / 'recipe.toml'} has other settings than trial {number} has in "
                    f"{self.storage}; {REMEDY}"
                )

    def compare(self, number: int, what: str, path: Path, here: object, there: object) -> None:
        """Compare what a file and the storage say of a trial.

        Raises:
            RecordError: they differ; one line with the trial, both values and both places.
        """
        if here != there:
            raise RecordError(
                f"{path} and {self.storage} disagree on trial {number}: {what} is {here!r:.100} "
                f"in the first and {there!r:.100} in the second; {REMEDY}"
            )


def list_facts(run: Path, ended: TrialRecord) -> Iterator[tuple[str, Path, object, object]]:
    """What a run says of its end: the fact, its file, what stands there, what the storage says."""
    status = read_status(run)
    path = run / STATUS
    if isinstance(status, ValidatedRun):
        yield "state", path, "complete", ended.state
        yield "accuracy", path, status.val.score(read_run_recipe(run).metric), ended.accuracy
        yield "epochs", path, status.epochs_done, ended.epochs
    elif not isinstance(status, UnfinishedRun):
        yield "kind", path, status.kind, "trained"
    # A full disk may have kept a run from noting that it ended early, but not that it finished.
    elif status.status != "running" or ended.state == "complete":
        yield "state", path, status.status, ended.state
        yield "note", path, status.error, ended.note
    if ended.state == "pruned" and keeps_first_epochs(run):
        lines = read_metrics(run)
        yield "epochs", run / METRICS, len(lines), ended.epochs
        best = max((line.judged or 0.0 for line in lines), default=0.0)
        yield "accuracy", run / METRICS, best, ended.accuracy


def list_epochs(run: Path, trial: EndedTrial) -> Iterator[tuple[int, object, object]]:
    """The accuracies after each epoch: the epoch, what its run says, what the storage says."""
    if not keeps_first_epochs(run):
        return
    lines = {line.epoch: line.judged for line in read_metrics(run)}
    for epoch in sorted(lines.keys() | trial.reported.keys()):
        yield epoch, lines.get(epoch), trial.reported.get(epoch)


def keeps_first_epochs(run: Path) -> bool:
    """Whether the accuracies of a run are those it had the first time.

    Where epochs had to be done again, by another rate or on another machine, the notes say so, and
    the search goes by what it was told first.
    """
    status = read_status(run)
    return not status.notes and not status.moved
