"""`smallvision recipes`: the recipes for `train` and the settings for `--set`."""

from __future__ import annotations

from typing import Annotated

import typer

from smallvision.cli.options import ScaleOption
from smallvision.cli.output import say_lines


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[RECIPE]", help="Print this recipe as TOML."),
    ] = None,
    preset: ScaleOption = "laptop",
) -> None:
    """List recipes and their parts, with the sizes for CIFAR-10."""
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.recipes import show_ladder, show_parts
    from smallvision.recipes import build_cifar10_ladder, find_preset, find_rung
    from smallvision.recipes.toml import write_toml

    found = find_preset(preset)
    ladder = build_cifar10_ladder(found.seconds)
    if name is not None:
        say_lines(write_toml(find_rung(ladder, name).recipe.plain()))
        return
    console = open_console()
    show_ladder(preset, found.sentence, ladder, console)
    show_parts(console)
