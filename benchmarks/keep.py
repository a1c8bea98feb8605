"""Keep the records of a study under `results/`, and write its table for README.md.

Weights are not kept, and neither are pictures, since these show images of the data set.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.hits import HITS, gather_hits
from benchmarks.records import Host, describe_place
from benchmarks.tables import Table
from smallvision.errors import RecordError
from smallvision.format import format_times
from smallvision.records import store
from smallvision.records.layout import ENVIRONMENT, STUDY, TEST, VERDICTS, run_folder
from smallvision.records.schema import (
    Environment,
    LadderVerdicts,
    StudyRecord,
    TestRecord,
    ValidatedRun,
    Verdict,
)
from smallvision.runs.finished_run import find_judged
from smallvision.runs.repeats import read_repeats

KEPT = (
    "study.json",
    "environment.json",
    "split.json",
    "exploration/exploration.json",
    "verdicts.json",
    "test.json",
    "ledger.jsonl",
    HITS,
    *(
        f"{run}/{name}"
        for run in ("runs/*", "runs/*/members/*", "runs/*/seeds/*", "runs/*/folds/*")
        for name in ("status.json", "recipe.toml", "metrics.jsonl", "schedule.json")
    ),
    "runs/*/ensemble.json",
    "runs/*/seeds.json",
    "runs/*/folds.json",
    "runs/*/errors/errors.json",
    "runs/*/tune/tune.json",
)


def keep(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of a finished study.")],
    target: Annotated[
        Path, typer.Argument(metavar="TARGET", help="Folder of its records, under results/.")
    ],
) -> None:
    """Copy the records of a finished study, and print its table.

    They replace the records that were kept in TARGET before, and nothing else.
    """
    known, other = target.resolve(), study.resolve()
    if known in (other, *other.parents) or other in known.parents:
        raise RecordError(f"{target} and {study} lie in each other; name another folder")
    found = {path for pattern in KEPT for path in target.glob(pattern)}
    here = {path for path in target.rglob("*") if path.is_file()}
    if here - found or (here and not (target / "study.json").exists()):
        raise RecordError(f"{target} holds more than records kept before; name another folder")
    if not (study / "test.json").exists():
        raise RecordError(f"{study} holds no finished study; finish it with --resume")
    # Earlier records are replaced once the new ones are known to be complete.
    beside = target.with_name(f"{target.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for pattern in KEPT:
        for path in sorted(study.glob(pattern)):
            place = beside / path.relative_to(study)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    if (hits := gather_hits(study)) is not None:
        store.write(beside / HITS, hits)
    block = list(write_block(beside))
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)
    print("\n".join(block))


def describe_test(test: TestRecord) -> str:
    """The test accuracy with its interval, and how often the test set was opened."""
    low, high = (f"{bound * 100:.2f}" for bound in test.interval)
    return (
        f"**{test.accuracy * 100:.2f} %** ({low} to {high}) on {test.n:,} images, opened "
        f"{format_times(test.openings)} for this model"
    )


def read_environment(folder: Path) -> Host:
    """Where a run or study was made."""
    return store.read(folder / ENVIRONMENT, Environment).extend(Host)


def describe_run_place(folder: Path, status: ValidatedRun, time: str) -> str:
    """Where, how and on which day a run was made."""
    assert status.compute is not None, "a finished run has been computed"
    return describe_place(read_environment(folder), status.compute, time)


def describe_verdict(step: Verdict | None) -> str:
    """A verdict in a few words."""
    if step is None:
        return ""
    if step.verdict == "cannot tell apart":
        return f"cannot be told apart from {step.against}"
    budget = " at this budget" if step.is_at_budget else ""
    return f"{step.verdict} than {step.against}{budget} by {abs(step.difference) * 100:.2f} points"


def write_block(folder: Path) -> Iterator[str]:
    """The rungs of a kept study as a table, then its test result and how it was obtained."""
    study = store.read(folder / STUDY, StudyRecord)
    steps = store.read(folder / VERDICTS, LadderVerdicts).steps
    verdicts = {step.rung: step for step in steps}
    statuses = {
        rung.name: find_judged(run_folder(folder, rung.name))
        for rung in study.rungs
        if rung.is_done
    }
    rows = []
    for name, status in statuses.items():
        accuracy, interval = status.val.accuracy, status.val.interval
        if (seeds := read_repeats(run_folder(folder, name))) is not None:
            accuracy, interval = seeds.mean, seeds.interval or interval
        low, high = (f"{bound * 100:.2f}" for bound in interval)
        rows.append(
            (
                f"**{name}**" if name == study.best else name,
                f"{accuracy * 100:.2f} ({low} to {high})",
                f"{status.train.accuracy * 100:.2f}",
                f"{status.parameters / 1e6:.2f} M",
                f"{status.seconds / 60:.1f}",
                describe_verdict(verdicts.get(name)),
            )
        )
    heads = "rung | validation % (95 % interval) | training % | parameters | minutes | verdict"
    yield Table(heads.split(" | "), rows).markdown()
    yield ""
    if study.best is None or study.finished is None:
        raise RecordError(f"{folder} holds no finished study; finish it with --resume")
    test, best = store.read(folder / TEST, TestRecord), statuses[study.best]
    runs = "One run of each rung (n = 1, "
    if study.folds > 1:
        runs = f"Each rung cross-validated in {study.folds} folds ("
    if study.seeds > 1:
        which = ", ".join(study.repeat or ["each rung but the ensemble"])
        runs = f"{study.seeds} runs of {which}, reported as their mean; one run of the others ("
    began, ended = map(datetime.fromisoformat, (study.created, study.finished))
    yield (
        f"Test of `{test.model}`: {describe_test(test)}. {runs}seed {study.seed}), preset "
        f"`{study.preset}`, validated on {best.val.n:,} images; "
        f"{describe_run_place(folder, best, study.created)}. From start to report: "
        f"{(ended - began).total_seconds() / 60:.1f} minutes."
    )
