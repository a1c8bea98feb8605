"""Measure the time to a target accuracy: whole processes, with several seeds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer
from pydantic import computed_field

from benchmarks.options import OUT, TARGET, Out, Target
from benchmarks.records import (
    Measurement,
    Part,
    Summary,
    are_alike,
    describe_here,
    format_deviation,
    save,
    summarize,
)
from benchmarks.tables import Table
from benchmarks.training.process import time_process
from smallvision.cli.options import Data, DataDir, SettingsOption
from smallvision.data.loading.load import as_dataset
from smallvision.errors import FailedRunError, RecordError, SettingError
from smallvision.format import format_count, format_share
from smallvision.recipes import Recipe, override, recipe_for_target
from smallvision.recipes.builders import build_machine, check_fit
from smallvision.recipes.toml import sum_recipe
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.layout import STATUS
from smallvision.records.ledger import LEDGER

Split = Literal["val", "test"]
NAMES = {"val": "validation", "test": "test"}


class TimedRun(Part):
    """A run in a process of its own."""

    seed: int
    """Seed of the run."""
    accuracy: float
    """On validation or test images."""
    n: int
    """Number of these images."""
    seconds: float
    """From the start of the process to its end."""
    training_seconds: float
    """Training alone."""


class TimedRunRecord(Measurement):
    """`bench.json` in the folder of a run: what its time depends on."""

    kind: Literal["accuracy-run"] = "accuracy-run"
    data: str
    """Name of the data set."""
    split: Split
    """Images that the accuracy is of."""
    recipe_sum: str
    """SHA-256 of the recipe."""
    run: TimedRun
    """The run."""


class AccuracyRecord(Measurement):
    """`accuracy-SPLIT-TARGET.json`: several seeds of the recipe of a target."""

    title: ClassVar[str] = "Time to accuracy"

    kind: Literal["accuracy"] = "accuracy"
    data: str
    """Name or path of the data set."""
    target: float
    """Accuracy to reach."""
    split: Split
    """Images that the accuracy is of; before `test`, runs train on all other images."""
    settings: tuple[str, ...]
    """Overrides of the recipe's settings."""
    runs: tuple[TimedRun, ...]
    """One per seed."""

    @computed_field
    @property
    def n(self) -> int:
        """Number of images that the accuracy is of."""
        return self.runs[0].n

    @computed_field
    @property
    def accuracy(self) -> Summary:
        """Accuracy over the runs."""
        return summarize([run.accuracy for run in self.runs])

    @computed_field
    @property
    def seconds(self) -> Summary:
        """Time of the processes over the runs."""
        return summarize([run.seconds for run in self.runs])

    @computed_field
    @property
    def reached(self) -> float:
        """Fraction of the runs that reached the target."""
        return sum(run.accuracy >= self.target for run in self.runs) / len(self.runs)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words."""
        count = len(self.runs)
        points = format_deviation(self.accuracy, 100, 2)
        seconds = format_deviation(self.seconds, 1, 1)
        images = f"{format_count(self.n)} {NAMES[self.split]} images of {self.data}"
        return (
            f"{self.accuracy.mean * 100:.2f} % on {images} in {self.seconds.mean:.1f} s, from the "
            f"start of the process to its end: the mean of {count} "
            f"{'run' if count == 1 else 'runs'}.",
            *([f"Standard deviations: {points} points and {seconds} s."] if points else ()),
            f"{format_share(self.reached)} of the runs reached {format_share(self.target)}.",
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        return (
            Table(
                ("seed", "accuracy, %", "seconds", "of them training"),
                [
                    (
                        str(run.seed),
                        f"{run.accuracy * 100:.2f}",
                        f"{run.seconds:.1f}",
                        f"{run.training_seconds:.1f}",
                    )
                    for run in self.runs
                ],
                [run.seconds for run in self.runs],
            ),
        )


@dataclass(frozen=True)
class AccuracyGoal:
    """An accuracy to reach, and how runs train for it.

    Attributes:
        target: a fraction for which there is a recipe.
        split: `test` trains on all other images and opens the test set once a run; `val` trains
            on the training split and opens nothing.
        data: name or path of the data set.
        data_dir: where to look for a named data set first.
        settings: overrides such as `"epochs=6"`.
    """

    target: float
    split: Split = "test"
    data: str = "cifar10"
    data_dir: Path | None = None
    settings: tuple[str, ...] = ()

    def build_recipe(self, seed: int = 0) -> Recipe:
        """The recipe of a run.

        Raises:
            SettingError: no recipe was made for the target, or a setting is unknown.
        """
        return override(recipe_for_target(self.target), [*self.settings, f"seed={seed}"])

    def sum_recipe(self, seed: int = 0) -> str:
        """SHA-256 of the recipe of a run."""
        return sum_recipe(self.build_recipe(seed))

    def list_arguments(self, folder: Path, seed: int) -> Iterator[str]:
        """What Python is called with."""
        yield from ("-m", "smallvision", "train", self.data, "speednet")
        yield from ("--target", str(self.target), "--out", str(folder), "--json")
        if self.split == "test":
            yield from ("--refit", "--evaluate")
        if self.data_dir is not None:
            yield from ("--data-dir", str(self.data_dir))
        for setting in (*self.settings, f"seed={seed}"):
            yield from ("--set", setting)


def accuracy(
    data: Data = "cifar10",
    target: Target = TARGET,
    seeds: Annotated[int, typer.Option(min=1, help="Number of runs.")] = 5,
    on: Annotated[
        str,
        typer.Option(
            help="val, or test. With test, runs train on all other images and each opens the test "
            "set once."
        ),
    ] = "val",
    settings: SettingsOption = None,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of the runs, by default OUT/runs/ON-TARGET.")
    ] = None,
    data_dir: DataDir = None,
    out: Out = OUT,
) -> None:
    """Measure the time to a target accuracy, from the start of a process to its end."""
    if on not in ("val", "test"):
        raise SettingError(f"--on is '{on}'; expected val or test")
    split: Split = "test" if on == "test" else "val"
    goal = AccuracyGoal(target, split, data, data_dir, tuple(settings or ()))
    # A setting that is misspelt or does not fit is found before hours of training.
    check_fit(goal.build_recipe(), as_dataset(data, data_dir).train.shape)
    make_folder(out)
    name = f"{on}-{target:g}"
    record = measure_accuracy(goal, runs or out / "runs" / name, seeds)
    save(record, out, f"accuracy-{name}")


def measure_accuracy(goal: AccuracyGoal, folder: Path, seeds: int) -> AccuracyRecord:
    """Train the recipe of a target with seeds from 0 on, each in a process of its own.

    Args:
        goal: what the runs train for.
        folder: where the runs lie, `seed-0` and so on. A finished run that lies there is not
            repeated, so that no seed is tried twice. A run that was cut short is, since its time
            counts from its start.
        seeds: number of runs.

    Raises:
        FailedRunError: a run did not finish.
        DataError: there is no such data set.
        RecordError: a run in the folder is of another recipe, other images or another machine, or
            it opened the test set and was cut short.
        SettingError: no recipe was made for this target, or a setting does not fit the images.
    """
    name = as_dataset(goal.data, goal.data_dir).name
    head = describe_here(build_machine(goal.build_recipe()))
    here = Measurement(kind="accuracy", **head)
    runs = []
    for seed in range(seeds):
        place = folder / f"seed-{seed}"
        recipe_sum = goal.sum_recipe(seed)
        record = store.read_if_there(place / "bench.json", TimedRunRecord)
        if record is None:
            run = time_run(goal, place, seed)
            record = TimedRunRecord(
                **head, data=name, split=goal.split, recipe_sum=recipe_sum, run=run
            )
            store.write(place / "bench.json", record)
        if (record.data, record.split, record.recipe_sum) != (name, goal.split, recipe_sum):
            raise RecordError(
                f"{place} holds a run of another recipe or on other images; "
                "name another folder with --runs"
            )
        if not are_alike(record, here):
            raise RecordError(
                f"{place} holds a run on another machine; name another folder with --runs"
            )
        runs.append(record.run)
        print(
            f"seed {seed}: {record.run.accuracy * 100:.2f} % after {record.run.seconds:.1f} s",
            flush=True,
        )
    return AccuracyRecord(
        **head,
        data=goal.data,
        target=goal.target,
        split=goal.split,
        settings=goal.settings,
        runs=tuple(runs),
    )


def time_run(goal: AccuracyGoal, folder: Path, seed: int) -> TimedRun:
    """Train one seed in a process of its own.

    Raises:
        FailedRunError: the run did not finish.
        RecordError: a run in the folder opened the test set and was cut short.
        SettingError: the run was refused.
    """
    if (folder / LEDGER).exists():
        raise RecordError(
            f"{folder} opened the test set, and was cut short before its time was written; "
            "name another folder with --runs"
        )
    if (folder / STATUS).exists():
        shutil.rmtree(folder)
    try:
        seconds, said = time_process([*goal.list_arguments(folder, seed)])
    except (FailedRunError, SettingError) as error:
        raise type(error)(f"{folder}: {error}") from error
    measured = said[goal.split]
    return TimedRun(
        seed=seed,
        accuracy=measured["accuracy"],
        n=measured["n"],
        seconds=seconds,
        training_seconds=said["seconds"],
    )
