"""Looks at the folder of a study, a run or a search, and says what its records say.

Nothing in the folder is written and no lock is taken, so whoever works there notices nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from smallvision.errors import RecordError
from smallvision.format import format_count, tell_folds
from smallvision.records.layout import (
    ENSEMBLE,
    FOLDS,
    FOLDS_RECORD,
    METRICS,
    REFIT,
    SCHEDULE,
    SEEDS,
    SEEDS_RECORD,
    SNAPSHOTS,
    STATUS,
    STUDY,
    TEST,
    TRIALS,
    TUNE,
    run_folder,
)
from smallvision.records.locks import LockOwner, is_passing, read_owner
from smallvision.records.nofollow import find_records, is_folder, list_folder
from smallvision.records.schema import (
    AnyRun,
    EpochMetrics,
    FoldSummary,
    LearningRateSchedule,
    RungRecord,
    RunStatus,
    SeedSummary,
    StudyRecord,
    TestRecord,
    TuningRecord,
    UnfinishedRun,
)
from smallvision.reporting.reader import by_size
from smallvision.reporting.view import RunView
from smallvision.watching.record_cache import RecordCache
from smallvision.watching.remaining import add_up, count_workers, expect_step, expect_steps
from smallvision.watching.snapshot import Snapshot, Step, StepState, Training, WorkState

STATUS_MODEL = cast("type[RunStatus]", AnyRun)  # a union of the classes of a status
MARKERS = (STUDY, TUNE, STATUS)
RERUN = "rerun"
SHOWN_TRIALS = 3  # of a search: those under way, or the last ones


def check_watchable(folder: Path) -> None:
    """Refuse what is no folder of a study, a run or a search, and will not become one.

    A folder that is empty or not there yet may be one that is about to be written.

    Raises:
        RecordError: it is a file, or a folder of something else.
    """
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file; name the folder of a study or of a run")
    names = list_folder(folder)
    if set(MARKERS) & set(names) or find_owner(folder) is not None:
        return
    if not all(map(is_passing, names)):
        raise RecordError(
            f"{folder} is neither a study nor a run; name the folder that `smallvision study`, "
            "`train` or `tune` writes"
        )


def find_owner(folder: Path) -> LockOwner | None:
    """Who is at work in a folder, or around it, and is running as far as can be found out."""
    owners = map(read_owner, (folder, *reversed(find_records(folder / STATUS))))
    return next((owner for owner in owners if owner is not None and owner.is_alive), None)


class Watcher:
    """Looks at a folder again and again.

    Args:
        folder: of a study, a run or a search; it may be empty or not be there yet.

    Raises:
        RecordError: it is something else.
    """

    def __init__(self, folder: Path) -> None:
        check_watchable(folder)
        self.folder = folder
        self.records = RecordCache()
        self.settled: dict[str, Step] = {}  # rungs whose records will not change

    def look(self) -> Snapshot:
        """Say what the records say now; what cannot be read is told among the faults."""
        now = time.time()
        self.records.begin()
        owner = find_owner(self.folder)
        study = self.records.read(self.folder / STUDY, StudyRecord)
        search = None if study else self.records.read(self.folder / TUNE, TuningRecord)
        status = None if study or search else self.read_status(self.folder)
        if study is not None:
            seen = self.see_study(study, now, is_alive=owner is not None)
        elif search is not None:
            seen = self.see_lone_search(search, now, is_alive=owner is not None)
        elif status is not None:
            seen = self.see_lone_run(status, now, is_alive=owner is not None)
        else:
            seen = Snapshot(self.folder, "work", self.folder.resolve().name, "waiting")
            if owner is not None:
                seen = replace(seen, phase="reading the images and making a plan")
        return replace(
            seen,
            host="" if owner is None or owner.is_here else owner.host,
            faults=tuple(self.records.faults.values()),
            written=self.records.find_newest(),
            taken=now,
        )

    def see_study(self, study: StudyRecord, now: float, *, is_alive: bool) -> Snapshot:
        """A study: its rungs, what it does now, and the time that is left."""
        is_told = study.finished and "report.html" in self.list_names(self.folder)
        is_over = is_told or (study.finished and not is_alive)
        state: WorkState = "finished" if is_over else "running" if is_alive else "interrupted"
        begun = set(self.list_names(self.folder / "runs"))
        pairs = [
            (rung, self.see_rung(rung, study, begun, is_alive=is_alive)) for rung in study.rungs
        ]
        workers = count_workers(study.command, [step for _, step in pairs])
        steps = expect_steps(study.budget, pairs, now, workers=workers)
        kept = study.budget.kept_seconds if study.budget else 0.0
        spent = study.spent_seconds
        if state == "running":  # the record was written last when the rung under way was begun
            spent += max(0.0, now - self.records.find_written(self.folder / STUDY))
        return Snapshot(
            self.folder,
            "study",
            study.name,
            state,
            steps,
            data=describe_data(study),
            phase=find_phase(study, steps) if state == "running" else "",
            command=study.command,
            budget_seconds=study.budget.seconds if study.budget else None,
            spent_seconds=spent,
            left_seconds=0.0 if state == "finished" else add_up(steps, kept),
            best=study.best,
            test=self.records.read(self.folder / TEST, TestRecord),
        )

    def see_rung(
        self, rung: RungRecord, study: StudyRecord, begun: set[str], *, is_alive: bool
    ) -> Step:
        """A rung with the trainings that were begun for it."""
        if rung.name in self.settled and rung.is_done:
            return self.settled[rung.name]
        name, note = rung.name, rung.error or rung.note or ""
        if rung.status == "skipped":
            why = note.removeprefix("left out: ") or "--rungs does not name it"
            return Step(name, "left out", rung.question, why)
        place = run_folder(self.folder, name)
        search: TuningRecord | None = None
        trainings: tuple[Training, ...] = ()
        if name in begun:
            search = self.records.read(place / "tune" / TUNE, TuningRecord)
            is_under_way = is_alive and rung.status == "running"
            trainings = tuple(self.find_trainings(place, search, is_under_way=is_under_way))
        repeated = study.seeds if rung.slot in (study.repeat or {rung.slot}) else 1
        step = Step(
            name,
            tell_step(rung, trainings, is_alive=is_alive),
            rung.question,
            note,
            trainings,
            runs_expected=study.folds + repeated - 1,
            search=search,
        )
        may_change = study.finished is None and name == study.best  # by a refit
        if rung.is_done and not may_change and not self.records.faults:
            self.settled[name] = step
        return step

    def find_trainings(
        self, run: Path, search: TuningRecord | None, *, is_under_way: bool
    ) -> Iterator[Training]:
        """Each training that was begun in the folder of a run, the run itself first.

        Args:
            run: the folder.
            search: that comes before the run, if one does.
            is_under_way: whether somebody is at work on the run; which of its trainings that is
                follows from their states.
        """
        folds = sorted(self.list_names(run / FOLDS), key=by_size)
        seeds = sorted(self.list_names(run / SEEDS), key=by_size)
        places = {"": run}
        places |= {f"fold {name}": run / FOLDS / name for name in folds}
        places |= {f"seed {name}": run / SEEDS / name for name in seeds}
        places |= {"snapshots": run / SNAPSHOTS}
        places |= {f"snapshots, fold {name}": run / FOLDS / name / SNAPSHOTS for name in folds}
        places |= {"refit": run / REFIT}
        found = [self.see_training(label, place, is_under_way) for label, place in places.items()]
        yield from (one for one in found if one is not None)
        if search is not None:
            yield from self.find_trials(run / "tune", search, is_under_way=is_under_way)

    def find_trials(
        self, folder: Path, search: TuningRecord, *, is_under_way: bool
    ) -> Iterator[Training]:
        """The trials of a search that are under way, and the runs with which it is tested."""
        ended = {trial.number for trial in search.trials}
        names = [name for name in self.list_names(folder / TRIALS) if name.isdecimal()]
        for name in [name for name in names if int(name) not in ended][-SHOWN_TRIALS:]:
            trial = self.see_training(f"trial {int(name)}", folder / TRIALS / name, is_under_way)
            if trial is not None:
                yield trial
        for name in self.list_names(folder / RERUN):
            label = f"rerun {name.replace('-', ' with seed ')}"
            rerun = self.see_training(label, folder / RERUN / name, is_under_way)
            if rerun is not None:
                yield rerun

    def see_training(self, label: str, run: Path, is_under_way: bool) -> Training | None:
        """A training, or None where none was begun there."""
        status = self.read_status(run)
        if status is None:
            return None
        epochs = self.records.read_lines(run / METRICS, EpochMetrics)
        view = RunView(
            name=label or run.name,
            status=status,
            epochs=epochs,
            schedule=self.records.read(run / SCHEDULE, LearningRateSchedule),
            seeds=self.records.read(run / SEEDS_RECORD, SeedSummary),
            folds=self.records.read(run / FOLDS_RECORD, FoldSummary),
        )
        is_running = isinstance(status, UnfinishedRun) and status.status == "running"
        owner = read_owner(run) if is_running else None  # a worker has a lock of its own
        is_active = is_running and (is_under_way or (owner is not None and owner.is_alive))
        return Training(label, view, is_active, self.records.find_written(run / METRICS))

    def see_lone_run(self, status: RunStatus, now: float, *, is_alive: bool) -> Snapshot:
        """A run outside a study, with its repeats, folds and refit."""
        trainings = tuple(self.find_trainings(self.folder, None, is_under_way=is_alive))
        states = [one.run.status for one in trainings]
        unfinished = [one for one in states if isinstance(one, UnfinishedRun)]
        failed = next((one for one in unfinished if one.status != "running"), None)
        step_state: StepState = "done"
        if is_alive:
            step_state = "running"
        elif any(one.status == "running" for one in unfinished):
            step_state = "interrupted"
        elif isinstance(status, UnfinishedRun):
            step_state = "failed"
        of_step: dict[StepState, WorkState] = {"done": "finished"}
        note = (failed.error or "") if failed else ""
        step = Step(status.name, step_state, note=note, trainings=trainings)
        step = replace(step, left_seconds=expect_step(step, None, now))
        test = self.records.read(self.folder / TEST, TestRecord)
        is_ensemble = status.kind == "ensemble" or ENSEMBLE in self.list_names(self.folder)
        return Snapshot(
            self.folder,
            "ensemble" if is_ensemble else "run",
            status.name,
            of_step.get(step_state, cast("WorkState", step_state)),
            (step,),
            data=f"data set {status.data}",
            spent_seconds=step.seconds,
            left_seconds=step.left_seconds,
            test=test,
        )

    def see_lone_search(self, search: TuningRecord, now: float, *, is_alive: bool) -> Snapshot:
        """A search outside a study: its trials, and the runs with which the gain is tested."""
        trainings = tuple(self.find_trials(self.folder, search, is_under_way=is_alive))
        names = self.list_names(self.folder)
        is_over = search.rerun is not None or ("tuned.toml" in names and RERUN not in names)
        state: StepState = "running" if is_alive else "done" if is_over else "interrupted"
        note = search.rerun.sentence if search.rerun else ""
        step = Step(search.recipe, state, note=note, trainings=trainings, search=search)
        step = replace(step, left_seconds=expect_step(step, None, now))
        return Snapshot(
            self.folder,
            "search",
            self.folder.resolve().name,
            "finished" if state == "done" else cast("WorkState", state),
            (step,),
            budget_seconds=search.budget_seconds,
            spent_seconds=step.seconds,
            left_seconds=step.left_seconds,
        )

    def read_status(self, run: Path) -> RunStatus | None:
        """The status of a run, or None where there is no run."""
        status: RunStatus | None = self.records.read(run / STATUS, STATUS_MODEL)
        return status

    def list_names(self, folder: Path) -> list[str]:
        """The names in a folder; none where it cannot be listed."""
        try:
            return list_folder(folder) if is_folder(folder) else []
        except RecordError as error:
            self.records.faults[folder] = str(error)
            return []


def tell_step(rung: RungRecord, trainings: tuple[Training, ...], *, is_alive: bool) -> StepState:
    """How far a rung is: by its entry, and by its runs where workers train ahead of that."""
    if rung.status in ("done", "failed"):
        return "done" if rung.status == "done" else "failed"
    if any(one.is_active for one in trainings):
        return "running"
    if rung.status == "running":
        return "running" if is_alive else "interrupted"
    if not trainings:
        return "planned"
    return "trained" if all(one.is_done for one in trainings) else "planned"


def find_phase(study: StudyRecord, steps: tuple[Step, ...]) -> str:
    """What a study does while no rung is trained; empty while one is."""
    if any(step.state == "running" for step in steps):
        return ""
    if any(step.state in ("planned", "trained") for step in steps):
        begun = any(rung.is_done for rung in study.rungs)
        return "going on to the next rung" if begun else "exploring the images"
    if study.best is None:
        return "comparing the rungs"
    return "testing the winner, explaining its errors and writing the report"


def describe_data(study: StudyRecord) -> str:
    """The data set of a study in words."""
    data = study.data
    C, H, W = data.shape
    return (
        f"{data.name}: {format_count(data.train_n)} {'grey' if C == 1 else 'colour'} images of "
        f"{H} × {W} pixels, {len(data.class_names)} classes{tell_folds(study.folds)}"
    )
