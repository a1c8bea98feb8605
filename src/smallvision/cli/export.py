"""`smallvision export`: a finished model for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import Json, TrainedOnPath
from smallvision.cli.output import say_json
from smallvision.errors import SettingError


@reads_images
def export(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A finished run, a study, a saved model, or cifar10 for the included model.",
        ),
    ],
    to: Annotated[
        Literal["onnx", "torch", "hub"],
        typer.Option(
            "--to",
            help="What to make: onnx, one file for ONNX runtimes and the server; torch, a program "
            "for torch without this package; hub, a folder for the Hugging Face Hub.",
        ),
    ] = "onnx",
    out: Annotated[
        Path | None,
        typer.Option(help="The folder to write. Default: exports/NAME.", show_default=False),
    ] = None,
    layout: Annotated[
        Literal["nhwc", "nchw"],
        typer.Option(
            help="The order of the dimensions of the input: images, height, width, channels, or "
            "channels first."
        ),
    ] = "nhwc",
    int8: Annotated[
        bool,
        typer.Option(
            "--int8", help="Compute in eight bits, in a quarter of the size, except for the ends."
        ),
    ] = False,
    fp16: Annotated[
        bool, typer.Option("--fp16", help="Store weights in half precision, in half the size.")
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The accuracy on validation images that --int8 and --fp16 may lose, a fraction.",
        ),
    ] = 0.005,
    licence: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="The licence under which the model is passed on, such as mit.",
            show_default=False,
        ),
    ] = "",
    push: Annotated[
        str | None,
        typer.Option(
            "--push",
            metavar="REPO",
            help="Send the folder of --to hub to this repository, such as ACCOUNT/NAME, where "
            "everybody may read it.",
            show_default=False,
        ),
    ] = None,
    data: TrainedOnPath = None,
    loading: Loading = NOTHING_ASKED,
    json: Json = False,
) -> None:
    """Export a model, and check that it answers as before.

    The answers are compared on validation images; an export that gives other ones is not kept.
    """
    if int8 and fp16:
        raise SettingError("--int8 and --fp16 are two types of weights; name one of them")

    from smallvision.api import export as export_model
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.exported import print_export

    exported = export_model(
        model,
        to=to,
        out=out,
        data=loading.load_for(model, data),
        layout=layout,
        weights="int8" if int8 else "fp16" if fp16 else "fp32",
        tolerance=tolerance,
        licence=licence,
        push=push,
        data_dir=loading.data_dir,
    )
    print_export(exported, open_console(to_stderr=json))
    if json:
        record = exported.record.model_dump(mode="json")
        say_json({"export": str(exported.folder), "address": exported.address, **record})
