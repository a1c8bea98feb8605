"""Arguments and options that several commands share."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from smallvision.data.dataset import DataSet

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="digits, cifar10, cifar100, or the path of a folder of images, Parquet files, an "
        "npz file or a CIFAR archive.",
    ),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")]
TrainedOn = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="The data set that the run was trained on. Leave it out for a named data set.",
        show_default=False,
    ),
]
TrainedOnPath = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="The data set that the run was trained on, if it was a path: records hold no paths.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="The only folder that is searched for a named data set.",
        envvar=None,
        show_default=False,
    ),
]
NoMirror = Annotated[
    bool,
    typer.Option(
        "--no-mirror",
        help="Train without mirrored images, for images whose mirror image has another class, "
        "such as letters.",
    ),
]
PresetOption = Annotated[
    str, typer.Option(help="The scale of models and training: quick, laptop or full.")
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a setting of the recipe, such as epochs=6. Repeat it for more settings.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the work in an existing folder.")]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the result as one line of JSON; all other output goes to stderr."
    ),
]


def pick_data(data: str, data_dir: Path | None, *, no_mirror: bool) -> str | DataSet:
    """What a command names: the name, or, where mirror images are out, the data set itself.

    Raises:
        UserError: it is unknown, missing or damaged.
    """
    if not no_mirror:
        return data
    from smallvision.data.loading.load import load_data

    return load_data(data, data_dir=data_dir, mirror_safe=False)


def leave_if_busy(folder: Path | None) -> None:
    """Leave at once where another process is at work, before seconds of loading.

    Raises:
        RecordError: one is at work in the folder.
    """
    if folder is not None:
        from smallvision.records.locks import check_free

        check_free(folder)


def spell_command() -> str:
    """The command as the user typed it, for the records, as far as they have room for it."""
    from smallvision.records.schema.base import MAX_TEXT

    return shlex.join(["smallvision", *sys.argv[1:]])[:MAX_TEXT]


def spell_resumption() -> str:
    """How to go on with the command after it was stopped."""
    named = any(word.split("=")[0] == "--out" for word in sys.argv)
    goes_on_by_itself = sys.argv[1:2] == ["tune"] and not named
    again = [] if goes_on_by_itself or "--resume" in sys.argv else ["--resume"]
    return f"go on with: {shlex.join(['smallvision', *sys.argv[1:], *again])}"
