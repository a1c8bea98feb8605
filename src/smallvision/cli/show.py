"""`smallvision show`: what a finished model is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import Json
from smallvision.cli.output import say_json


def show(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A finished run, a study, a saved model, or cifar10 for the included model.",
        ),
    ],
    json: Json = False,
) -> None:
    """Tell what a model is: layers, size, training data, accuracy, and its training in words."""
    from smallvision.about.sheet import show as show_model
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.sheet import print_sheet

    sheet = show_model(model)
    print_sheet(sheet, open_console(to_stderr=json))
    if json:
        say_json(sheet.model_dump(mode="json"))
