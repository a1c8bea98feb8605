"""The runs of a study that wait for no other one, trained at once by workers.

The study then goes through its ladder as ever and finds them finished, so its records are those
that one process makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import FailedRunError
from smallvision.recipes import Recipe, Rung, read_run_recipe
from smallvision.records.files import make_folder
from smallvision.records.layout import FOLDS, SEEDS, SNAPSHOTS, is_finished
from smallvision.records.locks import hold
from smallvision.runs.job import Job, TrainingSplit, own_models
from smallvision.runs.repeats import plan_repeats
from smallvision.runs.train import run_recipe
from smallvision.study.context import StudyContext
from smallvision.study.study_record import StudyFile

# The data set that this process has loaded, by the fingerprint of its training images.
LOADED: dict[str, DataSet] = {}


@dataclass(frozen=True, eq=False)
class ApartRun:
    """One training, which any process can do that reaches the images and the folder.

    Attributes:
        load: loads the data set.
        recipe: what is trained.
        split: on which images.
        folder: of the run.
        models: see `Job.models`.
        warm_start: see `TrainingSplit.warm_start`.
    """

    load: Callable[[], DataSet]
    recipe: Recipe
    split: Split
    folder: Path
    models: tuple[Path, ...] = ()
    warm_start: Path | None = None

    def __call__(self) -> None:
        """Train, or go on where that stopped.

        Raises:
            RecordError: another process is at work in the folder, or it is another run's.
        """
        known = self.split.data_fingerprint
        if known not in LOADED:
            LOADED.clear()
            LOADED[known] = self.load()
        job = Job(LOADED[known], self.split, make_folder(self.folder), models=self.models)
        # The study has its own lock around this one. A worker of a study that was killed may be
        # here still.
        with hold(self.folder), suppress(FailedRunError):  # the study comes upon its status
            run_recipe(self.recipe, job, TrainingSplit(self.warm_start))


def train_apart(runs: Iterable[ApartRun], context: StudyContext) -> None:
    """Train runs by the workers of a study."""
    workers, callback = context.plan.workers, context.job.callback
    pending = [run for run in runs if not is_finished(run.folder)]
    if not pending:
        return
    for count, number in enumerate(workers.do_all(pending, context.job.folder), start=1):
        place = pending[number].folder.relative_to(context.job.folder)
        callback.on_message(f"{place} has come to its end, {count} of {len(pending)}")


def list_runs(rung: Rung, context: StudyContext) -> Iterator[ApartRun]:
    """Yield the runs of a rung that workers may train: on every fold, with every seed."""
    if context.load is None:
        return
    job = context.job_of(rung.name)
    first = ApartRun(context.load, rung.recipe, job.split, job.folder, job.models)
    yield first
    for place, split in list_folds(context):
        yield replace(first, split=split, folder=job.folder / place)
    if context.plan.seeds > 1 and rung.slot in context.ladder.repeated:
        for repeat in plan_repeats(rung.recipe, context.plan.seeds):
            yield replace(
                first,
                recipe=repeat,
                folder=job.folder / SEEDS / str(repeat.seed),
                models=(*job.models, *own_models(job.folder)),
            )


def list_snapshot_runs(
    recipe: Recipe, base: Path, job: Job, context: StudyContext
) -> Iterator[ApartRun]:
    """Yield the runs whose snapshots form an ensemble: on every fold.

    Args:
        recipe: with several cycles.
        base: folder of the rung that it builds on.
        job: of the ensemble.
        context: of the study.
    """
    if context.load is None:
        return
    for place, split in ((".", job.split), *list_folds(context)):
        folder = job.folder / place / SNAPSHOTS
        yield ApartRun(context.load, recipe, split, folder, job.models, base / place)


def list_folds(context: StudyContext) -> Iterator[tuple[str, Split]]:
    """Yield the folds after the first: the place in a rung's folder, and the split."""
    for number, split in enumerate(context.folds[1:], start=2):
        yield f"{FOLDS}/{number}", split


def find_independent(context: StudyContext, file: StudyFile) -> Iterator[Rung]:
    """Yield the rungs whose recipes do not depend on which of the others will be the best."""
    entries = {entry.slot: entry for entry in file.record.rungs}
    recipes = {rung.slot: rung.recipe for rung in context.ladder.rungs}
    settled = {entry.slot for entry in file.finished_rungs()}
    for slot in settled:
        recipes[slot] = read_run_recipe(context.folder_of(entries[slot].name))
    for rung in context.ladder.rungs:
        if rung.work != "train" or rung.slot in settled or entries[rung.slot].status == "skipped":
            continue
        bases = [slot for slot in rung.after if entries[slot].status != "skipped"]
        placed, *others = [context.ladder.place(rung, recipes[slot]) for slot in bases] or [rung]
        is_alike = all(other.recipe == placed.recipe for other in others)
        # On a single base it is not settled before the base is; on several, any of them will do.
        if is_alike and placed.name == rung.slot and (len(bases) != 1 or bases[0] in settled):
            recipes[rung.slot] = placed.recipe
            settled.add(rung.slot)
            yield placed
