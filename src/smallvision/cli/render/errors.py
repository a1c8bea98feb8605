"""An error analysis in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from smallvision.cli.render.tables import new_table, print_plain
from smallvision.format import format_certainty, format_percent
from smallvision.records.schema import ErrorAnalysisRecord

SHOWN = 5  # pairs and errors


def print_errors(record: ErrorAnalysisRecord, folder: Path, console: Console) -> None:
    """Print the commonest confusions, the most confident errors, and what they may come from."""
    n = record.n
    console.print(
        f"{record.model}: {record.errors:,} errors on {n:,} validation images "
        f"({format_percent(record.errors / n, n)}).",
        markup=False,
    )
    if record.pairs:
        print_pairs(record, console)
    if record.disagreements:
        console.print(f"The members disagree most on {len(record.disagreements)} images.")
    for line in record.slices:
        console.print(line.sentence, markup=False)
    issues = record.label_issues.estimate
    console.print(
        f"{issues:,} validation {'image looks' if issues == 1 else 'images look'} confidently like "
        "another class than the label says: a wrong label, or the model's own mistake."
    )
    print_plain(console, f"Figures and pictures: {folder}")


def print_pairs(record: ErrorAnalysisRecord, console: Console) -> None:
    """Print the most confused pairs, and the errors made with the most confidence."""

    def name(true: int, predicted: int) -> Text:
        return Text(f"{record.class_names[true]} taken for {record.class_names[predicted]}")

    pairs = new_table("confused most", "errors", "the other way round")
    for pair in record.pairs[:SHOWN]:
        said = name(pair.true, pair.predicted)
        pairs.add_row(said, f"{pair.count:,}", f"{pair.reverse_count:,}")
    console.print(pairs)
    worst = new_table("most confident errors", "image", "confidence", "for the true class")
    for error in record.worst[:SHOWN]:
        sure = map(format_certainty, (error.confidence, error.true_probability))
        worst.add_row(name(error.true, error.predicted), str(error.index), *sure)
    console.print(worst)
