"""Measure what few images are enough for: subsets of CIFAR-10 stand for a user's own data."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar, Literal

import numpy as np
import typer

import smallvision as sv
from benchmarks.options import OUT, Out
from benchmarks.records import (
    RESULTS,
    GrowingMeasurement,
    Part,
    Summary,
    continue_record,
    describe_here,
    describe_place,
    format_deviation,
    format_summary,
    summarize,
)
from benchmarks.tables import Table
from benchmarks.training.baselines import Baseline, fit_cnn, fit_svc
from smallvision.cli.options import Data, DataDir, read_duration
from smallvision.compute.environment import describe_git
from smallvision.compute.machine import choose_machine
from smallvision.data.dataset import DataSet
from smallvision.data.dry_run import make_dry_run
from smallvision.data.loading.load import as_dataset
from smallvision.data.split import Split, make_split, split_stratified
from smallvision.errors import FailedRunError, RecordError, SettingError, nearest
from smallvision.evaluation.open_test import open_test
from smallvision.format import format_count, format_duration, format_share, format_short_count
from smallvision.recipes import read_run_recipe
from smallvision.recipes.presets import choose_subset
from smallvision.records import store
from smallvision.records.files import make_folder, now
from smallvision.records.layout import TEST, run_folder
from smallvision.records.ledger import LEDGER
from smallvision.records.schema import TestRecord
from smallvision.runs.finished_run import find_judged, find_validated
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.paired import Correct

GOALS = {1_000: 0.68, 5_000: 0.85, 10_000: 0.89}  # mean test accuracy by number of images
DRY_SIZE, DRY_SECONDS = 160, 16.0


class Score(Part):
    """An accuracy on validation or test images."""

    accuracy: float
    """Share of the images that are classified correctly."""
    interval: tuple[float, float]
    """Wilson's 95 % interval, but for the validation of a study in folds."""
    n: int
    """Number of images."""


class SubsetRun(Part):
    """A method on one subset."""

    images: int
    """Images that were asked for; the shares of the classes may round to some more or fewer."""
    seed: int
    """Of the subset, its split and the training."""
    method: str
    """A key of `METHODS`."""
    val: Score
    """On the validation images that the model was chosen by."""
    test: Score
    """On the official test images, opened once for this model."""
    seconds: float
    """From the images in memory to the model; of a study, to its report."""
    chosen: str
    """What was planned and chosen, in words."""
    time: str
    """When it began, ISO 8601 in UTC."""
    commit: str | None
    """Commit of the source tree; null for an installed package."""


