"""One finished run in the terminal, with its repeats or its teacher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.tables import print_plain, print_verdict
from smallvision.format import (
    describe_class_means,
    format_accuracy,
    format_duration,
    format_fraction,
    format_interval,
    format_latency,
    format_percent,
    format_size,
    format_span,
    name_seeds,
)
from smallvision.records.layout import tell_state
from smallvision.records.schema import (
    AllImagesRun,
    Distillation,
    Rate,
    SeedSummary,
    UnfinishedRun,
    ValidatedRun,
)
from smallvision.text import show_name


def print_run(
    folder: Path, status: UnfinishedRun | ValidatedRun | AllImagesRun, console: PlainConsole
) -> None:
    """Print a finished run in two lines."""
    if isinstance(status, UnfinishedRun):
        console.print(f"{show_name(status.name)} is not finished ({tell_state(folder, status)}).")
        return
    epochs = f"{status.best_epoch} of {status.epochs_done} ({status.stopped})"
    training = f"{format_accuracy(status.train)} on clean training images"
    if isinstance(status, AllImagesRun):
        console.print(
            f"{show_name(status.name)}: trained on all images, so none is left to validate it on; "
            f"{training}; epoch {epochs}, {format_duration(status.seconds)}."
        )
    else:
        console.print(f"{state_validation(status)}, {training}; best weights from epoch {epochs}.")
        if status.course is not None:
            console.print(status.course.sentence)
    for note in status.notes:
        console.print(note)
    print_plain(console, f"Run: {folder}")
    print_plain(console, f"Its curves as a page: smallvision report {folder}")


def state_validation(status: ValidatedRun) -> str:
    """The name of a run and its validation accuracy with interval."""
    val = status.val
    return (
        f"{show_name(status.name)}: {format_accuracy(val)} on {val.n:,} validation images "
        f"(95 % interval {format_interval(val)})"
        f"{tell_class_means(val)}"
    )


def tell_class_means(rate: Rate) -> str:
    """Balanced accuracy and macro F1 to add to an accuracy; nothing where classes are even."""
    means = describe_class_means(rate.by_class, rate.n)
    return f", {means}" if means else ""


def print_distillation(
    student: ValidatedRun | UnfinishedRun | AllImagesRun,
    record: Distillation,
    console: PlainConsole,
) -> None:
    """Print a student beside its teacher: the verdict, and the cost."""
    verdict, teacher, cost = record.against_teacher, record.teacher, record.cost
    print_verdict(console, verdict.sentence, verdict.verdict)
    size = student.size_bytes if isinstance(student, ValidatedRun) else None
    console.print(
        f"One image takes {format_latency(cost.latency_ratio * teacher.latency_seconds)}, "
        f"{cost.latency_ratio:.2f} of what its teacher takes "
        f"({format_latency(teacher.latency_seconds)}); the weights take {format_size(size)}, "
        f"{cost.size_ratio:.2f} of its teacher's."
    )


def print_seeds(name: str, seeds: SeedSummary, console: PlainConsole) -> None:
    """Print a run and its repeats in one sentence, and those that failed in another."""
    if seeds.std is not None and seeds.interval is not None:
        console.print(
            f"{show_name(name)}: {format_percent(seeds.mean, seeds.n)} "
            f"± {format_fraction(seeds.std, seeds.n)} "
            f"over {len(seeds.seeds)} seeds on one split (95 % interval of the mean "
            f"{format_span(seeds.interval, seeds.n)} %)."
        )
    print_failed_seeds(name, seeds.failed, console)


def print_failed_seeds(name: str, seeds: Sequence[int], console: PlainConsole) -> None:
    """Name the seeds that failed: whoever shows a mean says what it leaves out."""
    if seeds:
        console.print(
            f"{show_name(name)} failed with {name_seeds(seeds)}, which no mean includes; "
            "status.json in seeds/ says why.",
            style="red",
        )
