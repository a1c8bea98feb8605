"""The command `smallvision`: registers the commands and turns errors into exit codes.

Exit codes: 0 done; 1 a run diverged or ran out of memory, or a study finished no rung; 2 something
the caller can put right; 3 some pictures were classified, and others could not be read;
130 interrupted; 143 terminated; 129 hung up; 141 nobody reads on. A server that a signal ends, and
that has answered all that was under way, is done.
"""

from __future__ import annotations

import io
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from smallvision import __version__
from smallvision.cli.classify import classify
from smallvision.cli.compare import compare
from smallvision.cli.distill import distill
from smallvision.cli.doctor import doctor
from smallvision.cli.ensemble import ensemble
from smallvision.cli.evaluate import evaluate
from smallvision.cli.examples import write_epilog, write_start
from smallvision.cli.explain import explain
from smallvision.cli.explore import explore
from smallvision.cli.export import export
from smallvision.cli.output import guard_stderr, say, say_lines
from smallvision.cli.recipes import recipes
from smallvision.cli.report import report
from smallvision.cli.runs import runs
from smallvision.cli.serve import serve
from smallvision.cli.show import show
from smallvision.cli.study import study
from smallvision.cli.track import track
from smallvision.cli.train import train
from smallvision.cli.tune import tune
from smallvision.cli.watch import watch
from smallvision.errors import (
    FailedRunError,
    SettingError,
    UserError,
    is_out_of_memory,
    refuse_address,
)

RETRY = 0.05  # seconds after which a signal that came amid an import is given again
ADDRESSED = ("--uri", "--checkpoint-to")  # options that take an address
EMPTY_OPTION = re.compile(r"--[\w-]+=")
PATIENCE = 5.0  # seconds of imports after which it ends the process, which loses no record

app = typer.Typer(
    name="smallvision",
    help="From small images to a classifier you can defend.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    study,
    watch,
    explore,
    train,
    tune,
    ensemble,
    distill,
    evaluate,
    classify,
    show,
    serve,
    explain,
    compare,
    export,
    report,
    runs,
    track,
    recipes,
    doctor,
):
    app.command(epilog=write_epilog(command.__name__))(command)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        say(f"smallvision {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback shows it
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show and exit.")
    ] = False,
) -> None:
    """From small images to a classifier you can defend."""
    if context.invoked_subcommand is None:
        say_lines(write_start(__version__))


def terminate(signum: int, frame: FrameType | None, since: float | None = None) -> None:
    """Leave through the usual way out; training waits for the end of its step by itself.

    While a module is imported the signal is put off: a library may lose the exception and go on
    with a part of itself broken, as pydantic does with the patterns of a class that it builds.

    Args:
        signum: the signal.
        frame: what it interrupts.
        since: when it was put off first, on the monotonic clock.
    """
    if is_importing(frame):
        began = time.monotonic() if since is None else since
        if time.monotonic() - began > PATIENCE:
            os._exit(128 + signum)
        signal.signal(signum, partial(terminate, since=began))
        again = threading.Timer(RETRY, os.kill, (os.getpid(), signum))
        again.daemon = True
        again.start()
        return
    signal.signal(signum, terminate)
    if signum == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + signum)


def is_importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported in a frame or in one that called it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def end_unread(signum: int, _frame: FrameType | None) -> None:
    """Leave if whoever read the output has gone; a broken connection is another matter."""
    streams = select.poll()
    for number in (1, 2):
        streams.register(number, 0)
    if any(found & select.POLLERR for _, found in streams.poll(0)):
        sys.exit(128 + signum)


def main() -> None:
    """Run the command line."""
    fill_streams()
    handlers: dict[str, Callable[[int, FrameType | None], None]] = {
        **dict.fromkeys(("SIGINT", "SIGTERM", "SIGHUP"), terminate),
        "SIGPIPE": end_unread,
    }
    for name, handler in handlers.items():
        number = getattr(signal, name, None)  # Windows knows but the first two
        # nohup ignores SIGHUP; Python itself ignores SIGPIPE.
        if number is not None and (name == "SIGPIPE" or signal.getsignal(number) != signal.SIG_IGN):
            signal.signal(number, handler)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a class name gets a question mark, not a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    guard_stderr()
    try:
        code = run()
    finally:
        drop_unprinted()
    sys.exit(code)


def run() -> int:
    """Run a command, and say in one line what keeps it from its end; returns the exit code."""
    try:
        check_surroundings(sys.argv)
        code = app(standalone_mode=False) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # a full disk is found out here, not on leaving
        return int(code)
    except UserError as error:
        complaint, code = f"error: {error}", error.exit_code
    except OSError as error:
        complaint, code = f"error: {error.strerror}: {error.filename or 'output'}", 2
    except Exception as error:
        usage = explain_usage(error)
        if is_out_of_memory(error):
            complaint = "error: memory ran out; end other programs, or raise its limit (ulimit -v)"
            code = FailedRunError.exit_code
        elif usage is not None:
            complaint, code = usage, 2
        else:
            raise
    with suppress(OSError):  # stderr may be as full as stdout
        say_lines(f"{complaint}\n", err=True)
    return code


def fill_streams() -> None:
    """Open what is closed of stdin, stdout and stderr.

    Else the next file that is opened, such as a record, takes the number of a stream, and what a
    library prints goes into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the smallest number that is free


def drop_unprinted() -> None:
    """Forget what cannot be printed; Python would try again on leaving, and complain."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # it has said what it had to
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def check_surroundings(arguments: Sequence[str]) -> None:
    """Refuse what no command can work with, before anything is done.

    Raises:
        SettingError: an argument is empty, an address or no text, or there is no working directory.
    """
    try:
        Path.cwd()
    except FileNotFoundError as error:  # torch would end the process on loading
        raise SettingError(
            "the working directory does not exist any more; change to another one"
        ) from error
    for before, argument in pairwise(arguments):
        if not argument.strip() or EMPTY_OPTION.fullmatch(argument):
            option = argument if argument.strip() else before
            what = option.rstrip("=") if option.startswith("--") else f"the argument '{argument}'"
            raise SettingError(f"{what} is empty; name something, or leave it out")
        check_text(argument)
        if before not in ADDRESSED:
            refuse_address(argument)


def check_text(argument: str) -> None:
    """Refuse names that are no text, which no record could hold.

    Raises:
        SettingError: an argument has bytes that are not UTF-8, or that the locale cannot read.
    """
    try:
        argument.encode()
    except UnicodeEncodeError as error:
        shown = argument.encode(errors="replace").decode()
        with suppress(UnicodeDecodeError):
            shown = os.fsencode(argument).decode()
            raise SettingError(
                f"this locale cannot read '{shown}'; set PYTHONUTF8=1, or LC_ALL=C.UTF-8"
            ) from error
        raise SettingError(f"'{shown}' is not UTF-8; rename it") from error


def explain_usage(error: Exception) -> str | None:
    """What the option parser complains of, in one line; None for any other error.

    The parser's errors are known by their methods: where their class lies depends on the version.
    A command without its arguments is answered with its help, as the parser words it.
    """
    if not hasattr(error, "format_message"):
        return None
    message: str = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        return message
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "smallvision"
    sentence = " ".join(message.split()).removesuffix(".")
    return f"error: {sentence[:1].lower()}{sentence[1:]} (see {command} --help)"
