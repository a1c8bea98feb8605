"""What several processes cost: training by one process and by `torchrun`, on the same cores."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
import typer
from pydantic import computed_field

from benchmarks.options import OUT, Out, Rounds
from benchmarks.records import BENCH, Measurement, Part, describe_here, describe_place, save
from benchmarks.tables import Table
from smallvision.compute.machine import choose_machine
from smallvision.errors import FailedRunError, SettingError
from smallvision.format import format_count
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.layout import read_metrics

EPOCHS = 2  # the first one loads and warms up; the second is timed


class SharedTraining(Part):
    """One recipe, trained by one process with all threads and by several with one each."""

    recipe: str
    """Rung of the ladder."""
    batch_size: int
    """Images of a batch."""
    micro_batch: int
    """Images of a part, the same for both."""
    alone: tuple[float, ...]
    """Images a second of one process, in each round."""
    shared: tuple[float, ...]
    """Images a second of all processes together, in each round."""

    @computed_field
    @property
    def ratio(self) -> float:
        """Time with several processes divided by that with one: the median over rounds."""
        return statistics.median(
            one / several for one, several in zip(self.alone, self.shared, strict=True)
        )


class ProcessesRecord(Measurement):
    """`processes.json`: training on random images of 3x32x32, both ways in turns."""

    title: ClassVar[str] = "Several processes on the same cores"

    kind: Literal["processes"] = "processes"
    processes: int
    """How many train together; one process has as many threads."""
    images: int
    """Training images of an epoch."""
    trainings: tuple[SharedTraining, ...]
    """In the order in which they were named."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        heads = ("recipe", "batch", "part", "images/s, one", "several", "time")
        return (
            Table(
                heads,
                [show(training) for training in self.trainings],
                [training.ratio for training in self.trainings],
            ),
        )


def show(training: SharedTraining) -> tuple[str, ...]:
    """The figures of a recipe as text."""
    return (
        training.recipe,
        str(training.batch_size),
        str(training.micro_batch),
        format_count(round(statistics.median(training.alone))),
        format_count(round(statistics.median(training.shared))),
        f"{training.ratio:.2f}×",
    )


def processes(
    recipe: Annotated[list[str], typer.Argument(metavar="RECIPE", help="Rungs.")],
    count: Annotated[int, typer.Option(min=2, help="Processes; one has as many threads.")] = 2,
    batch_size: Annotated[int, typer.Option(min=2, help="Images of a batch.")] = 256,
    images: Annotated[int, typer.Option(min=1000, help="Training images of an epoch.")] = 8000,
    rounds: Rounds = 3,
    out: Out = OUT,
) -> None:
    """Compare training by one process and by several, which share the same cores."""
    if batch_size % count:
        raise SettingError(f"--batch-size must be a multiple of the {count} processes")
    make_folder(out)  # an unwritable place is found before measuring
    about = describe_here(choose_machine())
    with tempfile.TemporaryDirectory() as place:
        data = draw_data(Path(place) / "random.npz", images)
        trainings = []
        for name in recipe:
            sizes = (batch_size, batch_size // count)
            command = [str(data), name, *set_recipe(*sizes)]
            turns = [
                [time_training(Path(place), command, *ways) for ways in ((1, count), (count, 1))]
                for _ in range(rounds)
            ]
            alone, shared = zip(*turns, strict=True)
            training = SharedTraining(
                recipe=name,
                batch_size=sizes[0],
                micro_batch=sizes[1],
                alone=alone,
                shared=shared,
            )
            print(*show(training), flush=True)
            trainings.append(training)
    record = ProcessesRecord(**about, processes=count, images=images, trainings=tuple(trainings))
    save(record, out)


def draw_data(path: Path, images: int) -> Path:
    """A data set of random images in ten classes, a tenth as many of them to validate on."""
    rng = np.random.default_rng(0)
    parts: dict[str, np.ndarray] = {}
    for part, n in (("train", images), ("val", images // 10), ("test", 100)):
        parts[f"x_{part}"] = rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        parts[f"y_{part}"] = np.arange(n) % 10
    np.savez(path, allow_pickle=False, **parts)
    return path


def set_recipe(batch_size: int, micro_batch: int) -> list[str]:
    """Options that make the work the same both ways."""
    settings = (
        f"epochs={EPOCHS}",
        f"batch_size={batch_size}",
        f"micro_batch={micro_batch}",
        "stopping.patience=0",
    )
    return [part for setting in settings for part in ("--set", setting)]


def time_training(place: Path, command: Sequence[str], processes: int, threads: int) -> float:
    """Images a second in the last epoch of a training."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        run = Path(folder) / "run"
        many = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
        done = subprocess.run(
            [
                *(sys.executable, *(many if processes > 1 else ()), "-m", "smallvision", "train"),
                *(*command, "--set", f"compute.threads={threads}", "--out", str(run)),
            ],
            env={**os.environ, "SMALLVISION_CACHE": str(place / "cache")},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            lines = done.stderr.splitlines()
            said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
            raise FailedRunError((said or [f"a training ended with {done.returncode}"])[0])
        return read_metrics(run)[-1].images_per_second


def write_block() -> Iterator[str]:
    """What was measured on each machine, for docs/SCALING.md."""
    for path in sorted(BENCH.glob("*/processes.json")):
        record = store.read(path, ProcessesRecord)
        rounds = len(record.trainings[0].alone)
        yield f"On {describe_place(record.environment, record.machine, record.created)}:"
        yield ""
        yield (
            "| recipe | batch | part | images/s of one process, "
            f"{record.processes} threads | of {record.processes} processes, a thread each | time |"
        )
        yield "|---|---|---|---|---|---|"
        for training in record.trainings:
            yield f"| {' | '.join(show(training))} |"
        yield ""
        yield (
            f"Medians of {rounds} rounds, both ways in turns, on {format_count(record.images)} "
            "random images; the last column is time with several processes divided by time with "
            "one."
        )
