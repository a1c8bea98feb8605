"""`smallvision classify`: the classes of picture files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import Json
from smallvision.cli.output import say_json


def classify(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A finished run, a study, a saved model, or cifar10 for the included model.",
        ),
    ],
    pictures: Annotated[
        list[Path],
        typer.Argument(metavar="PICTURE...", help="Picture files, or folders with picture files."),
    ],
    json: Json = False,
) -> None:
    """Classify picture files with a trained model."""
    from smallvision.cli.render.classification import print_classification
    from smallvision.cli.render.console import open_console
    from smallvision.runs.classify import classify as classify_pictures

    found = classify_pictures(model, pictures)
    print_classification(found, open_console(to_stderr=json))
    if json:
        K = len(found.class_names)
        lines = [
            {"file": str(path), "probabilities": dict(found.rank(number, K))}
            for number, path in enumerate(found.paths)
        ]
        say_json({"pictures": lines})