class SubsetsRecord(GrowingMeasurement):
    """`subsets-LABEL.json`: the package and two baselines on few images."""

    title: ClassVar[str] = "Few images"
    same: ClassVar[Mapping[str, str]] = {"data_fingerprint": "data set", "budget_seconds": "budget"}

    kind: Literal["subsets"] = "subsets"
    label: str
    """Name of this version of the package, such as `before`."""
    data: str
    """Name or path of the data set."""
    data_fingerprint: str
    """Fingerprint of its training images."""
    budget_seconds: float
    """Time that the package was given for a subset."""
    runs: tuple[SubsetRun, ...] = ()
    """In the order in which they ended."""

    def find(self, images: int, seed: int, method: str) -> SubsetRun | None:
        """The run of a method on a subset, if it is there."""
        key = (images, seed, method)
        return next((run for run in self.runs if (run.images, run.seed, run.method) == key), None)

    @property
    def rows(self) -> dict[tuple[int, str], SubsetRow]:
        """The runs over seeds, by number of images and method."""
        return {
            key: SubsetRow(tuple(run for run in self.runs if (run.images, run.method) == key))
            for key in sort_keys({(run.images, run.method) for run in self.runs})
        }

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words."""
        return tuple(
            f"{format_count(images)} images: {method} has {row.test.mean * 100:.2f} % on average; "
            f"the goal is {format_share(GOALS[images])}."
            for (images, method), row in self.rows.items()
            if self.data == "cifar10" and method in OURS and images in GOALS
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        return (
            Table(
                ("images, method", "seeds", "validation, %", "test, %", "deviation", "minutes"),
                [
                    (
                        f"{format_count(images)}, {method}",
                        str(len(row.runs)),
                        f"{row.val.mean * 100:.2f}",
                        f"{row.test.mean * 100:.2f}",
                        format_deviation(row.test, 100, 2),
                        f"{row.minutes:.1f}",
                    )
                    for (images, method), row in self.rows.items()
                ],
                [1 - row.test.mean for row in self.rows.values()],
            ),
        )


@dataclass(frozen=True)
class SubsetRow:
    """The runs of one method on as many images, one per seed."""

    runs: tuple[SubsetRun, ...]

    @property
    def val(self) -> Summary:
        """Validation accuracy over the runs."""
        return summarize([run.val.accuracy for run in self.runs])

    @property
    def test(self) -> Summary:
        """Test accuracy over the runs."""
        return summarize([run.test.accuracy for run in self.runs])

    @property
    def minutes(self) -> float:
        """Mean time of a run."""
        return summarize([run.seconds / 60 for run in self.runs]).mean


@dataclass(frozen=True)
class SubsetJob:
    """A method that is to be measured on one subset.

    Attributes:
        method: a key of `METHODS`.
        data: the subset, with the sealed test set.
        seed: of its split and the training.
        seconds: time that the method is given.
        folder: of the run, new.
        command: for the ledger.
        dry_run: a study makes a dry run of its first rung, as the seconds are too short for more.
    """

    method: str
    data: DataSet
    seed: int
    seconds: float
    folder: Path
    command: str
    dry_run: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a method reached; the fields are those of `SubsetRun`."""

    val: Score
    test: Score
    seconds: float
    chosen: str


def train_speednet(job: SubsetJob, *, refit: bool = False) -> Outcome:
    """`smallvision train DATA speednet --budget TIME --evaluate`."""
    began = time.perf_counter()
    run = sv.train(
        job.data,
        "speednet",
        budget_seconds=job.seconds,
        out=job.folder,
        settings=[f"seed={job.seed}"],
        refit=refit,
    )
    seconds = time.perf_counter() - began
    test = sv.evaluate(run, job.data, command=job.command).record
    status, recipe = find_validated(run)[1], read_run_recipe(job.folder)
    chosen = (
        f"{format_short_count(status.parameters)} parameters, "
        f"{recipe.epochs * recipe.passes} passes, best after {status.best_epoch * recipe.passes}"
    )
    return Outcome(status.val.extend(Score), test.extend(Score), seconds, chosen)


def refit_speednet(job: SubsetJob) -> Outcome:
    """The same with `--refit`, within the same budget."""
    return train_speednet(job, refit=True)


def run_study(job: SubsetJob) -> Outcome:
    """`smallvision study DATA --budget TIME`, which opens the test set for its winner."""
    began = time.perf_counter()
    plan = sv.StudyPlan(
        budget_seconds=job.seconds,
        settings=(f"seed={job.seed}",),
        rungs=("linear",) if job.dry_run else (),
        dry_run=job.dry_run,
        command=job.command,
    )
    best = sv.run_study(job.data, job.folder, plan).best
    seconds = time.perf_counter() - began
    if best is None:
        raise FailedRunError(f"the study in {job.folder} has no winner")
    val = find_judged(run_folder(job.folder, best)).val
    test = store.read(job.folder / TEST, TestRecord)
    return Outcome(val.extend(Score), test.extend(Score), seconds, f"winner {best}")


def measure_baseline(job: SubsetJob, fit: Callable[[Split], Baseline]) -> Outcome:
    """A baseline on the split that the package would take."""
    began = time.perf_counter()
    baseline = fit(make_split(job.data.train, seed=job.seed))
    seconds = time.perf_counter() - began
    images, _ = open_test(
        job.data,
        make_folder(job.folder),
        study=job.folder.name,
        model=job.method,
        command=job.command,
    )
    test = score_hits(baseline.predict(np.asarray(images.images)) == images.labels)
    return Outcome(score_hits(baseline.right), test, seconds, baseline.chosen)


