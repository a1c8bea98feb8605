"""`smallvision explore`: look at a data set before any model does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import Data, DataDir, NoMirror, pick_data


def explore(
    data: Data = "digits",
    data_dir: DataDir = None,
    no_mirror: NoMirror = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder to write figures and pictures to. Default: nothing is written."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="The seed of the split and of the images shown.")
    ] = 0,
) -> None:
    """Describe the training images of a data set; the test set stays sealed."""
    from rich.console import Console

    from smallvision.api import explore as explore_data
    from smallvision.cli.render.exploration import print_exploration
    from smallvision.data.loading.load import as_dataset
    from smallvision.records.locks import check_folder

    if out is not None:
        check_folder(out, "exploration.json", resume=True)
    dataset = as_dataset(pick_data(data, data_dir, no_mirror=no_mirror), data_dir)
    exploration = explore_data(dataset, seed=seed)
    print_exploration(dataset, exploration, Console())
    if out is not None:
        exploration.write(out)
        typer.echo(f"figures and pictures are in {out}")
