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

EXPLORATIONS = Path("explorations")


@reads_images
def explore(
    data: DataOrDigits = None,
    loading: Loading = NOTHING_ASKED,
    out: Annotated[
        Path | None,
        typer.Option(
            help="A folder to write figures and pictures to, as files. Default: only the page."
        ),
    ] = None,
    page: Annotated[
        bool,
        typer.Option("--page/--no-page", help="Write the page explorations/DATA.html, or none."),
    ] = True,
    seed: Annotated[
        int, typer.Option(min=0, help="The seed of the split and of the images shown.")
    ] = 0,
    json: Json = False,
) -> None:
    """Describe the training images of a data set; the test set stays sealed."""
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.exploration import print_closer, print_exploration
    from smallvision.exploration.explore import explore_dataset
    from smallvision.records.files import make_folder
    from smallvision.records.locks import check_folder, sweep
    from smallvision.reporting import check_page, draw_exploration, write_page

    path = EXPLORATIONS / f"{loading.name(data)}.html" if page else None
    if out is not None:
        check_folder(out, "exploration.json", resume=True)
    if path is not None:
        check_page(path)
    dataset = loading.load(data)
    exploration = explore_dataset(dataset, list_previews=list_previews, seed=seed)
    console = open_console(to_stderr=json)
    print_exploration(dataset, exploration, console)
    if out is not None or path is not None:
        print_closer(exploration, console)
    if out is not None:
        exploration.write(out)
        sweep(out)  # of what a kill left of an earlier one
        say(f"figures and pictures are in {out}", err=json)
    if path is not None:
        make_folder(path.parent)
        write_page(path, draw_exploration(*exploration.draw()))
        sweep(path.parent)
        say(f"the page is {path}", err=json)
    if json:
        say_envelope(describe_dataset(dataset, path))


def describe_dataset(dataset: DataSet, page: Path | None) -> dict[str, object]:
    """What `--json` prints: the parts as they lie in the source, and what is in none of them."""
    return {
        "name": dataset.name,
        "page": None if page is None else str(page),
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
