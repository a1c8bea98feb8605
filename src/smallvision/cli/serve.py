"""`smallvision serve`: a model behind a web page and an HTTP interface."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.output import say, show_traceback
from smallvision.errors import SettingError, check_importable

TOKEN = "SMALLVISION_TOKEN"  # noqa: S105 - the name of a variable
SPELLED = re.compile(r"[!-~]{16,512}")
NEEDED = ("fastapi", "uvicorn", "prometheus_client", "python_multipart", "onnxruntime")


def serve(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A finished run, a study, a saved model, cifar10 for the included model, or what "
            "smallvision export wrote.",
        ),
    ],
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 for any that is free.")
    ] = 8000,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="The number of processes.")
    ] = 1,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder for pictures whose class somebody corrects on the page.",
            show_default=False,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=f"A file with the token that requests have to bear. Default: {TOKEN}, if it is "
            "set; else none is asked for.",
            show_default=False,
        ),
    ] = None,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Print a line about each request to stderr.")
    ] = False,
) -> None:
    """Serve a model: a web page at /, and POST /v1/classify for programs.

    A model that is not exported yet is exported to ONNX first, once. SIGTERM and Ctrl-C end the
    server after it has answered what is under way.
    """
    token = find_token(token_file)
    check_importable(NEEDED, "serve", "serve")
    from smallvision.compute.threads import count_cores
    from smallvision.serving.exports import find_exported
    from smallvision.serving.options import ServerOptions
    from smallvision.serving.processes import serve as run

    def tell(line: str) -> None:
        say(line, err=True)

    def report(error: Exception) -> None:
        show_traceback(type(error), error, error.__traceback__)

    options = ServerOptions(
        host=host,
        port=port,
        processes=workers,
        threads=max(1, count_cores() // workers),
        token=token,
        keep=keep,
        say=say,
        complain=tell,
        log=tell if access_log else None,
        report=report,
    )
    found = find_exported(model, tell)
    raise typer.Exit(run(found, options))


def find_token(file: Path | None) -> str | None:
    """The token that requests have to bear, if there is any.

    Raises:
        SettingError: the file cannot be read, or holds no token.
    """
    if file is None:
        told = os.environ.get(TOKEN)
        return None if told is None else check_token(told, TOKEN)
    from smallvision.data.decoding.regular import read_regular

    content = read_regular(file, str(file), most=10_000)
    return check_token(content.decode(errors="replace").strip(), str(file))


def check_token(token: str, source: str) -> str:
    """Refuse a token that can be guessed or cannot be sent.

    Raises:
        SettingError: it is too short, too long or has other characters.
    """
    if not SPELLED.fullmatch(token):
        raise SettingError(
            f"{source} holds no token: expected 16 to 512 characters of ASCII without spaces, such "
            "as openssl rand -hex 32 prints"
        )
    return token
