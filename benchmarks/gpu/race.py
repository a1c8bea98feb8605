"""Entry 3 of QUEUE.md: 94 % and 96 % beside the fastest peers, in one call on one GPU."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Annotated, ClassVar, Literal

import typer
from pydantic import computed_field

import smallvision as sv
from benchmarks.gpu.options import DataFolder, DryRun, RecordFolder
from benchmarks.records import Measurement, Part, Summary, describe_here, summarize
from smallvision.compute.machine import choose_machine
from smallvision.errors import SettingError
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.runs.finished_run import find_finished

OURS = "smallvision"
PEERS = {0.94: ("airbench94_muon", "cifar10_speedrun"), 0.96: ("airbench96_faster",)}
TIME_LIMITS = {0.94: 240, 0.96: 360}  # seconds of a peer's process, which compiles for minutes
TINY = ("epochs=1", "model.widths=[8,8]", "batch_size=500")


class GpuRun(Part):
    """A run."""

    accuracy: float
    """On test images."""
    seconds: float
    """Of a peer, training and the final evaluation. Of the package, also writing the run folder
    and opening the test set."""
    training_seconds: float | None = None
    """Training alone, of the package."""


class Entrant(Part):
    """What one program came to."""

    runs: tuple[GpuRun, ...]
    """All runs after the first, which warms up."""
    besides_seconds: float | None = None
    """Time to the end of the first run beyond the median of the others, compilation above all; of
    a peer from the start of its process. Null without further runs."""
    error: str | None = None
    """Why a peer did not finish."""

    @computed_field
    @property
    def seconds(self) -> Summary | None:
        """Time over the runs; null without any."""
        return summarize([run.seconds for run in self.runs]) if self.runs else None

    @computed_field
    @property
    def accuracy(self) -> Summary | None:
        """Accuracy over the runs; null without any."""
        return summarize([run.accuracy for run in self.runs]) if self.runs else None


class GpuRaceRecord(Measurement):
    """`gpu-race-TARGET.json`: the package and its fastest peers on one GPU."""

    title: ClassVar[str] = "Beside peers on a GPU"

    kind: Literal["gpu-race"] = "gpu-race"
    target: float
    """Test accuracy that the recipes were made for."""
    dry_run: bool
    """Whether this is only a trial at tiny size."""
    entries: dict[str, Entrant]
    """By program."""


def race(
    peers: Annotated[
        Path,
        typer.Argument(
            metavar="PEERS", help="Folder of the files that benchmarks/peers/on_gpu.py names."
        ),
    ],
    data_dir: DataFolder,
    out: RecordFolder,
    target: Annotated[float, typer.Option(help="0.94 or 0.96.")] = 0.94,
    runs: Annotated[int, typer.Option(min=1, help="Runs after the first, which warms up.")] = 10,
    dry_run: DryRun = False,
) -> None:
    """Entry 3: a target accuracy beside the fastest peers.

    Each peer runs in a process of its own, the package in this one. The exit code is the number of
    peers that did not finish.
    """
    if target not in PEERS:
        raise SettingError(f"--target is {target:g}; expected 0.94 or 0.96")
    make_folder(out)
    count = 2 if dry_run else runs
    entries: dict[str, Entrant] = {}
    for name in (OURS, *PEERS[target]):
        if name == OURS:
            entries[name] = run_ours(target, data_dir, count, dry=dry_run)
        else:
            arguments = [f"{peers / name}.py", str(data_dir), str(count)]
            arguments += ["--dry-run"] if dry_run else []
            entries[name] = run_peer(arguments, TIME_LIMITS[target])
        record = GpuRaceRecord(
            **describe_here(choose_machine()), target=target, dry_run=dry_run, entries=entries
        )
        store.write(out / f"gpu-race-{target:g}.json", record)  # what is known so far
        print(f"{target:g}", name, entries[name].seconds, flush=True)
    raise typer.Exit(sum(entry.error is not None for entry in entries.values()))


def run_peer(arguments: Sequence[str], time_limit: int) -> Entrant:
    """The runs that a peer finished within the time limit, in seconds."""
    command = [sys.executable, "-m", "benchmarks.peers.on_gpu", *arguments]
    error = None
    with TemporaryFile("w+") as said, TemporaryFile("w+") as complained:
        try:
            subprocess.run(command, stdout=said, stderr=complained, timeout=time_limit, check=True)
        except subprocess.TimeoutExpired:
            error = f"it took more than {time_limit} s"
        except subprocess.CalledProcessError:
            complained.seek(0)
            error = complained.read()[-2000:]
        said.seek(0)
        lines = [json.loads(line) for line in said if line.startswith('{"accuracy"')]
    runs = [GpuRun.model_validate(line) for line in lines]
    return make_entrant(runs, first_seconds=lines[0]["ended"] if lines else 0.0, error=error)


def run_ours(target: float, data_dir: Path, count: int, *, dry: bool) -> Entrant:
    """Runs of the package in this process, with seeds from 0 on, after one that warms up."""
    dataset = sv.load_data("cifar10", data_dir=data_dir)
    dataset.train.fingerprint  # noqa: B018 - the data are read before time counts
    runs = []
    with TemporaryDirectory() as place:
        for seed in (count, *range(count)):
            began = time.perf_counter()
            run = sv.train(
                dataset,
                "speednet",
                target=target,
                refit=True,
                out=f"{place}/{seed}",
                settings=(f"seed={seed}", *(TINY if dry else ())),
            )
            accuracy = sv.evaluate(run, dataset).accuracy
            runs.append(
                GpuRun(
                    accuracy=accuracy,
                    seconds=time.perf_counter() - began,
                    training_seconds=find_finished(run)[1].seconds,
                )
            )
    return make_entrant(runs, first_seconds=runs[0].seconds)


def make_entrant(
    runs: Sequence[GpuRun], *, first_seconds: float, error: str | None = None
) -> Entrant:
    """Describe a program by its runs; the first only warms up, and ended after `first_seconds`."""
    rest = tuple(runs[1:])
    besides = first_seconds - statistics.median(run.seconds for run in rest) if rest else None
    return Entrant(runs=rest, besides_seconds=besides, error=error)