def measure_svc(job: SubsetJob) -> Outcome:
    """scikit-learn's SVC, which takes the time it needs."""
    return measure_baseline(job, lambda split: fit_svc(job.data.train, split))


def measure_cnn(job: SubsetJob) -> Outcome:
    """A plain convolutional network."""
    return measure_baseline(
        job, lambda split: fit_cnn(job.data.train, split, seconds=job.seconds, seed=job.seed)
    )


def score_hits(right: Correct) -> Score:
    """The accuracy of answers that are right or not."""
    hits, n = int(right.sum()), len(right)
    return Score(accuracy=hits / n, interval=wilson_interval(hits, n), n=n)


OURS: Mapping[str, Callable[[SubsetJob], Outcome]] = {
    "speednet": train_speednet,
    "speednet-refit": refit_speednet,
    "study": run_study,
}
CNN = "tutorial-cnn"
METHODS = {**OURS, "svc": measure_svc, CNN: measure_cnn}


def sort_keys(keys: set[tuple[int, str]]) -> list[tuple[int, str]]:
    """Numbers of images and methods in the order of the tables."""
    names = list(METHODS)
    return sorted(keys, key=lambda key: (key[0], names.index(key[1])))


def subsets(
    data: Data = "cifar10",
    sizes: Annotated[
        str, typer.Option(help="Numbers of images, separated by commas.")
    ] = "1000,5000,10000",
    seeds: Annotated[int, typer.Option(min=1, help="Number of subsets of each size.")] = 3,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Time for the package on one subset, such as 1h.")
    ] = "1h",
    methods: Annotated[
        str,
        typer.Option(
            help="Separated by commas: speednet, speednet-refit, study, svc, tutorial-cnn. The "
            "last trains for as long as the first of the package's own took."
        ),
    ] = "speednet,svc,tutorial-cnn",
    label: Annotated[
        str, typer.Option(help="Name of the record, such as before or after a change.")
    ] = "now",
    runs: Annotated[
        Path | None,
        typer.Option(help="Folder of the runs, by default bench/runs/subsets-LABEL."),
    ] = None,
    data_dir: DataDir = None,
    out: Out = OUT,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Do all of it with few images, and keep nothing. The seal stays."
        ),
    ] = False,
) -> None:
    """Measure what the package reaches on few images, beside an SVC and a plain network.

    Each subset is drawn from all classes alike. Each model opens the official test images once. The
    record is written after every run, and a later call continues it, perhaps with more sizes, seeds
    or methods. By default it takes six hours on two modern cores, twenty at most.
    """
    seconds = DRY_SECONDS if dry_run else read_duration(budget)
    chosen, counts = choose_methods(methods), [DRY_SIZE] if dry_run else read_sizes(sizes)
    for size in counts:
        if choose_subset(size, seconds) is not None:
            raise SettingError(
                f"in {format_duration(seconds)} the package would leave out some of "
                f"{format_count(size)} images; name a longer --budget"
            )
    whole = as_dataset(data, data_dir)
    if dry_run:
        whole, seeds = make_dry_run(whole, seed=0), 1
    if max(counts) >= len(whole.train):
        raise SettingError(
            f"--sizes names {format_count(max(counts))} images; expected fewer than the "
            f"{format_count(len(whole.train))} training images"
        )
    fresh = SubsetsRecord(
        **describe_here(choose_machine()),
        label=label,
        data=data,
        data_fingerprint=whole.train.fingerprint,
        budget_seconds=seconds,
    )
    with TemporaryDirectory() as place:
        if dry_run:
            out, runs = Path(place), Path(place) / "runs"
        path = make_folder(out) / f"subsets-{label}.json"
        record = continue_record(path, fresh)
        folder = runs or OUT / "runs" / path.stem
        for seed, size, method in product(range(seeds), counts, chosen):
            if record.find(size, seed, method) is not None:
                continue
            leader = record.find(size, seed, chosen[0]) if method == CNN else None
            job = SubsetJob(
                method,
                take_subset(whole, size, seed),
                seed,
                seconds if leader is None else leader.seconds,
                folder / f"{size}-{seed}-{method}",
                fresh.command,
                dry_run,
            )
            run = measure(job, size)
            record = record.change(runs=(*record.runs, run))
            store.write(path, record)
            print(
                f"{format_count(size)} images, seed {seed}, {method}: "
                f"{run.test.accuracy * 100:.2f} % after {format_duration(run.seconds)}",
                flush=True,
            )
        record.show()


