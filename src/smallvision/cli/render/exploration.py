"""A look at a data set in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.tables import MAX_LINES, new_table
from smallvision.format import format_percent

if TYPE_CHECKING:
    from smallvision.data.dataset import DataSet
    from smallvision.exploration.explore import Exploration


def print_exploration(dataset: DataSet, exploration: Exploration, console: PlainConsole) -> None:
    """Print the classes and channels of a data set, and what follows from them."""
    figures = exploration.figures
    console.print(styled((dataset.name, "bold"), "  ", dataset.source), soft_wrap=True)
    for note in dataset.notes:
        console.print(note)
    n, rest = figures.n, len(dataset.train) - figures.n
    classes = new_table("class", "images", "share")
    classes.heading = f"All figures are of the training split: {n:,} images"
    if rest:
        classes.heading += f", without {rest:,} that are kept to validate on"
    counts = list(zip(figures.class_names, figures.counts, strict=True))
    for name, count in counts[:MAX_LINES]:
        classes.add_row(name, f"{count:,}", format_percent(count / figures.n, figures.n))
    if len(counts) > MAX_LINES:
        classes.add_row(f"… and {len(counts) - MAX_LINES} more")
    console.print(classes)
    channels = new_table("channel", "mean", "deviation")
    for channel in figures.channels:
        channels.add_row(channel.name, f"{channel.mean:.4f}", f"{channel.std:.4f}")
    console.print(channels)
    for sentence in figures.implications:
        console.print(f"  {sentence}")
    console.print(f"  {len(dataset.test):,} test images stay sealed.")
