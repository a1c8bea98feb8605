"""An error analysis in the terminal."""

from __future__ import annotations

from pathlib import Path

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.tables import new_table, print_plain
from smallvision.format import format_certainty, format_percent
from smallvision.records.schema import ErrorAnalysisRecord
from smallvision.text import show_name

SHOWN = 5  # pairs and errors


def print_errors(record: ErrorAnalysisRecord, folder: Path, console: PlainConsole) -> None:
    """Print the commonest confusions, the most confident errors, and what they may come from."""
    n = record.n
    console.print(
        f"{show_name(record.model)}: {record.errors:,} errors on {n:,} validation images "
        f"({format_percent(record.errors / n, n)}).",
    )
    if record.pairs:
        print_pairs(record, console)
    if record.disagreements:
        console.print(f"The members disagree most on {len(record.disagreements)} images.")
    for line in record.slices:
        console.print(line.sentence)
    issues = record.label_issues.estimate
    console.print(
        f"{issues:,} validation {'image looks' if issues == 1 else 'images look'} confidently like "
        "another class than the label says: a wrong label, or the model's own mistake."
    )
    print_plain(console, f"Figures and pictures: {folder}")


def print_pairs(record: ErrorAnalysisRecord, console: PlainConsole) -> None:
    """Print the most confused pairs, and the errors made with the most confidence."""

    def name(true: int, predicted: int) -> str:
        label, answer = (show_name(record.class_names[number]) for number in (true, predicted))
        return f"{label} taken for {answer}"

    pairs = new_table("confused most", "errors", "the other way round")
    for pair in record.pairs[:SHOWN]:
        said = styled(name(pair.true, pair.predicted))
        pairs.add_row(said, f"{pair.count:,}", f"{pair.reverse_count:,}")
    console.print(pairs)
    worst = new_table("most confident errors", "image", "confidence", "for the true class")
    for error in record.worst[:SHOWN]:
        sure = map(format_certainty, (error.confidence, error.true_probability))
        worst.add_row(styled(name(error.true, error.predicted)), str(error.index), *sure)
    console.print(worst)
