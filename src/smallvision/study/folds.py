"""Cross-validation of rungs: in how many folds, and a rung's runs on all folds but the first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from smallvision.data.dataset import DataSet
from smallvision.errors import FailedRunError
from smallvision.records import store
from smallvision.records.layout import FOLDS, FOLDS_RECORD
from smallvision.records.schema import FoldSummary, ValidatedRun
from smallvision.runs.job import Job
from smallvision.runs.measure import summarize_folds
from smallvision.study.context import StudyContext
from smallvision.study.plan import StudyPlan

FEW_IMAGES = 2_000  # below, a fifth of them cannot tell rungs apart that differ by 5 points
DEFAULT_FOLDS = 5
DRY_FOLDS = 2  # enough to run every step


def settle_folds(plan: StudyPlan, dataset: DataSet) -> tuple[StudyPlan, str]:
    """Decide in how many folds rungs are judged, where the plan leaves that open.

    With few images there are five folds, two in a dry run, unless the source declares validation
    images or rungs are repeated with several seeds, which are judged on one split. With folds the
    winner is trained once more on all labelled images, unless the plan says otherwise.

    Args:
        plan: what was asked for.
        dataset: the whole one, whatever a dry run or a preset takes of it.

    Returns: the plan with both decided, and the choice in a sentence.
    """
    count = len(dataset.train)
    why = {
        "as asked for": plan.folds is not None,
        "since the data have validation images of their own": dataset.val is not None,
        "since --seeds repeats the rungs on it": plan.seeds > 1,
        f"since there are {count:,} labelled images": True,
    }
    reason = next(reason for reason, holds in why.items() if holds)
    folds = plan.folds
    if folds is None:
        decided = dataset.val is not None or plan.seeds > 1 or count >= FEW_IMAGES
        folds = 1 if decided else DRY_FOLDS if plan.dry_run else DEFAULT_FOLDS
    refit = folds > 1 if plan.refit is None else plan.refit
    way = "on one split" if folds == 1 else f"by stratified cross-validation in {folds} folds"
    return replace(plan, folds=folds, refit=refit), f"Rungs are judged {way}, {reason}."


def cross_validate(
    work: Callable[[Job], ValidatedRun], job: Job, context: StudyContext
) -> FoldSummary | None:
    """Do on all other folds what was done for a rung on the first, or go on where that stopped.

    A fold that is finished stays what it is. One that diverged or ran out of memory is no reason to
    give up the others, and is named in the record.

    Args:
        work: trains in the folder of a job, on its split; it leaves finished work as it is.
        job: of the rung, whose first fold is finished; the others go to `folds/NUMBER` in its
            folder.
        context: of the study, with its folds.

    Returns: the content of `folds.json`; None for a study without folds.

    Raises:
        RecordError: a folder belongs to another recipe or split.
    """
    if not context.folds:
        return None
    for number, split in enumerate(context.folds[1:], start=2):
        job.callback.on_message(f"{job.folder.name}, fold {number} of {len(context.folds)}")
        with suppress(FailedRunError):  # no status is then finished, and the summary says so
            work(replace(job.inside(f"{FOLDS}/{number}"), split=split))
    record = summarize_folds(job.folder, len(context.folds))
    store.write(job.folder / FOLDS_RECORD, record)
    return record
