"""`smallvision classify`: what a finished model takes pictures for."""

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
            help="A finished run, a study, a saved model, or cifar10, which is in the box.",
        ),
    ],
    pictures: Annotated[
        list[Path], typer.Argument(metavar="PICTURE...", help="Picture files, or folders of them.")
    ],
    json: Json = False,
) -> None:
    """Say what a finished model takes pictures for."""
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
