"""Time the headline command beside a peer, in turns, from the start of a process to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar, Literal

import typer
from pydantic import computed_field

from benchmarks.options import OUT, TARGET, Out, Target
from benchmarks.records import (
    BENCH,
    Part,
    RecipeMeasurement,
    Summary,
    continue_record,
    describe_here,
    describe_place,
    format_deviation,
    format_summary,
    summarize,
)
from benchmarks.tables import Table
from benchmarks.training.accuracy import AccuracyGoal, time_run
from benchmarks.training.process import time_process
from smallvision.cli.options import DataDir
from smallvision.compute.machine import choose_machine
from smallvision.errors import SettingError
from smallvision.format import format_share
from smallvision.records import store
from smallvision.records.files import make_folder

OURS, PEER = "smallvision", "airbench94_muon"


class RaceRun(Part):
    """A run in a process of its own."""

    seconds: float
    """From the start of the process to its end."""
    accuracy: float
    """On test images."""


class RaceRecord(RecipeMeasurement):
    """`race-TARGET.json`: the package and a peer, which took turns on one machine."""

    title: ClassVar[str] = "Beside a peer"

    kind: Literal["race"] = "race"
    runs: dict[str, tuple[RaceRun, ...]]
    """By competitor."""

    @computed_field
    @property
    def seconds(self) -> dict[str, Summary]:
        """Time over the runs of each competitor that has run."""
        return {
            name: summarize([run.seconds for run in runs])
            for name, runs in self.runs.items()
            if runs
        }

    @computed_field
    @property
    def accuracy(self) -> dict[str, Summary]:
        """Accuracy over the runs of each competitor that has run."""
        return {
            name: summarize([run.accuracy for run in runs])
            for name, runs in self.runs.items()
            if runs
        }

    @computed_field
    @property
    def ratio(self) -> float | None:
        """Mean time of the package divided by that of the peer; null until both have run."""
        times = self.seconds
        return times[OURS].mean / times[PEER].mean if {OURS, PEER} <= times.keys() else None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words."""
        if self.ratio is None:
            return ("One of the two has not run yet.",)
        return (
            f"{OURS} takes {self.ratio:.2f} of the peer's time with the recipe for "
            f"{format_share(self.target)}, from the start of a process to its test accuracy; both "
            "took turns on one machine.",
        )

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        return (
            Table(
                ("program", "runs", "seconds, mean", "deviation", "accuracy, %", "deviation"),
                [
                    (
                        name,
                        str(len(self.runs[name])),
                        f"{seconds.mean:.1f}",
                        format_deviation(seconds, 1, 1),
                        f"{self.accuracy[name].mean * 100:.2f}",
                        format_deviation(self.accuracy[name], 100, 2),
                    )
                    for name, seconds in self.seconds.items()
                ],
                [seconds.mean for seconds in self.seconds.values()],
            ),
        )


def race(
    peer: Annotated[
        Path, typer.Argument(metavar="PEER", help="A fetched copy of airbench94_muon.py.")
    ],
    target: Target = TARGET,
    runs: Annotated[int, typer.Option(min=1, help="Runs of smallvision.")] = 5,
    peer_runs: Annotated[int, typer.Option(min=1, help="Runs of the peer.")] = 2,
    data_dir: DataDir = None,
    out: Out = OUT,
) -> None:
    """Time `smallvision train --target` beside a peer; each run opens the test set once.

    Each round runs smallvision with the next seed, then the peer, ported to the CPU, each in a
    process of its own. Only the peer's time is compared, so it needs fewer runs. With nothing else
    on the machine a round takes a quarter or half an hour on two cores. The record is written after
    every run, and a later call continues it.
    """
    if not peer.is_file():
        raise SettingError(f"there is no {peer}; name a copy of airbench94_muon.py")
    goal = AccuracyGoal(target, data_dir=data_dir)
    path = make_folder(out) / f"race-{target:g}.json"
    fresh = RaceRecord(
        **describe_here(choose_machine()),
        recipe_sum=goal.sum_recipe(),
        target=target,
        runs={OURS: (), PEER: ()},
    )
    record = continue_record(path, fresh)
    for seed, name in list_turns({OURS: runs, PEER: peer_runs}):
        done = record.runs[name]
        if seed < len(done):
            continue
        run = run_ours(goal, seed) if name == OURS else run_peer(peer, data_dir)
        record = record.model_copy(update={"runs": {**record.runs, name: (*done, run)}})
        store.write(path, record)
        print(f"round {seed + 1}: {name} {run}, ratio {record.ratio}", flush=True)
    record.show()


def list_turns(wanted: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """Who runs when: in every round each competitor that has runs left."""
    for seed in range(max(wanted.values())):
        yield from ((seed, name) for name, count in wanted.items() if seed < count)


def run_ours(goal: AccuracyGoal, seed: int) -> RaceRun:
    """One run of the headline command."""
    with TemporaryDirectory() as place:
        run = time_run(goal, Path(place) / "run", seed)
    return RaceRun(seconds=run.seconds, accuracy=run.accuracy)


def run_peer(source: Path, data_dir: Path | None) -> RaceRun:
    """One run of the peer."""
    data = [] if data_dir is None else [str(data_dir)]
    seconds, said = time_process(["-m", "benchmarks.peers.airbench_cpu", str(source), *data])
    return RaceRun(seconds=seconds, accuracy=said["accuracy"])


def write_block() -> Iterator[str]:
    """The table of docs/SPEED.md: a row for each record of which both have run."""
    rows = []
    for path in sorted(BENCH.glob("*/race-*.json")):
        record = store.read(path, RaceRecord)
        if record.ratio is None:
            continue
        place = describe_place(record.environment, record.machine, record.created)
        today = AccuracyGoal(record.target).sum_recipe()
        earlier = "" if record.recipe_sum == today else "; an earlier recipe"
        cells = [f"{record.target:g}", f"`{path.parent.name}`: {place}{earlier}"]
        for name in (OURS, PEER):
            accuracy, seconds = record.accuracy[name], record.seconds[name]
            cells.append(str(len(record.runs[name])))
            cells += [format_summary(accuracy, 100, 2), format_summary(seconds, 1, 0)]
        rows.append((*cells, f"**{record.ratio:.2f}**"))
    heads = "target | where | runs | test % | seconds | peer's runs | test % | seconds | ratio"
    yield Table(heads.split(" | "), rows).markdown()
