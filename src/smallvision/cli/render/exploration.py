"""A look at a data set in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.style import Style

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.tables import MAX_LINES, new_table
from smallvision.format import format_percent

if TYPE_CHECKING:
    from smallvision.data.dataset import DataSet
    from smallvision.data.imageset import ImageSet
    from smallvision.exploration.explore import Exploration

BLOCKS = 16  # characters that a picture in the terminal is wide, at most


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
    print_pictures(exploration.images, console)
    for sentence in figures.implications:
        console.print(f"  {sentence}")
    console.print(f"  {len(dataset.test):,} test images stay sealed.")


def print_closer(exploration: Exploration, console: PlainConsole) -> None:
    """Print what a closer look says, which takes seconds."""
    if exploration.closer:
        for sentence in exploration.closer.implications:
            console.print(f"  {sentence}")


def print_pictures(images: ImageSet, console: PlainConsole) -> None:
    """Print an image of each class in coloured half blocks, where the terminal has the colours.

    A character shows two pixels, one above the other.
    """
    if not (console.is_terminal and console.color_system in ("256", "truecolor")):
        return
    side = -(-max(images.shape[1:]) // BLOCKS)  # pixels to a block
    wide = -(-images.shape[2] // side) + 1
    count = max(1, min(images.num_classes, (console.width - 2) // wide))
    firsts = [np.flatnonzero(images.labels == k)[:1] for k in range(count)]
    shown = images.images[np.concatenate(firsts)].transpose(0, 2, 3, 1)
    thin = np.broadcast_to(shown[:, ::side, ::side], (*shown[:, ::side, ::side].shape[:3], 3))
    for top in range(0, thin.shape[1], 2):
        line: list[str | tuple[str, Style]] = ["  "]
        for picture in thin:
            for upper, lower in zip(
                picture[top], picture[min(top + 1, len(picture) - 1)], strict=True
            ):
                colours = Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
                line.append(("▀", colours))
            line.append(" ")
        console.print(styled(*line), no_wrap=True)
