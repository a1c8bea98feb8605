"""A study or run folder read into what a page draws: strict about damage, plain about absence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from smallvision.errors import RecordError
from smallvision.records.layout import (
    ENSEMBLE,
    FOLDS,
    FOLDS_RECORD,
    METRICS,
    NETWORK,
    REFIT,
    SEEDS,
    SNAPSHOTS,
    STATUS,
    STUDY,
)
from smallvision.records.ledger import LEDGER
from smallvision.records.nofollow import list_folder
from smallvision.records.schema import (
    AnyRun,
    EnsembleRecord,
    Environment,
    EpochMetrics,
    FoldSummary,
    LadderVerdicts,
    LearningRateSchedule,
    LedgerEntry,
    ModelRecord,
    NetworkRecord,
    RungRecord,
    RunStatus,
    SeedSummary,
    SplitRecord,
    StudyRecord,
    TestRecord,
    TuningRecord,
    Verdict,
)
from smallvision.reporting.folder import Folder, is_plain_name
from smallvision.reporting.pictures import read_errors, read_exploration, sum_up_lost
from smallvision.reporting.view import LoneRunView, RungView, RunView, StudyView

STATUS_MODEL = cast("type[RunStatus]", AnyRun)  # a union of the classes of a status


def read_study(path: Path) -> StudyView:
    """Read all records of a study folder.

    Raises:
        RecordError: the folder is no study, or a record is damaged or contradicts another.
    """
    folder = Folder(path)
    record = folder.read(StudyRecord, STUDY, "")
    if record is None:
        raise RecordError(
            f"{path} is no study folder (it has no {STUDY}); "
            "name the folder that `smallvision study` wrote"
        )
    if record.best and record.best not in {rung.name for rung in record.rungs}:
        raise RecordError(
            f"{path / STUDY}: its best rung, {record.best!r}, is none of its rungs; restore it"
        )
    split = folder.read(SplitRecord, "split.json", "the report cannot say how images were split.")
    exploration = read_exploration(folder)
    verdicts = folder.read(
        LadderVerdicts, "verdicts.json", "no rung could be compared with another."
    )
    study = StudyView(
        record=record,
        rungs=tuple(read_rung(folder, rung, verdicts) for rung in record.rungs),
        split=split,
        test=folder.read(TestRecord, "test.json", "there is no test result."),
        choice=verdicts.winner_choice if verdicts else None,
        openings=folder.read_lines(LedgerEntry, LEDGER),
        environment=folder.read(
            Environment, "environment.json", "versions and hardware are unknown."
        ),
        exploration=exploration,
        errors=read_errors(folder, f"runs/{record.best}") if record.best else None,
        missing=sum_up_lost(folder.missing),
    )
    check_classes(study, path)
    return study


def read_run(path: Path) -> LoneRunView:
    """Read a run folder, and the runs inside it: repeats, folds, a refit, an ensemble's snapshots.

    Raises:
        RecordError: the folder is no run, or a record is damaged.
    """
    folder = Folder(path)
    if not folder.has(STATUS):
        raise RecordError(
            f"{path} is neither a study nor a run; name a folder that `smallvision study` or "
            "`smallvision train` wrote"
        )
    run = read_run_view(folder, ".")
    places = {
        f"{kind} {name}": f"{inside}/{name}"
        for kind, inside in (("seed", SEEDS), ("fold", FOLDS))
        for name in sorted(list_folder(path / inside), key=by_size)
    }
    places |= {"refit": REFIT, "snapshots": SNAPSHOTS}
    inside = [
        read_run_view(folder, place, name)
        for name, place in places.items()
        if folder.has(f"{place}/{STATUS}")
    ]
    return LoneRunView(
        runs=(run, *inside),
        folder=path.resolve().name,
        split=folder.read_optional(SplitRecord, "split.json"),
        test=folder.read_optional(TestRecord, "test.json"),
        environment=folder.read_optional(Environment, "environment.json"),
        ensemble=folder.read_optional(EnsembleRecord, ENSEMBLE),
    )


def by_size(number: str) -> tuple[int, str]:
    """A key that sorts texts of digits by their value."""
    return len(number), number


def read_rung(folder: Folder, record: RungRecord, verdicts: LadderVerdicts | None) -> RungView:
    """Collect what a run folder and the verdicts say about one rung.

    Raises:
        RecordError: the rung's name is no folder name, or a record is damaged.
    """
    if not is_plain_name(record.name):
        raise RecordError(f"{folder.path / STUDY}: {record.name!r} is not a plain rung name")
    place = f"runs/{record.name}"
    if record.is_done and not folder.has(f"{place}/{STATUS}"):
        folder.missing.append(f"{place}/{STATUS} is missing: {record.name} has no figures.")
    ensemble = folder.read_optional(EnsembleRecord, f"{place}/{ENSEMBLE}")
    return RungView(
        record=record,
        run=read_run_view(folder, place, record.name),
        step=find_verdict(verdicts.steps if verdicts else (), record.name),
        against_best=find_verdict(verdicts.against_best if verdicts else (), record.name),
        tuning=folder.read_optional(TuningRecord, f"{place}/tune/tune.json"),
        ensemble=ensemble,
        snapshots=read_run_view(folder, f"{place}/{SNAPSHOTS}") if ensemble else None,
    )


def read_run_view(folder: Folder, place: str, name: str | None = None) -> RunView:
    """Read a run folder, whose name on the page is by default that of its status.

    Raises:
        RecordError: a record is damaged.
    """
    status = folder.read_optional(STATUS_MODEL, f"{place}/{STATUS}")
    return RunView(
        name=name or (status.name if status else place),
        status=status,
        epochs=folder.read_lines(EpochMetrics, f"{place}/{METRICS}"),
        schedule=folder.read_optional(LearningRateSchedule, f"{place}/schedule.json"),
        recipe=folder.read_text(f"{place}/recipe.toml"),
        recipe_diff=folder.read_text(f"{place}/recipe.diff.toml"),
        model=folder.read_optional(ModelRecord, f"{place}/model/model.json"),
        network=folder.read_optional(NetworkRecord, f"{place}/{NETWORK}"),
        seeds=folder.read_optional(SeedSummary, f"{place}/seeds.json"),
        folds=folder.read_optional(FoldSummary, f"{place}/{FOLDS_RECORD}"),
    )


def find_verdict(verdicts: tuple[Verdict, ...], rung: str) -> Verdict | None:
    """Find the verdict on a rung, or None."""
    return next((verdict for verdict in verdicts if verdict.rung == rung), None)


def check_classes(study: StudyView, path: Path) -> None:
    """Refuse records that contradict the number of classes.

    Raises:
        RecordError: a list has not one entry per class, or a record names a class out of range.
    """
    K = len(study.record.data.class_names)
    remedy = f"where {STUDY} names {K} classes; do the records belong together?"
    for place, length in count_entries(study):
        if length != K:
            raise RecordError(f"{path}/{place}: {length} entries {remedy}")
    for number in name_classes(study):
        if not 0 <= number < K:
            place = f"runs/{study.record.best}/errors/errors.json"
            raise RecordError(f"{path}/{place}: class {number} {remedy}")


def count_entries(study: StudyView) -> Iterator[tuple[str, int]]:
    """Each list that has one entry per class, with its length."""
    if study.exploration is not None:
        yield "exploration/exploration.json: counts", len(study.exploration.record.counts)
    if study.split is not None:
        yield "split.json: counts.train", len(study.split.counts.train)
        yield "split.json: counts.val", len(study.split.counts.val)
    if study.test is not None:
        yield "test.json: per_class", len(study.test.per_class)
        for row in (study.test.confusion, *study.test.confusion):
            yield "test.json: confusion", len(row)


def name_classes(study: StudyView) -> Iterator[int]:
    """Each class number that the error analysis names."""
    if study.errors is None:
        return
    record = study.errors.record
    for pair in record.pairs:
        yield from (pair.true, pair.predicted)
    for error in record.worst:
        yield from (error.true, error.predicted)
    for image in record.disagreements:
        yield from (image.true, *image.votes)
    for issue in record.label_issues.images:
        yield from (issue.given, issue.suggested)
