"""Arguments and options that several entries share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataFolder = Annotated[Path, typer.Argument(metavar="DATA", help="Folder with CIFAR-10.")]
RecordFolder = Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the records.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Try every step at tiny size, on a CPU as well.")
]
