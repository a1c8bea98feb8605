"""`smallvision classify`: the classes of picture files."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import Json


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
    from rich.console import Console

    from smallvision.cli.render.classification import print_classification
    from smallvision.runs.classify import classify as classify_pictures

    found = classify_pictures(model, pictures)
    print_classification(found, Console(stderr=json))
    if json:
        K = len(found.class_names)
        lines = [
            {"file": str(path), "probabilities": dict(found.rank(number, K))}
            for number, path in enumerate(found.paths)
        ]
        typer.echo(json_text.dumps({"pictures": lines}, ensure_ascii=False))
