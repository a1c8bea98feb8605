"""Scores on test and validation images in the terminal."""

from __future__ import annotations

from rich.table import Table

from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.tables import MAX_LINES, new_table
from smallvision.format import (
    describe_class_means,
    format_accuracy,
    format_fraction,
    format_interval,
    format_times,
)
from smallvision.records.schema import ClassMeans, Scores, TestRecord, ValidationScores
from smallvision.runs.results import list_figures


def print_test(test: TestRecord, console: PlainConsole) -> None:
    """Print the test result: a sentence, the figures beyond it, and each class."""
    times = format_times(test.openings)
    console.print(f"Test (opened {times}): {state_accuracy(test)}.", style="bold")
    everywhere = test.openings_on_machine or 0
    if everywhere > test.openings:
        console.print(
            f"These test images have been opened {everywhere} times in all on this machine; the "
            "best of many figures flatters."
        )
    print_scores(test, console)


def print_validation(scores: ValidationScores, console: PlainConsole) -> None:
    """Print the same of the validation images."""
    console.print(f"Validation: {state_accuracy(scores)}.", style="bold")
    print_scores(scores, console)


def state_accuracy(scores: Scores) -> str:
    """Accuracy with n and interval, and class means where classes differ in size."""
    means = describe_class_means(scores.by_class, scores.n)
    return (
        f"{format_accuracy(scores)} on {scores.n:,} images "
        f"(95 % interval {format_interval(scores)})"
        f"{f', {means}' if means else ''}"
    )


def print_scores(scores: TestRecord | ValidationScores, console: PlainConsole) -> None:
    """Print figures and classes; of many classes the hardest, with the weakest first."""
    figures = Table.grid(padding=(0, 2))
    for name, value in list_figures(scores):
        figures.add_row(name, value)
    console.print(figures)
    lines, title = list(scores.per_class), None
    if len(lines) > MAX_LINES:
        title = f"The {MAX_LINES} weakest of {len(lines)} classes"
        lines = sorted(lines, key=lambda line: line.f1)[:MAX_LINES]
    table = new_table("class", "precision", "recall", "F1", "support", title=title)
    for line in lines:
        shares = (f"{share:.3f}" for share in (line.precision, line.recall, line.f1))
        table.add_row(line.name, *shares, f"{line.support:,}")
    console.print(table)


def list_class_means(means: ClassMeans | None, n: int) -> tuple[str, str]:
    """Balanced accuracy and macro F1 for a table, without their percent signs."""
    if means is None:
        return "", ""
    return format_fraction(means.balanced_accuracy, n), format_fraction(means.macro_f1, n)
