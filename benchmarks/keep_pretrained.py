"""Put a distilled model into the package, and its records into `results/pretrained`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.keep import describe_run_place, describe_test
from benchmarks.records import RESULTS
from smallvision.records import store
from smallvision.records.layout import DISTILLED, TEST
from smallvision.records.model_folders import PRETRAINED
from smallvision.records.schema import Distillation, TestRecord
from smallvision.records.weights import copy_tensors
from smallvision.runs.finished_run import find_validated

RECORDS = RESULTS / "pretrained"
KEPT = (
    "status.json",
    "distilled.json",
    "test.json",
    "ledger.jsonl",
    "recipe.toml",
    "metrics.jsonl",
    "environment.json",
    "split.json",
)
NAME = "cifar10"


def keep_pretrained(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="A run of `smallvision distill` that `smallvision evaluate` tested."
        ),
    ],
) -> None:
    """Copy a distilled model into the package and its records into results/pretrained."""
    copy_tensors(run / "model", PRETRAINED / NAME)
    RECORDS.mkdir(exist_ok=True)
    for name in KEPT:
        shutil.copyfile(run / name, RECORDS / name)
    print("\n".join(write_block()))


def write_block() -> Iterator[str]:
    """The model in a sentence or two, for README.md."""
    status = find_validated(RECORDS)[1]
    test = store.read(RECORDS / TEST, TestRecord)
    distilled = store.read(RECORDS / DISTILLED, Distillation)
    teacher, cost = distilled.teacher, distilled.cost
    yield (
        f"`{NAME}`: test {describe_test(test)}; {status.val.accuracy * 100:.2f} % on "
        f"{status.val.n:,} validation images, where its teacher, `{teacher.name}`, has "
        f"{teacher.accuracy * 100:.2f} %. {status.parameters / 1e6:.2f} M parameters, "
        f"{status.size_bytes / 1e6:.1f} MB ({cost.size_ratio:.2f} of its teacher), "
        f"{cost.latency_ratio:.2f} of its teacher's time for an image; "
        f"{status.seconds / 60:.0f} minutes of training (n = 1). "
        f"{describe_run_place(RECORDS, status, test.time)}."
    )
