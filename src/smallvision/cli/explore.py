"""`smallvision explore`: look at a data set before any model is trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smallvision.cli.options import Data, DataDir, NoMirror, pick_data
from smallvision.cli.output import say

if TYPE_CHECKING:
    from smallvision.exploration.previews import AugmentationPreview


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
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.exploration import print_exploration
    from smallvision.data.loading.load import as_dataset
    from smallvision.exploration.explore import explore_dataset
    from smallvision.records.locks import check_folder, sweep

    if out is not None:
        check_folder(out, "exploration.json", resume=True)
    dataset = as_dataset(pick_data(data, data_dir, no_mirror=no_mirror), data_dir)
    exploration = explore_dataset(dataset, list_previews=list_previews, seed=seed)
    print_exploration(dataset, exploration, open_console())
    if out is not None:
        exploration.write(out)
        sweep(out)  # of what a kill left of an earlier one
        say(f"figures and pictures are in {out}")


def list_previews() -> list[AugmentationPreview]:
    """All augmentations; only the pictures need them, and with them torch."""
    from smallvision.recipes.builders import preview_catalogue

    return preview_catalogue()
