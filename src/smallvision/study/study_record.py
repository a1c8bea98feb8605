"""`study.json`: begun, checked on resumption, and kept up to date."""

from __future__ import annotations

import math
from pathlib import Path

from smallvision.compute.environment import describe_environment
from smallvision.data.dataset import DataSet
from smallvision.data.loading.origin import describe_origin
from smallvision.data.sources.source import record_left_out
from smallvision.data.split import Split
from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import now
from smallvision.records.layout import ENVIRONMENT, STUDY, TEST, run_folder
from smallvision.records.nofollow import exists
from smallvision.records.schema import (
    DataDescription,
    Goal,
    RungRecord,
    RungSummary,
    StudyRecord,
    StudySummary,
    TestRecord,
    TestSummary,
)
from smallvision.records.schema.measures import GOAL_OF_METRIC
from smallvision.runs.finished_run import find_judged
from smallvision.runs.run_data import check_split
from smallvision.study.context import StudyContext
from smallvision.study.ladder import list_slots


class StudyFile:
    """The `study.json` of a study under way, which is on disk after every change.

    Args:
        folder: of the study.
        record: so far.
    """

    def __init__(self, folder: Path, record: StudyRecord) -> None:
        self.path = folder / STUDY
        self.record = record

    def update(self, **fields: object) -> None:
        """Change fields, and write the record."""
        self.record = self.record.change(**fields)
        store.write(self.path, self.record)

    def update_rung(self, rung: RungRecord, **fields: object) -> RungRecord:
        """Change a rung's entry, and write the record; returns the new entry."""
        changed = rung.change(**fields)
        rungs = tuple(changed if one.slot == rung.slot else one for one in self.record.rungs)
        self.update(rungs=rungs)
        return changed

    def find_rung(self, slot: str) -> RungRecord:
        """The entry of a slot."""
        return next(rung for rung in self.record.rungs if rung.slot == slot)

    def finished_rungs(self) -> list[RungRecord]:
        """The entries of the finished rungs, in order."""
        return [rung for rung in self.record.rungs if rung.is_done]


def open_study(context: StudyContext) -> StudyFile:
    """Write what the study is about, before any of it is done."""
    job, plan, ladder = context.job, context.plan, context.ladder
    left_out = {rung.slot: rung.note for rung in context.budget.left_out} if context.budget else {}
    record = StudyRecord(
        name=job.folder.resolve().name,
        created=now(),
        command=plan.command,
        preset=plan.preset,
        budget=context.budget,
        seed=plan.seed,
        settings=plan.settings,
        seeds=plan.seeds,
        repeat=plan.repeat,
        refit=bool(plan.refit),
        folds=plan.folds or 1,
        prefer=plan.prefer,
        start=context.start.fingerprint if context.start else None,
        goal=Goal(maximise=GOAL_OF_METRIC[plan.judged_by], limits=plan.limits),
        data=describe_source(job.dataset),
        rungs=tuple(
            RungRecord(
                slot=rung.slot,
                name=rung.slot,
                question=rung.question,
                weakness=rung.weakness,
                note=left_out.get(rung.slot),
                status="skipped"
                if rung.slot in left_out or rung.slot not in ladder.chosen
                else "pending",
            )
            for rung in ladder.rungs
        ),
    )
    store.write(job.folder / STUDY, record)
    check_split(job.folder, job.dataset, job.split)
    store.write(job.folder / ENVIRONMENT, describe_environment())
    return StudyFile(job.folder, record)


