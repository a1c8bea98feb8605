"""Arguments and options that several commands share."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from smallvision.cli.output import say
from smallvision.compute.launch import is_helper
from smallvision.errors import SettingError

SOURCES = (
    "digits, cifar10, cifar100, or the path of a folder of images, a table, an archive, Parquet "
    "files, an npz file or a file of a well-known set."
)
Data = Annotated[str, typer.Argument(metavar="DATA", help=SOURCES)]
DataOrDigits = Annotated[
    str | None,
    typer.Argument(metavar="DATA", help=f"{SOURCES} Default: digits.", show_default=False),
]
DataOrBegun = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help=f"{SOURCES} Default: digits; with --resume and --out, what was begun there.",
        show_default=False,
    ),
]
RunFolder = Annotated[
    Path,
    typer.Argument(
        metavar="RUN", help="The folder of a finished run, or of a study, whose winner is taken."
    ),
]
TrainedOn = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA",
        help="The data set that the run was trained on. Leave it out where that lies as it did.",
        show_default=False,
    ),
]
TrainedOnPath = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="DATA",
        help="The data set that the run was trained on. Leave it out where that lies as it did.",
        show_default=False,
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
PresetOption = Annotated[
    str,
    typer.Option(
        help="A time budget by name: quick (5 minutes), laptop (an hour), overnight (8 hours) or "
        "full (no limit). With --set epochs= nothing is timed: it decides the sizes of networks, "
        "and how many images of a large set are used."
    ),
]
ScaleOption = Annotated[
    str,
    typer.Option(
        "--preset",
        help="The size and epochs that a rung would have in a study of this time: quick (5 "
        "minutes), laptop (an hour), overnight (8 hours) or full (no limit).",
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="TIME",
        help="The time for all of it, such as 30m, instead of a preset.",
        show_default=False,
    ),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a setting of the recipe, such as epochs=6. Repeat it for more settings.",
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="MODEL",
        help="Begin with the weights of this model, except for its head: a run, a study, a saved "
        "model, or cifar10 for the included one.",
        show_default=False,
    ),
]
MetricOption = Annotated[
    Literal["accuracy", "balanced_accuracy", "macro_f1"] | None,
    typer.Option(
        "--metric",
        help="The validation figure to choose by: balanced_accuracy and macro_f1 count every "
        "class alike, whatever its size. Default: accuracy.",
        show_default=False,
    ),
]
CheckpointTo = Annotated[
    str | None,
    typer.Option(
        "--checkpoint-to",
        metavar="URL",
        help="Keep the folder of --out in a store as well, such as s3://BUCKET/NAME or a mounted "
        "folder; with --resume another machine goes on from there.",
        show_default=False,
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the work in an existing folder.")]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the result as one line of JSON; all other output goes to stderr."
    ),
]


@contextmanager
def keep_copies(out: Path | None, url: str | None, *, resume: bool) -> Iterator[None]:
    """Keep the folder of a command in a store as well, if it is asked for.

    Raises:
        SettingError: no folder was named, or there is no such store.
        RecordError: the store cannot be read or written, or holds other work.
    """
    if url is None or is_helper():  # whose leader does it
        yield
        return
    if out is None:
        raise SettingError("--checkpoint-to keeps the folder of --out in a store; add --out")
    from smallvision.tracking.mirror import mirrored

    with mirrored(out, url, resume=resume, tell=partial(say, err=True)):
        yield
    say(f"Kept in the store as well: {hide_password(url)}", err=True)


UNITS = {"s": 1, "m": 60, "h": 3600}


def read_duration(text: str) -> float:
    """`90s`, `10m` or `1h30m` in seconds.

    Raises:
        SettingError: it is no such time, or none at all.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text)
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if "".join(map("".join, parts)) != text or not seconds:
        raise SettingError(f"'{text}' is no time; write it like 90s, 10m or 1h30m")
    return seconds


def leave_if_busy(folder: Path | None) -> None:
    """Leave at once where another process is at work, before seconds of loading.

    Raises:
        RecordError: one is at work in the folder.
    """
    if folder is not None and not is_helper():
        from smallvision.records.locks import check_free

        check_free(folder)


def spell_command() -> str:
    """The command as the user typed it, for the records, as far as they have room for it."""
    from smallvision.records.schema.base import MAX_TEXT

    return shlex.join(["smallvision", *map(hide_password, sys.argv[1:])])[:MAX_TEXT]


def spell_resumption() -> str:
    """How to go on with the command after it was stopped."""
    named = any(word.split("=")[0] == "--out" for word in sys.argv)
    goes_on_by_itself = sys.argv[1:2] == ["tune"] and not named
    again = [] if goes_on_by_itself or "--resume" in sys.argv else ["--resume"]
    words = [*map(hide_password, sys.argv[1:]), *again]
    return f"go on with: {shlex.join(['smallvision', *words])}"


def hide_password(word: str) -> str:
    """A word of a command, in which `***` stands for the passwords of a URL."""
    word = re.sub(r"(://[^/@:]*:)[^@]*(?=@)", r"\1***", word)
    return re.sub(
        r"([?&](?:password|passwd|passfile|sslpassword)=)[^&]*", r"\1***", word, flags=re.I
    )
