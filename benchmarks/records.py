"""What every measurement records, and how records are compared, continued and summarised.

A measurement is one file, a subclass of `Measurement` beside the code that makes it.
"""

from __future__ import annotations

import shlex
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, TypedDict, TypeVar

from pydantic import ConfigDict
from scipy.stats import sem, t

from benchmarks.tables import Table
from smallvision.compute.environment import describe_environment
from smallvision.compute.machine import Machine
from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import make_folder, now
from smallvision.records.schema.base import Record
from smallvision.records.schema.environment import GitState
from smallvision.records.schema.run import ComputeSettings
from smallvision.stats.intervals import CONFIDENCE

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
BENCH = RESULTS / "bench"  # a folder of records for each machine


class Part(Record):
    """A part of a measurement; fields that only earlier measurements had are ignored."""

    model_config = ConfigDict(extra="ignore")


class Host(Part):
    """The machine that was measured, and the versions on it."""

    python: str
    """Version of Python."""
    platform: str
    """Operating system."""
    processor: str
    """Name of the processor."""
    generation: str | None = None
    """Family and model of the processor; earlier measurements do not name it."""
    instructions: str | None = None
    """Widest vector instructions; the earliest measurements do not name them."""
    memory_bytes: int | None
    """Physical memory."""
    gpu: str | None
    """Name of the GPU."""
    versions: dict[str, str | None]
    """Versions of the packages that decide results."""
    git: GitState | None
    """Source tree; null for an installed package."""


class Measurement(Part):
    """A measurement: one file under `results/bench`."""

    title: ClassVar[str]

    kind: str
    """What was measured."""
    created: str
    """When it began, ISO 8601 in UTC."""
    command: str
    """The command that made it."""
    machine: ComputeSettings
    """How it computed."""
    environment: Host
    """Where it computed."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words."""
        return ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        return ()

    def show(self) -> None:
        """Print the measurement in the terminal."""
        for table in self.tables:
            table.show()
        for sentence in self.sentences:
            print(sentence)


class Head(TypedDict):
    """The fields of a measurement that do not depend on what is measured."""

    created: str
    command: str
    machine: ComputeSettings
    environment: Host


def describe_here(machine: Machine) -> Head:
    """The fields that say when, where and how this process measures."""
    return {
        "created": now(),
        "command": shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        "machine": machine.settings,
        "environment": Host.model_validate(describe_environment(), from_attributes=True),
    }


def save(record: Measurement, folder: Path, name: str | None = None) -> None:
    """Write a measurement into a folder, by default under the name of its kind, and show it."""
    path = make_folder(folder) / f"{name or record.kind}.json"
    store.write(path, record)
    record.show()
    print(f"Record: {path}", flush=True)


class Summary(Record):
    """A figure over several runs."""

    mean: float
    """Mean over the runs."""
    std: float | None
    """Sample standard deviation; null for a single run."""
    interval: tuple[float, float] | None
    """Student's 95 % interval of the mean; null for a single run."""


def summarize(values: Sequence[float]) -> Summary:
    """Summarise a figure of one run or more."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Summary(mean=mean, std=None, interval=None)
    half = float(t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * sem(values))
    return Summary(mean=mean, std=statistics.stdev(values), interval=(mean - half, mean + half))


def format_summary(summary: Summary, scale: float, digits: int, sign: str = "") -> str:
    """A mean with its standard deviation, if there is one; `sign` is "+" for a difference."""
    deviation = f" ± {summary.std * scale:.{digits}f}" if summary.std is not None else ""
    return f"{summary.mean * scale:{sign},.{digits}f}{deviation}"


def format_deviation(summary: Summary, scale: float, digits: int) -> str:
    """A standard deviation for a column of a table; empty for a single run."""
    return f"{summary.std * scale:.{digits}f}" if summary.std is not None else ""


def describe_place(host: Host, machine: ComputeSettings, time: str) -> str:
    """Where, how and on which day something was measured."""
    generation = f" ({host.generation})" if host.generation else ""
    threads = "1 thread" if machine.threads == 1 else f"{machine.threads} threads"
    return (
        f"{host.processor}{generation}, {threads}, {machine.precision}, "
        f"torch {host.versions['torch']}, {time[:10]}"
    )


def are_alike(one: Measurement, other: Measurement) -> bool:
    """Whether two measurements are of like machines, as far as both name theirs."""
    hosts = (one.environment, other.environment)
    named = (
        {getattr(host, field) for host in hosts} - {None}
        for field in ("processor", "instructions", "generation")
    )
    return one.machine == other.machine and all(len(values) < 2 for values in named)


class GrowingMeasurement(Measurement):
    """A measurement to which later calls add runs."""

    same: ClassVar[Mapping[str, str]]  # fields that all calls agree on, and their names for people


class RecipeMeasurement(GrowingMeasurement):
    """A measurement of one recipe, to which later calls add runs."""

    same: ClassVar[Mapping[str, str]] = {"recipe_sum": "recipe"}

    target: float = 0.94
    """Test accuracy that the recipe was made for."""
    recipe_sum: str
    """SHA-256 of the recipe."""


AnyGrowingMeasurement = TypeVar("AnyGrowingMeasurement", bound=GrowingMeasurement)


def continue_record(path: Path, fresh: AnyGrowingMeasurement) -> AnyGrowingMeasurement:
    """Read the record that runs are to be added to; without one, `fresh`.

    Raises:
        RecordError: the record is of another kind or machine, or differs in what has to be the
            same, such as the recipe.
    """
    known = store.read_if_there(path, type(fresh))
    if known is None:
        return fresh
    for field, name in fresh.same.items():
        if getattr(known, field) != getattr(fresh, field):
            raise RecordError(f"{path} is of another {name}; name another folder with --out")
    if not are_alike(known, fresh):
        raise RecordError(f"{path} was measured on another machine; name another folder with --out")
    return known