def reopen_study(context: StudyContext) -> StudyFile:
    """Read a study back and check that it is this one.

    Raises:
        RecordError: it was begun on other data, or with another preset, seed, limits or settings.
    """
    job, plan, ladder = context.job, context.plan, context.ladder
    folder = job.folder
    record = store.read(folder / STUDY, StudyRecord)
    if (record.preset, record.seed) != (plan.preset, plan.seed):
        raise RecordError(
            f"{folder} was begun with preset {record.preset} and seed {record.seed}; "
            "resume it with the same, or name another folder"
        )
    if (record.budget is not None) != (plan.is_timed):
        raise RecordError(
            f"{folder} was begun with another --set; resume it with the same, or name another "
            "folder with --out"
        )
    if record.budget is not None and (record.budget.seconds or math.inf) != plan.seconds:
        raise RecordError(
            f"{folder} was begun with another --budget; resume it with the same, or name another "
            "folder with --out"
        )
    if record.goal.limits != plan.limits:
        raise RecordError(
            f"{folder} was begun with other limits; limits moved after the results are no limits, "
            "so resume it with the same, or name another folder"
        )
    check_split(folder, job.dataset, job.split)
    if record.data.mirror_safe != job.dataset.mirror_safe:
        raise RecordError(
            f"{folder} was begun {'with' if record.data.mirror_safe else 'without'} mirror images; "
            "resume it with the same --no-mirror, or name another folder with --out"
        )
    if not exists(folder / ENVIRONMENT):
        store.write(folder / ENVIRONMENT, describe_environment())
    slots = [rung.slot for rung in record.rungs]
    # What the budget leaves out has a note that says so.
    chosen = {rung.slot for rung in record.rungs if rung.status != "skipped" or rung.note}
    if slots != list(list_slots(ladder.rungs)) or chosen != ladder.chosen:
        raise RecordError(
            f"{folder} was begun with other --rungs; resume it with the same, or name another "
            "folder with --out"
        )
    asked = {
        "settings": plan.settings,
        "seeds": plan.seeds,
        "repeat": plan.repeat,
        "folds": plan.folds or 1,
        "refit": bool(plan.refit),
        "prefer": plan.prefer,
        "start": context.start.fingerprint if context.start else None,
    }
    for name, value in asked.items():
        if getattr(record, name) != value:
            raise RecordError(
                f"{folder} was begun with another --{'set' if name == 'settings' else name}; "
                "resume it with the same, or name another folder with --out"
            )
    return StudyFile(folder, record)


def describe_source(dataset: DataSet) -> DataDescription:
    """The data set as `study.json` describes it."""
    return DataDescription(
        name=dataset.name,
        origin=describe_origin(dataset),
        source=dataset.source,
        shape=dataset.train.shape,
        class_names=dataset.train.class_names,
        train_n=len(dataset.train),
        test_n=len(dataset.test),
        train_fingerprint=dataset.train.fingerprint,
        test_fingerprint=dataset.test.fingerprint,
        mirror_safe=dataset.mirror_safe,
        notes=dataset.notes,
        left_out=record_left_out(dataset.left_out),
    )


def describe_data(dataset: DataSet, split: Split) -> str:
    """What there is, for the terminal."""
    C, H, W = dataset.train.shape
    dropped = f" {split.dropped:,} were left out, for the validation set holds them too."
    return (
        f"{dataset.name}: {W}x{H} {'grey' if C == 1 else 'colour'} images, "
        f"{dataset.train.num_classes} classes; {len(split.train):,} to train on, "
        f"{len(split.val):,} to validate on, {len(dataset.test):,} sealed for the test."
        f"{dropped if split.dropped else ''}"
    )


def summarize_study(folder: Path, record: StudyRecord) -> StudySummary:
    """What `smallvision study --json` prints."""
    test = store.read_if_there(folder / TEST, TestRecord)
    return StudySummary(
        study=str(folder),
        rungs=tuple(summarize_rung(folder, rung) for rung in record.rungs),
        best=record.best,
        test=test.extend(TestSummary) if test else None,
        report=str(folder / "report.html"),
    )


def summarize_rung(folder: Path, rung: RungRecord) -> RungSummary:
    """A rung's state, and its figures if it is finished."""
    if not rung.is_done:
        return rung.extend(RungSummary)
    status = find_judged(run_folder(folder, rung.name))
    return rung.extend(
        RungSummary,
        val_accuracy=status.val.accuracy,
        val_interval=status.val.interval,
        val_balanced_accuracy=status.val.by_class and status.val.by_class.balanced_accuracy,
        val_macro_f1=status.val.by_class and status.val.by_class.macro_f1,
        val_n=status.val.n,
        train_accuracy=status.train.accuracy,
        parameters=status.parameters,
        seconds=status.seconds,
    )