def choose_methods(text: str) -> list[str]:
    """The methods in `svc,speednet`, in the order of `METHODS`.

    Raises:
        SettingError: one is unknown, or none gives the plain network its time.
    """
    asked = [name.strip() for name in text.split(",")]
    for name in asked:
        if name not in METHODS:
            raise SettingError(f"unknown method '{name}'{nearest(name, METHODS)}")
    chosen = [name for name in METHODS if name in asked]
    if CNN in chosen and chosen[0] not in OURS:
        raise SettingError(f"{CNN} trains for as long as the package took; add speednet")
    return chosen


def read_sizes(text: str) -> list[int]:
    """The numbers in `1000,5000`.

    Raises:
        SettingError: one is no number of images.
    """
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise SettingError(f"--sizes is '{text}'; write it like 1000,5000")
    return sizes


def take_subset(data: DataSet, size: int, seed: int) -> DataSet:
    """A random subset of the training images, of all classes alike, beside the sealed test set."""
    train = data.train
    _, picked = split_stratified(
        train.labels, fraction=size / len(train), seed=seed, class_names=train.class_names
    )
    return replace(data, name=f"{data.name}-{size}", train=train.take(picked))


def measure(job: SubsetJob, size: int) -> SubsetRun:
    """Measure a method on a subset. A run that was cut short begins anew, as its time counts.

    Raises:
        RecordError: a run in the folder opened the test set and was cut short.
        UserError: the method failed.
    """
    if (job.folder / LEDGER).exists():
        raise RecordError(
            f"{job.folder} opened the test set, and was cut short before its figures were kept; "
            "name another folder with --runs"
        )
    if job.folder.exists():
        shutil.rmtree(job.folder)
    began, git = now(), describe_git()
    outcome = METHODS[job.method](job)
    return SubsetRun(
        images=size,
        seed=job.seed,
        method=job.method,
        time=began,
        commit=git.commit if git else None,
        **vars(outcome),
    )


def write_block() -> Iterator[str]:
    """The table of README.md: the kept records side by side, the earliest first."""
    records = [store.read(path, SubsetsRecord) for path in RESULTS.glob("subsets/subsets-*.json")]
    if records:
        yield from compare_records(sorted(records, key=lambda record: record.created))


def compare_records(records: list[SubsetsRecord]) -> Iterator[str]:
    """Records side by side as a table, then where each was made."""
    heads = ["images", "method"]
    for record in records:
        heads += [f"{record.label}: seeds", "test %", "minutes"]
    tables = [record.rows for record in records]
    rows = []
    for images, method in sort_keys({key for table in tables for key in table}):
        cells = [format_count(images), method]
        for table in tables:
            row = table.get((images, method))
            cells += (
                ["", "", ""]
                if row is None
                else [str(len(row.runs)), format_summary(row.test, 100, 2), f"{row.minutes:.1f}"]
            )
        rows.append(cells)
    yield Table(heads, rows).markdown()
    yield ""
    for record in records:
        place = describe_place(record.environment, record.machine, record.created)
        budget = format_duration(record.budget_seconds)
        yield f"- {record.label}: a budget of {budget} for each subset; {place}"
