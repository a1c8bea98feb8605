"""Options that several commands share, besides those of `smallvision.cli.options`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Out = Annotated[
    Path,
    typer.Option(help="Folder of the records. Each command writes a file of its own there."),
]
Rounds = Annotated[
    int, typer.Option(min=1, help="How often each job is timed. The median is reported.")
]
Target = Annotated[float, typer.Option(help="Accuracy to reach, a fraction.")]
OUT = Path("bench")
TARGET = 0.94
