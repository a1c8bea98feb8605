"""`smallvision evaluate`: open the seal for one run, and write that down."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import Data, DataDir, Json, spell_command


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    data: Data,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Open the test set for a run; the opening is counted and logged."""
    from rich.console import Console

    from smallvision.cli.tables import show_test
    from smallvision.study import evaluate as evaluate_run

    result = evaluate_run(run, data, data_dir=data_dir, command=spell_command())
    show_test(result.record, Console(stderr=json))
    if json:
        typer.echo(json_text.dumps(result.record, ensure_ascii=False))
