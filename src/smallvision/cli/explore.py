"""`smallvision explore`: look at a data set before any model is trained on it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import DataOrDigits, Json
from smallvision.cli.output import say, say_envelope

if TYPE_CHECKING:
    from smallvision.data.dataset import DataSet
    from smallvision.exploration.previews import AugmentationPreview


@reads_images
def explore(
    data: DataOrDigits = None,
    loading: Loading = NOTHING_ASKED,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder to write figures and pictures to. Default: nothing is written."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="The seed of the split and of the images shown.")
    ] = 0,
    json: Json = False,
) -> None:
    """Describe the training images of a data set; the test set stays sealed."""
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.exploration import print_exploration
    from smallvision.exploration.explore import explore_dataset
    from smallvision.records.locks import check_folder, sweep

    if out is not None:
        check_folder(out, "exploration.json", resume=True)
    dataset = loading.load(data)
    exploration = explore_dataset(dataset, list_previews=list_previews, seed=seed)
    print_exploration(dataset, exploration, open_console(to_stderr=json))
    if out is not None:
        exploration.write(out)
        sweep(out)  # of what a kill left of an earlier one
        say(f"figures and pictures are in {out}", err=json)
    if json:
        say_envelope(describe_dataset(dataset))


def describe_dataset(dataset: DataSet) -> dict[str, object]:
    """What `--json` prints: the parts as they lie in the source, and what is in none of them."""
    return {
        "name": dataset.name,
        "shape": dataset.train.shape,
        "class_names": dataset.train.class_names,
        "parts": {
            "train": len(dataset.train),
            "val": None if dataset.val is None else len(dataset.val),
            "test": len(dataset.test),
        },
        "carved": dataset.carved,
        "left_out": [asdict(one) for one in dataset.left_out],
        "notes": dataset.notes,
    }


def list_previews() -> list[AugmentationPreview]:
    """All augmentations; only the pictures need them, and with them torch."""
    from smallvision.recipes.builders import preview_catalogue

    return preview_catalogue()
